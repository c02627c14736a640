//! The HTTP surface of Proposals that the assistant answers: looking, drafting, simulating, foreseeing.
//!
//! Listing and deciding are the control plane's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Json, Router};
use noetl_api::error::ErrorBody;
use noetl_api::proposal::{DraftStep, LookRequest, Looked, Proposal, Refused, Simulation};
use noetl_api::what_if::{Foreseen, WhatIf};
use noetl_domain::code::Code;
use noetl_domain::lint::ToolSchemas;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::{Desk, Made};
use super::history::{History, gather};
use super::subject::Terms;
use super::{draft_step, foresee, look as judge, simulate as replay};
use crate::gather::SourceError;
use crate::http::Refusal;

type Answering<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send>>;
type Asking<A, T> = Arc<dyn Fn(A) -> Answering<T> + Send + Sync>;

/// Everything that handlers ask. Clones share it.
#[derive(Clone)]
struct Services {
    look: Asking<LookRequest, Looked>,
    draft: Asking<DraftStep, Proposal>,
    simulate: Asking<String, Simulation>,
    what_if: Asking<WhatIf, Foreseen>,
}

/// The endpoints, ready to be merged with others.
pub fn router<H: History, D: Desk>(
    history: Arc<H>,
    desk: Arc<D>,
    tools: Arc<ToolSchemas>,
    failure_costs_ms: f64,
) -> Router {
    let parts = (history, desk, tools);
    let look: Asking<LookRequest, Looked> = {
        let parts = parts.clone();
        Arc::new(move |request| {
            let (history, desk, tools) = parts.clone();
            Box::pin(async move { look_at(&*history, &*desk, tools, failure_costs_ms, request).await })
        })
    };
    let draft: Asking<DraftStep, Proposal> = {
        let parts = parts.clone();
        Arc::new(move |request| {
            let (history, desk, tools) = parts.clone();
            Box::pin(async move {
                let subject = known(
                    gather(&*history, &request.playbook, terms(&*desk, failure_costs_ms)).await?,
                    &request.playbook,
                )?;
                let drafted = draft_step(&subject, &request.after, &request.description, &tools);
                let drafted = drafted.map_err(|refusal| {
                    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Code::ProposalRefused, refusal.why)
                })?;
                match desk.make(drafted).await? {
                    Made::Kept(kept) => Ok(*kept),
                    Made::Declined(why) => {
                        Err(Refusal::new(StatusCode::CONFLICT, Code::ProposalRefused, why))
                    }
                }
            })
        })
    };
    let what_if: Asking<WhatIf, Foreseen> = {
        let parts = parts.clone();
        Arc::new(move |question: WhatIf| {
            let (history, desk, _) = parts.clone();
            Box::pin(async move {
                let path = &question.playbook;
                let found = gather(&*history, path, terms(&*desk, failure_costs_ms)).await?;
                let subject = known(found, path)?;
                let steps: Vec<String> =
                    subject.playbook.steps.iter().map(|step| step.name.clone()).collect();
                let step = question.step.clone();
                // Fits over samples are a computation.
                let foreseen = tokio::task::spawn_blocking(move || foresee(&subject, &question)).await;
                let foreseen = foreseen.map_err(|source| SourceError {
                    attempted: "judge the history",
                    source: Box::new(source),
                })?;
                foreseen.ok_or_else(|| {
                    let step: String = step.chars().take(200).collect();
                    Refusal::new(
                        StatusCode::NOT_FOUND,
                        Code::InvalidRequest,
                        format!("there is no step {step:?}"),
                    )
                    .hint(format!("its steps are: {}", steps.join(", ")))
                })
            })
        })
    };
    let simulate: Asking<String, Simulation> = Arc::new(move |id: String| {
        let (history, desk, _) = parts.clone();
        Box::pin(async move {
            let proposal = desk.get(&id).await?.ok_or_else(|| {
                let detail = format!("there is no proposal {:?}", id.chars().take(100).collect::<String>());
                Refusal::new(StatusCode::NOT_FOUND, Code::UnknownProposal, detail)
                    .hint("`noetl proposals list` lists them")
            })?;
            let path = proposal.proposed.playbook.clone();
            let subject = known(gather(&*history, &path, terms(&*desk, failure_costs_ms)).await?, &path)?;
            Ok(Simulation { proposal_id: id, ..replay(&subject, &proposal.proposed) })
        })
    });
    endpoints().split_for_parts().0.with_state(Services { look, draft, simulate, what_if })
}

/// The contract as a document.
pub fn openapi() -> OpenApi {
    endpoints().split_for_parts().1
}

