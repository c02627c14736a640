//! Reading Executions: the list, one in detail, its state.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use noetl_api::error::ErrorBody;
use noetl_api::event::EventFilter;
use noetl_api::execution::{
    CancellationCheck, ExecutionDetail, ExecutionFilter, ExecutionStatus, ExecutionSummary, LoopResults,
    LoopResultsQuery, Pagination, Why,
};
use noetl_domain::Value;
use noetl_domain::event::{Event, Status};
use noetl_domain::id::ExecutionId;
use noetl_domain::result::{ResultKind, Stored};

use super::request::{Params, Segments, execution_id, limit};
use super::{Services, events, show};
use crate::error::ServerError;
use crate::orchestrator::Snapshot;
use crate::store::{EventQuery, EventStore, Order, SummaryQuery};

const USUAL: usize = 100;
const MOST: usize = 1000;
/// A final result above this is answered as its reference.
const RESOLVED: u64 = 4 * 1024 * 1024;

/// Executions, newest first. The `Link` header names the next page.
#[utoipa::path(get, path = "/api/executions", tag = "executions", params(ExecutionFilter),
    responses((status = 200, body = Vec<ExecutionSummary>), (status = 400, body = ErrorBody)))]
pub(super) async fn list(
    State(services): State<Services>,
    Params(filter): Params<ExecutionFilter>,
) -> Result<(HeaderMap, Answer<Vec<ExecutionSummary>>), ServerError> {
    let limit = limit(filter.limit, USUAL, MOST);
    let query = SummaryQuery {
        path: filter.path.clone(),
        catalog_id: filter.catalog_id.clone(),
        status: filter.status.as_deref().map(status_named).transpose()?,
        parent: filter.parent_execution_id.as_deref().map(execution_id).transpose()?,
        before: filter.before.as_deref().map(execution_id).transpose()?,
        text: filter.q.clone(),
        limit: Some(limit),
        offset: filter.offset.unwrap_or(0) as usize,
        ..SummaryQuery::default()
    };
    let rows = services.store.summaries(query).await?;
    let mut headers = HeaderMap::new();
    if let Some(last) = rows.last().filter(|_| rows.len() == limit) {
        let next = ExecutionFilter {
            before: Some(last.execution.to_string()),
            offset: None,
            limit: Some(limit as u32),
            ..filter
        };
        let query = serde_urlencoded::to_string(&next).unwrap_or_default();
        if let Ok(link) = HeaderValue::from_str(&format!("</api/executions?{query}>; rel=\"next\"")) {
            headers.insert(header::LINK, link);
        }
    }
    Ok((headers, Answer(rows.iter().map(show::execution::summary).collect())))
}

/// Reads a status as any generation writes it.
pub(super) fn status_named(text: &str) -> Result<Status, ServerError> {
    match text.trim().to_ascii_uppercase().as_str() {
        "RUNNING" | "STARTED" | "PENDING" => Ok(Status::Running),
        "COMPLETED" | "SUCCESS" => Ok(Status::Completed),
        "FAILED" | "ERROR" => Ok(Status::Failed),
        "CANCELLED" | "CANCELED" => Ok(Status::Cancelled),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(ServerError::invalid(format!("{shown:?} is not a status"))
                .hint("RUNNING, COMPLETED, FAILED or CANCELLED"))
        }
    }
}

/// One Execution with its inputs, its steps and a page of its log.
#[utoipa::path(get, path = "/api/executions/{execution_id}", tag = "executions",
    params(("execution_id" = String, Path), EventFilter),
    responses((status = 200, body = ExecutionDetail), (status = 404, body = ErrorBody)))]
pub(super) async fn detail(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Params(filter): Params<EventFilter>,
) -> Result<Answer<ExecutionDetail>, ServerError> {
    let id = execution_id(&id)?;
    let snapshot = services.orchestrator.snapshot(id).await?;
    let row = services.known(id).await?;
    let page = events::page(&services, id, &filter).await?;
    let mut summary = show::execution::summary(&row);
    summary.result = final_result(&services, &snapshot).await?;
    let execution = &snapshot.execution;
    Ok(Answer(ExecutionDetail {
        playbook_id: row.path.clone(),
        playbook_name: row.path.clone(),
        workload: show::masked_map(&execution.workload),
        variables: show::masked_map(&execution.ctx),
        steps: show::execution::steps(execution),
        trigger: row.trigger.clone(),
        pagination: Pagination {
            page: filter.page.unwrap_or(1).max(1),
            page_size: events::page_limit(&filter) as u32,
            total_events: row.events,
            next_after: page.next_after,
        },
        events: page.events,
        summary,
    }))
}

/// Where an Execution stands, step by step.
#[utoipa::path(get, path = "/api/executions/{execution_id}/status", tag = "executions",
    params(("execution_id" = String, Path)),
    responses((status = 200, body = ExecutionStatus), (status = 404, body = ErrorBody)))]
