//! Proposals: reported by the assistant, decided about by people or the policy.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::policy::PolicyState;
use noetl_api::proposal::{
    ControlEvents, ControlFilter, Decide, Ledger, NewProposal, Proposal, ProposalFilter, ProposalList,
};

use super::Services;
use super::request::{Json, Params, Segments};
use crate::error::ServerError;

/// Takes up a Proposal, or refuses it with everything that is wrong; the same one again changes nothing.
#[utoipa::path(post, path = "/api/proposals", tag = "proposals", request_body = NewProposal,
    responses((status = 200, body = Proposal), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(super) async fn make(
    State(services): State<Services>,
    Json(new): Json<NewProposal>,
) -> Result<Answer<Proposal>, ServerError> {
    Ok(Answer(services.proposals.make(new).await?))
}

/// Proposals, newest first.
#[utoipa::path(get, path = "/api/proposals", tag = "proposals", params(ProposalFilter),
    responses((status = 200, body = ProposalList)))]
pub(super) async fn list(
    State(services): State<Services>,
    Params(filter): Params<ProposalFilter>,
) -> Result<Answer<ProposalList>, ServerError> {
    Ok(Answer(ProposalList { items: services.proposals.list(&filter).await? }))
}

/// What promoted Proposals promised and what they delivered.
#[utoipa::path(get, path = "/api/proposals/ledger", tag = "proposals", responses((status = 200, body = Ledger)))]
pub(super) async fn ledger(State(services): State<Services>) -> Result<Answer<Ledger>, ServerError> {
    Ok(Answer(services.proposals.ledger().await?))
}

/// One Proposal, with the text of the playbook that it proposes.
#[utoipa::path(get, path = "/api/proposals/{id}", tag = "proposals", params(("id" = String, Path)),
    responses((status = 200, body = Proposal), (status = 404, body = ErrorBody)))]
pub(super) async fn one(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<Proposal>, ServerError> {
    Ok(Answer(services.proposals.get(&id).await?))
}

/// Registers the proposed text as a new version and starts a Rollout of it.
#[utoipa::path(post, path = "/api/proposals/{id}/approve", tag = "proposals", params(("id" = String, Path)),
    request_body = Decide, responses((status = 200, body = Proposal), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn approve(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(decide): Json<Decide>,
) -> Result<Answer<Proposal>, ServerError> {
    Ok(Answer(services.proposals.approve(&id, &decide).await?))
}

/// Turns a Proposal down; the same evidence does not bring it back.
#[utoipa::path(post, path = "/api/proposals/{id}/reject", tag = "proposals", params(("id" = String, Path)),
    request_body = Decide, responses((status = 200, body = Proposal), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(super) async fn reject(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(decide): Json<Decide>,
) -> Result<Answer<Proposal>, ServerError> {
    Ok(Answer(services.proposals.reject(&id, &decide).await?))
}

/// Every transition of Proposals and Rollouts, in order.
#[utoipa::path(get, path = "/api/control/events", tag = "proposals", params(ControlFilter),
    responses((status = 200, body = ControlEvents)))]
pub(super) async fn events(
    State(services): State<Services>,
    Params(filter): Params<ControlFilter>,
) -> Result<Answer<ControlEvents>, ServerError> {
    Ok(Answer(services.proposals.events(&filter).await?))
}

/// The policy in effect, and why nothing can be approved at this moment.
#[utoipa::path(get, path = "/api/policy", tag = "proposals",
    responses((status = 200, body = PolicyState), (status = 422, body = ErrorBody)))]
pub(super) async fn policy(State(services): State<Services>) -> Result<Answer<PolicyState>, ServerError> {
    Ok(Answer(services.proposals.policy()?))
}
