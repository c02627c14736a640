//! Orders to Executions: cancel, finalize, retry, cleanup.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::execution::{
    CancelRequest, Cancelled, CleanedUp, CleanupRequest, FinalizeRequest, Ordered, RetryRequest,
};
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;

use super::executions::status_named;
use super::request::{Json, Segments, execution_id};
use super::{Services, show};
use crate::error::ServerError;
use crate::store::{EventQuery, EventStore, Order, SummaryQuery};

/// Stops an Execution, and the sub-playbooks it waits for.
///
/// One that has ended already is answered with `status: error` and the state it is in.
#[utoipa::path(post, path = "/api/executions/{execution_id}/cancel", tag = "executions",
    params(("execution_id" = String, Path)), request_body = CancelRequest,
    responses((status = 200, body = Cancelled), (status = 404, body = ErrorBody)))]
pub(super) async fn cancel(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(request): Json<CancelRequest>,
) -> Result<Answer<Cancelled>, ServerError> {
    let id = execution_id(&id)?;
    let row = services.known(id).await?;
    if row.status.is_final() {
        return Ok(Answer(already(id, row.status)));
    }
    match services.orchestrator.cancel(id, request.reason, request.cascade.unwrap_or(true)).await {
        Ok(cancelled) => Ok(Answer(Cancelled {
            status: "cancelled".to_owned(),
            execution_id: id,
            message: match cancelled.len() {
                0 | 1 => format!("execution {id} is cancelled"),
                count => {
                    format!("execution {id} is cancelled, and {}", show::count(count - 1, "sub-playbook"))
                }
            },
            cancelled_executions: cancelled,
        })),
        // It ended between the two questions.
        Err(error) if error.code == noetl_domain::code::Code::AlreadyFinished => {
            Ok(Answer(already(id, services.known(id).await?.status)))
        }
        Err(error) => Err(error),
    }
}

fn already(id: ExecutionId, status: Status) -> Cancelled {
    Cancelled {
        status: "error".to_owned(),
        execution_id: id,
        cancelled_executions: Vec::new(),
        message: format!("execution {id} has already ended: {}", status.as_str()),
    }
}

/// Forces an end on an Execution that is stuck.
#[utoipa::path(post, path = "/api/executions/{execution_id}/finalize", tag = "executions",
    params(("execution_id" = String, Path)), request_body = FinalizeRequest,
    responses((status = 200, body = Ordered), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn finalize(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(request): Json<FinalizeRequest>,
) -> Result<Answer<Ordered>, ServerError> {
    let id = execution_id(&id)?;
    services.known(id).await?;
    let status = request.status.as_deref().map_or(Ok(Status::Failed), status_named)?;
    if !status.is_final() {
        return Err(ServerError::invalid("an execution cannot be finalized as RUNNING")
            .hint(format!("noetl retry {id} runs a finished one again")));
    }
    services.orchestrator.finalize(id, status, request.reason.or(request.error)).await?;
    Ok(Answer(ordered(id, status, format!("execution {id} is {}", status.as_str()))))
}

/// Runs an Execution that ended again, from what failed or from one step on; other results are kept.
#[utoipa::path(post, path = "/api/executions/{execution_id}/retry", tag = "executions",
    params(("execution_id" = String, Path)), request_body = RetryRequest,
    responses((status = 200, body = Ordered), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn retry(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(request): Json<RetryRequest>,
) -> Result<Answer<Ordered>, ServerError> {
    let id = execution_id(&id)?;
    services.known(id).await?;
    let message = match &request.from {
        Some(step) => format!("execution {id} runs again from {step}"),
        None => format!("execution {id} runs again from what failed"),
    };
    services.orchestrator.retry(id, request.from).await?;
    Ok(Answer(ordered(id, Status::Running, message)))
}

fn ordered(execution_id: ExecutionId, status: Status, message: String) -> Ordered {
    Ordered { execution_id, status: status.as_str().to_owned(), message }
}

/// Cancels Executions in which nothing happened for a while.
#[utoipa::path(post, path = "/api/executions/cleanup", tag = "executions", request_body = CleanupRequest,
    responses((status = 200, body = CleanedUp), (status = 400, body = ErrorBody)))]
pub(super) async fn cleanup(
    State(services): State<Services>,
    Json(request): Json<CleanupRequest>,
) -> Result<Answer<CleanedUp>, ServerError> {
    let age = i64::try_from(request.older_than_minutes.saturating_mul(60_000)).unwrap_or(i64::MAX);
    let silent_since = show::now_ms().saturating_sub(age);
    let mut stale = Vec::new();
    let mut before = None;
    loop {
        let query = SummaryQuery {
            status: Some(Status::Running),
            until_ms: Some(silent_since),
            before,
            limit: Some(500),
            ..SummaryQuery::default()
        };
        let rows = services.store.summaries(query).await?;
        let Some(last) = rows.last() else { break };
        before = Some(last.execution);
        for row in &rows {
            if last_event_ms(&services, row.execution).await? < silent_since {
                stale.push(row.execution);
            }
        }
    }
    let mut done = Vec::new();
    for id in stale {
        if request.dry_run {
            done.push(id);
            continue;
        }
        let reason = format!("nothing happened for {} minutes", request.older_than_minutes);
        match services.orchestrator.cancel(id, Some(reason), true).await {
            Ok(cancelled) => done.extend(cancelled),
            // It ended, or was cancelled with its parent, in between.
            Err(error) if error.code == noetl_domain::code::Code::AlreadyFinished => {}
            Err(error) => return Err(error),
        }
    }
    done.sort_unstable();
    done.dedup();
    let verb = if request.dry_run { "would cancel" } else { "cancelled" };
    Ok(Answer(CleanedUp {
        status: "ok".to_owned(),
        dry_run: request.dry_run,
        count: done.len(),
        message: format!("{verb} {}", show::count(done.len(), "execution")),
        execution_ids: done,
    }))
}

async fn last_event_ms(services: &Services, id: ExecutionId) -> Result<i64, ServerError> {
    let query = EventQuery {
        execution: Some(id),
        limit: Some(1),
        order: Order::NewestFirst,
        ..EventQuery::default()
    };
    let events = services.store.events(query).await?;
    Ok(events.first().map_or(0, |event| event.recorded.at_ms))
}