pub(super) async fn status(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<ExecutionStatus>, ServerError> {
    let snapshot = services.orchestrator.snapshot(execution_id(&id)?).await?;
    let result = final_result(&services, &snapshot).await?;
    let unserved = services.pools.unserved(&snapshot, show::now_ms());
    let why = why(&services, &snapshot).await?;
    Ok(Answer(ExecutionStatus { why, ..show::execution::status(&snapshot, result, unserved) }))
}

/// What the assistant said of the failure: it stands close to the end of the log, or nowhere.
async fn why(services: &Services, snapshot: &Snapshot) -> Result<Option<Why>, ServerError> {
    const LOOKED_AT: usize = 20;
    let execution = &snapshot.execution;
    if execution.status != Status::Failed {
        return Ok(None);
    }
    let query = EventQuery {
        execution: Some(execution.id),
        order: Order::NewestFirst,
        limit: Some(LOOKED_AT),
        ..EventQuery::default()
    };
    for event in services.store.events(query).await? {
        match event.recorded.event {
            Event::DiagnosisMade(diagnosed) => {
                let is_child = diagnosed.root_execution.is_some_and(|root| root != execution.id);
                return Ok(Some(Why {
                    root_step: diagnosed.root_step,
                    root_playbook: diagnosed.root_playbook.filter(|_| is_child),
                    cause: diagnosed.cause,
                    confidence: diagnosed.confidence,
                }));
            }
            Event::ExecutionFinished(_) => break,
            _ => {}
        }
    }
    Ok(None)
}

/// The result of an Execution that ended, masked; null before.
async fn final_result(services: &Services, snapshot: &Snapshot) -> Result<Value, ServerError> {
    if snapshot.execution.finished.is_none() {
        return Ok(Value::Null);
    }
    match snapshot.execution.final_result().map(|result| result.value.clone()) {
        None => Ok(Value::Null),
        Some(Stored::Inline(value)) => Ok(show::masked(value)),
        Some(Stored::Ref(reference)) if reference.bytes <= RESOLVED => {
            Ok(show::masked((*services.results.get(&reference).await?).clone()))
        }
        Some(reference) => Ok(show::masked(show::event::stored(&reference))),
    }
}

/// Whether work for an Execution should stop.
#[utoipa::path(get, path = "/api/executions/{execution_id}/cancellation-check", tag = "executions",
    params(("execution_id" = String, Path)),
    responses((status = 200, body = CancellationCheck), (status = 404, body = ErrorBody)))]
pub(super) async fn cancellation_check(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<CancellationCheck>, ServerError> {
    let row = services.known(execution_id(&id)?).await?;
    let cancelled = row.status == Status::Cancelled;
    Ok(Answer(CancellationCheck {
        execution_id: row.execution,
        status: row.status.as_str().to_owned(),
        cancelled,
        is_cancelled: cancelled,
        completed: row.status == Status::Completed,
        failed: row.status == Status::Failed,
    }))
}

/// The results of a looped step, in item order; of any other step, its result alone.
#[utoipa::path(get, path = "/api/aggregate/loop/results", tag = "results", params(LoopResultsQuery),
    responses((status = 200, body = LoopResults), (status = 404, body = ErrorBody)))]
pub(super) async fn loop_results(
    State(services): State<Services>,
    Params(query): Params<LoopResultsQuery>,
) -> Result<Answer<LoopResults>, ServerError> {
    let id: ExecutionId = execution_id(&query.execution_id)?;
    let snapshot = services.orchestrator.snapshot(id).await?;
    let Some(state) = snapshot.execution.steps.get(&query.step_name) else {
        return Err(ServerError::not_found(format!(
            "execution {id} has not reached a step {:?}",
            query.step_name
        ))
        .hint(format!("noetl execute status {id}")));
    };
    let results = match (&state.result, &state.looped) {
        // A loop that still runs shows what it has.
        (_, Some(looped)) if state.is_active() => {
            serde_json::from_str(&looped.results_json()).unwrap_or_default()
        }
        (Some(result), _) => {
            let value = match &result.value {
                Stored::Inline(value) => value.clone(),
                Stored::Ref(reference) => (*services.results.get(reference).await?).clone(),
            };
            match value {
                Value::Object(mut looped)
                    if matches!(result.kind, ResultKind::Loop | ResultKind::LoopOfPipelines) =>
                {
                    match looped.remove("results") {
                        Some(Value::Array(results)) => results,
                        _ => Vec::new(),
                    }
                }
                Value::Array(results) => results,
                Value::Null => Vec::new(),
                other => vec![other],
            }
        }
        (None, _) => Vec::new(),
    };
    Ok(Answer(LoopResults {
        status: "ok".to_owned(),
        execution_id: id.to_string(),
        step_name: query.step_name,
        count: results.len(),
        results: results.into_iter().map(show::masked).collect(),
    }))
}
