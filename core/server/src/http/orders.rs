//! Orders to Executions: cancel, finalize, retry.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::execution::{CancelRequest, Cancelled, FinalizeRequest, Ordered, RetryRequest};
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;

use super::executions::status_named;
use super::request::{Json, Segments, execution_id};
use super::{Services, show};
use crate::error::ServerError;

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