fn endpoints() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(look))
        .routes(routes!(draft))
        .routes(routes!(simulate))
        .routes(routes!(what_if))
}

/// Looks at the history of one playbook, or of all of them, and makes the Proposals that it gives reason for.
#[utoipa::path(post, path = "/api/proposals/look", tag = "proposals", params(LookRequest),
    responses((status = 200, body = Looked), (status = 404, body = ErrorBody), (status = "default", body = ErrorBody)))]
async fn look(
    State(services): State<Services>,
    request: Result<Query<LookRequest>, QueryRejection>,
) -> Result<Json<Looked>, Refusal> {
    let Query(request) = request
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, error.body_text()))?;
    Ok(Json((services.look)(request).await?))
}

/// Drafts a step from a description, as a Proposal.
#[utoipa::path(post, path = "/api/proposals/draft", tag = "proposals", request_body = DraftStep,
    responses((status = 200, body = Proposal), (status = 404, body = ErrorBody), (status = "default", body = ErrorBody)))]
async fn draft(
    State(services): State<Services>,
    request: Result<Json<DraftStep>, JsonRejection>,
) -> Result<Json<Proposal>, Refusal> {
    let Json(request) = request
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, error.body_text()))?;
    Ok(Json((services.draft)(request).await?))
}

/// Replays a Proposal over the executions of its history.
#[utoipa::path(post, path = "/api/proposals/{id}/simulate", tag = "proposals",
    params(("id" = String, Path)),
    responses((status = 200, body = Simulation), (status = 404, body = ErrorBody), (status = "default", body = ErrorBody)))]
async fn simulate(
    State(services): State<Services>,
    Path(id): Path<String>,
) -> Result<Json<Simulation>, Refusal> {
    Ok(Json((services.simulate)(id).await?))
}

/// What the history of a step lets expect of another value of one of its parameters; nothing is changed.
#[utoipa::path(post, path = "/api/proposals/what-if", tag = "proposals", request_body = WhatIf,
    responses((status = 200, body = Foreseen), (status = 404, body = ErrorBody), (status = "default", body = ErrorBody)))]
async fn what_if(
    State(services): State<Services>,
    request: Result<Json<WhatIf>, JsonRejection>,
) -> Result<Json<Foreseen>, Refusal> {
    let Json(request) = request
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, error.body_text()))?;
    Ok(Json((services.what_if)(request).await?))
}

async fn look_at<H: History, D: Desk>(
    history: &H,
    desk: &D,
    tools: Arc<ToolSchemas>,
    failure_costs_ms: f64,
    request: LookRequest,
) -> Result<Looked, Refusal> {
    let paths = match &request.playbook {
        Some(path) => vec![path.clone()],
        None => history.paths().await?,
    };
    let mut answer = Looked { playbooks: paths.len() as u64, ..Looked::default() };
    for path in paths {
        let found = gather(history, &path, terms(desk, failure_costs_ms)).await?;
        let subject = match (found, &request.playbook) {
            (Some(subject), _) => subject,
            (None, None) => continue,
            (None, Some(path)) => known(None, path)?,
        };
        answer.executions += subject.history.len() as u64;
        let tools = Arc::clone(&tools);
        // Estimating is a computation: a worker thread of the runtime should not be kept from others by it.
        let judged = tokio::task::spawn_blocking(move || judge(&subject, &tools)).await;
        let judged = judged
            .map_err(|source| SourceError { attempted: "judge the history", source: Box::new(source) })?;
        for proposal in judged.proposals {
            let (kind, step) = (proposal.kind, proposal.step.clone());
            match desk.make(proposal).await? {
                Made::Kept(kept) => answer.proposals.push(*kept),
                Made::Declined(why) => {
                    answer.refused.push(Refused { playbook: path.clone(), kind, step, why });
                }
            }
        }
        answer.refused.extend(judged.refusals.into_iter().map(|refusal| Refused {
            playbook: path.clone(),
            kind: refusal.kind,
            step: refusal.step,
            why: refusal.why,
        }));
    }
    Ok(answer)
}

fn terms<D: Desk>(desk: &D, failure_costs_ms: f64) -> Terms {
    Terms { failure_costs_ms, policy: desk.policy() }
}

fn known<T>(found: Option<T>, path: &str) -> Result<T, Refusal> {
    found.ok_or_else(|| {
        let detail = format!("there is no playbook {:?}", path.chars().take(200).collect::<String>());
        Refusal::new(StatusCode::NOT_FOUND, Code::UnknownPlaybook, detail)
            .hint("`noetl catalog list` lists them")
    })
}

#[cfg(test)]
pub(super) mod tests;
