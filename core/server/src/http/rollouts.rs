//! Rollouts: looked at and steered.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::proposal::Decide;
use noetl_api::rollout::{Rollout, RolloutFilter, RolloutList};

use super::Services;
use super::request::{Json, Params, Segments};
use crate::error::ServerError;

/// Rollouts with what their arms say, newest first; those that ended with `all`.
#[utoipa::path(get, path = "/api/rollouts", tag = "rollouts", params(RolloutFilter),
    responses((status = 200, body = RolloutList)))]
pub(super) async fn list(
    State(services): State<Services>,
    Params(filter): Params<RolloutFilter>,
) -> Result<Answer<RolloutList>, ServerError> {
    Ok(Answer(RolloutList { items: services.proposals.rollouts(&filter).await? }))
}

/// One Rollout with what its arms say.
#[utoipa::path(get, path = "/api/rollouts/{id}", tag = "rollouts", params(("id" = String, Path)),
    responses((status = 200, body = Rollout), (status = 404, body = ErrorBody)))]
pub(super) async fn one(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<Rollout>, ServerError> {
    Ok(Answer(services.proposals.rollout(&id).await?))
}

/// Gives everybody the stable version until it is resumed.
#[utoipa::path(post, path = "/api/rollouts/{id}/pause", tag = "rollouts", params(("id" = String, Path)),
    request_body = Decide, responses((status = 200, body = Rollout), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(super) async fn pause(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(decide): Json<Decide>,
) -> Result<Answer<Rollout>, ServerError> {
    Ok(Answer(services.proposals.pause(&id, &decide).await?))
}

/// Goes on with a paused Rollout.
#[utoipa::path(post, path = "/api/rollouts/{id}/resume", tag = "rollouts", params(("id" = String, Path)),
    request_body = Decide, responses((status = 200, body = Rollout), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn resume(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(decide): Json<Decide>,
) -> Result<Answer<Rollout>, ServerError> {
    Ok(Answer(services.proposals.resume(&id, &decide).await?))
}

/// Gives the new version to everybody.
#[utoipa::path(post, path = "/api/rollouts/{id}/promote", tag = "rollouts", params(("id" = String, Path)),
    request_body = Decide, responses((status = 200, body = Rollout), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn promote(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(decide): Json<Decide>,
) -> Result<Answer<Rollout>, ServerError> {
    Ok(Answer(services.proposals.promote(&id, &decide).await?))
}

/// Archives the new version and gives everybody the stable one.
#[utoipa::path(post, path = "/api/rollouts/{id}/rollback", tag = "rollouts", params(("id" = String, Path)),
    request_body = Decide, responses((status = 200, body = Rollout), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(super) async fn rollback(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(decide): Json<Decide>,
) -> Result<Answer<Rollout>, ServerError> {
    Ok(Answer(services.proposals.roll_back(&id, &decide).await?))
}
