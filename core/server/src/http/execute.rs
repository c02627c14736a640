//! Starting Executions.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use futures::StreamExt;
use noetl_api::error::ErrorBody;
use noetl_api::execute::{BatchEntry, BatchExecuted, ExecuteBatch, ExecuteRequest, Executed, RunStarted};
use noetl_domain::{Map, Value};

use super::request::{Json, Segments};
use super::{Services, catalog, show};
use crate::error::ServerError;
use crate::orchestrator::{Dedup, Start, Started};

const BATCH: usize = 1000;
/// Starts of one batch side by side; their commits share a sync to disk.
const SIDE_BY_SIDE: usize = 64;

/// Starts an Execution and answers once it is in the log.
#[utoipa::path(post, path = "/api/execute", tag = "executions", request_body = ExecuteRequest,
    responses((status = 200, body = Executed), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(super) async fn execute(
    State(services): State<Services>,
    Json(request): Json<ExecuteRequest>,
) -> Result<Answer<Executed>, ServerError> {
    start(&services, request).await.map(Answer)
}

/// The same as [`execute`], under an older address.
#[utoipa::path(post, path = "/api/executions/run", tag = "executions", request_body = ExecuteRequest,
    responses((status = 200, body = Executed), (status = 404, body = ErrorBody)))]
pub(super) async fn executions_run(
    services: State<Services>,
    request: Json<ExecuteRequest>,
) -> Result<Answer<Executed>, ServerError> {
    execute(services, request).await
}

/// Starts an Execution of a resource of some type; playbooks are what can be run.
#[utoipa::path(post, path = "/api/run/{type}", tag = "executions",
    params(("type" = String, Path, description = "`playbook`")), request_body = ExecuteRequest,
    responses((status = 200, body = RunStarted), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn run(
    State(services): State<Services>,
    Segments(kind): Segments<String>,
    Json(request): Json<ExecuteRequest>,
) -> Result<Answer<RunStarted>, ServerError> {
    if !matches!(kind.to_ascii_lowercase().as_str(), "playbook" | "playbooks") {
        return Err(ServerError::invalid("only a playbook can be run").hint("POST /api/run/playbook"));
    }
    let executed = start(&services, request).await?;
    let name = executed.path.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Answer(RunStarted {
        name,
        kind: "playbook".to_owned(),
        timestamp: show::time(show::now_ms()),
        executed,
    }))
}

/// Starts up to 1,000 Executions; one that cannot start does not keep the others from it.
#[utoipa::path(post, path = "/api/execute/batch", tag = "executions", request_body = ExecuteBatch,
    responses((status = 200, body = BatchExecuted), (status = 400, body = ErrorBody)))]
pub(super) async fn batch(
    State(services): State<Services>,
    Json(batch): Json<ExecuteBatch>,
) -> Result<Answer<BatchExecuted>, ServerError> {
    if batch.executions.is_empty() || batch.executions.len() > BATCH {
        return Err(ServerError::invalid(format!("`executions` holds 1 to {BATCH} requests"))
            .with_status(StatusCode::BAD_REQUEST));
    }
    let starts = batch.executions.into_iter().map(|request| start(&services, request));
    let answers: Vec<_> = futures::stream::iter(starts).buffered(SIDE_BY_SIDE).collect().await;
    let results: Vec<BatchEntry> = answers.into_iter().enumerate().map(entry).collect();
    let count = |status: &str| results.iter().filter(|entry| entry.status == status).count();
    Ok(Answer(BatchExecuted {
        count: results.len(),
        started: count("started"),
        duplicates: count("duplicate"),
        failed: count("failed"),
        results,
    }))
}

fn entry((index, answer): (usize, Result<Executed, ServerError>)) -> BatchEntry {
    match answer {
        Ok(executed) => BatchEntry {
            index,
            status: executed.status,
            execution_id: Some(executed.execution_id),
            error: None,
        },
        Err(error) => {
            BatchEntry { index, status: "failed".to_owned(), execution_id: None, error: Some(error.body()) }
        }
    }
}

async fn start(services: &Services, request: ExecuteRequest) -> Result<Executed, ServerError> {
    let payload = request.inputs();
    let trace = trace_of(&request);
    let version = catalog::number(request.version.as_ref())?;
    let path = request.path.or(request.playbook_id).filter(|path| !path.trim().is_empty());
    if path.is_none() && request.catalog_id.is_none() {
        return Err(ServerError::invalid("name a playbook by `path` or `catalog_id`")
            .hint("noetl catalog list playbook"));
    }
    let start = Start {
        path,
        catalog_id: request.catalog_id,
        version,
        payload,
        merge: request.merge,
        trigger: request.trigger.unwrap_or_else(|| "api".to_owned()),
        parent: None,
        dedup: request
            .dedup
            .map(|dedup| Dedup { key: dedup.key, window_seconds: Some(dedup.window_secs as f64) }),
        target: request.target,
        trace,
    };
    services.orchestrator.start(start).await.map(executed)
}

/// What a caller tells about where the request comes from, kept with the Execution.
fn trace_of(request: &ExecuteRequest) -> Value {
    let mut trace = match &request.trace {
        Value::Object(trace) => trace.clone(),
        Value::Null => Map::new(),
        other => [("trace_id".to_owned(), other.clone())].into_iter().collect(),
    };
    let parent = request.parent_execution_id.map_or(Value::Null, |id| Value::String(id.to_string()));
    let pool = request.execution_pool.clone().map_or(Value::Null, Value::String);
    for (name, value) in [
        ("parent_execution_id", &parent),
        ("execution_pool", &pool),
        ("context", &request.context),
        ("metadata", &request.metadata),
    ] {
        if !value.is_null() {
            trace.insert(name.to_owned(), value.clone());
        }
    }
    if trace.is_empty() { Value::Null } else { Value::Object(trace) }
}

fn executed(started: Started) -> Executed {
    Executed {
        execution_id: started.execution_id,
        id: started.execution_id,
        status: if started.duplicate { "duplicate" } else { "started" }.to_owned(),
        path: started.path,
        version: started.version,
        catalog_id: started.catalog_id,
        commands_generated: u32::from(!started.duplicate),
    }
}
