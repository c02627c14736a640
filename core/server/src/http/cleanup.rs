//! Tidying up: cancels Executions that fell silent, deletes those that ended long ago.

use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::execution::{CleanedUp, CleanupRequest};
use noetl_domain::code::Code;
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;

use super::request::Json;
use super::{Services, show};
use crate::error::ServerError;
use crate::store::{EventQuery, EventStore, Order, SummaryQuery, retention};

/// After so many minutes a running Execution counts as silent.
const SILENT: u64 = 60;

/// Cancels Executions in which nothing happened for a while, or deletes those that ended long ago.
#[utoipa::path(post, path = "/api/executions/cleanup", tag = "executions", request_body = CleanupRequest,
    responses((status = 200, body = CleanedUp), (status = 400, body = ErrorBody)))]
pub(super) async fn cleanup(
    State(services): State<Services>,
    Json(request): Json<CleanupRequest>,
) -> Result<Answer<CleanedUp>, ServerError> {
    let dry_run = request.dry_run;
    let keep = request.delete_older_than_days.map(days).transpose()?;
    let silent = request.older_than_minutes.or(keep.is_none().then_some(SILENT));
    let mut said = Vec::new();
    let mut execution_ids = Vec::new();
    if let Some(minutes) = silent {
        execution_ids = cancel_silent(&services, minutes, dry_run).await?;
        let verb = if dry_run { "would cancel" } else { "cancelled" };
        said.push(format!("{verb} {}", show::count(execution_ids.len(), "execution")));
    }
    let mut deleted = 0;
    if let Some(keep) = keep {
        let before_ms = retention::before(keep);
        deleted = if dry_run {
            services.store.count_finished(before_ms).await?
        } else {
            retention::delete_finished(&*services.store, &services.results, &services.orchestrator, before_ms)
                .await?
        };
        let verb = if dry_run { "would delete" } else { "deleted" };
        said.push(format!(
            "{verb} {}",
            show::count(usize::try_from(deleted).unwrap_or(usize::MAX), "execution")
        ));
    }
    Ok(Answer(CleanedUp {
        status: "ok".to_owned(),
        dry_run,
        count: execution_ids.len(),
        message: said.join(", "),
        execution_ids,
        deleted,
    }))
}

fn days(days: f64) -> Result<Duration, ServerError> {
    Duration::try_from_secs_f64(days * 86_400.0).map_err(|_| {
        ServerError::invalid(format!("`delete_older_than_days` is {days}, which is no span of time"))
            .hint("give a number of days from 0 on, such as 30")
    })
}

/// Cancels, or only finds, what runs and was silent for so long; returns which.
async fn cancel_silent(
    services: &Services,
    minutes: u64,
    dry_run: bool,
) -> Result<Vec<ExecutionId>, ServerError> {
    let mut found = silent(services, minutes).await?;
    if dry_run {
        found.sort_unstable();
        return Ok(found);
    }
    let mut done = Vec::new();
    for id in found {
        let reason = format!("nothing happened for {minutes} minutes");
        match services.orchestrator.cancel(id, Some(reason), true).await {
            Ok(cancelled) => done.extend(cancelled),
            // It ended, or was cancelled with its parent, in between.
            Err(error) if error.code == Code::AlreadyFinished => {}
            Err(error) => return Err(error),
        }
    }
    done.sort_unstable();
    done.dedup();
    Ok(done)
}

async fn silent(services: &Services, minutes: u64) -> Result<Vec<ExecutionId>, ServerError> {
    let age = i64::try_from(minutes.saturating_mul(60_000)).unwrap_or(i64::MAX);
    let since = show::now_ms().saturating_sub(age);
    let mut silent = Vec::new();
    let mut before = None;
    loop {
        let query = SummaryQuery {
            status: Some(Status::Running),
            until_ms: Some(since),
            before,
            limit: Some(500),
            ..SummaryQuery::default()
        };
        let rows = services.store.summaries(query).await?;
        let Some(last) = rows.last() else { return Ok(silent) };
        before = Some(last.execution);
        for row in &rows {
            if last_event_ms(services, row.execution).await? < since {
                silent.push(row.execution);
            }
        }
    }
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
