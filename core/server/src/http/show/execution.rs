//! Executions as lists and states show them, in both generations' field names.

use noetl_api::execution::{
    ExecutionStatus, ExecutionSummary, LoopProgress, Progress, StepError, StepState as StepBody,
    UnservedPool, Warning,
};
use noetl_domain::Value;
use noetl_domain::error::TaskError;
use noetl_domain::event::{LoopItems, Status};
use noetl_domain::execution::{Execution, LoopState, Phase, StepState};

use super::{masked, masked_map, masked_text, seconds, time};
use crate::http::show::event::stored;
use crate::orchestrator::Snapshot;
use crate::store::Summary;

pub(in crate::http) fn summary(row: &Summary) -> ExecutionSummary {
    let started = time(row.started_ms);
    let finished = row.finished_ms.map(time);
    ExecutionSummary {
        execution_id: row.execution,
        id: row.execution,
        catalog_id: row.catalog_id.clone(),
        path: row.path.clone(),
        version: row.version,
        status: row.status.as_str().to_owned(),
        parent_execution_id: row.parent,
        started_at: started.clone(),
        completed_at: finished.clone(),
        start_time: started,
        end_time: finished,
        duration: seconds(row.started_ms, row.finished_ms),
        progress: per_cent(row.status, row.counts.completed, row.counts.total),
        event_count: row.events,
        result: row.result.as_ref().map(|result| masked(stored(result))).unwrap_or_default(),
        error: row.error.as_ref().map(|error| masked_text(&error.message)),
    }
}

fn per_cent(status: Status, done: u64, total: u64) -> u32 {
    match (status, total) {
        (Status::Completed, _) => 100,
        (_, 0) => 0,
        // A step that runs again counts once, so the ratio may pass one for a moment.
        (_, total) => (done * 100 / total).min(99) as u32,
    }
}

/// `result` is the final one, resolved and masked.
pub(in crate::http) fn status(
    snapshot: &Snapshot,
    result: Value,
    unserved: Vec<UnservedPool>,
) -> ExecutionStatus {
    let execution = &snapshot.execution;
    let steps = steps(execution);
    let finished = execution.finished.as_ref();
    let finished_ms = finished.map(|_| execution.updated_ms);
    let named = |status: &str| -> Vec<String> {
        steps.iter().filter(|step| step.status == status).map(|step| step.name.clone()).collect()
    };
    let completed_steps = named("COMPLETED");
    let failed_steps = named("FAILED");
    let skipped = named("SKIPPED").len() as u32;
    let progress = Progress {
        total_steps: snapshot.total_steps.map_or(steps.len(), |total| total as usize) as u32,
        completed_steps: completed_steps.len() as u32,
        running_steps: named("RUNNING").len() as u32,
        failed_steps: failed_steps.len() as u32,
        skipped_steps: skipped,
    };
    ExecutionStatus {
        execution_id: execution.id,
        path: execution.requested.path.clone(),
        version: execution.requested.version,
        status: execution.status.as_str().to_owned(),
        current_step: current_step(execution),
        progress,
        completed: execution.status == Status::Completed,
        failed: execution.status == Status::Failed,
        is_cancelled: execution.status == Status::Cancelled,
        completed_steps,
        failed_steps,
        handled_failures: execution.handled.clone(),
        warnings: execution
            .warnings
            .iter()
            .map(|(step, message)| Warning { step: step.clone(), message: masked_text(message) })
            .collect(),
        variables: masked_map(&execution.ctx),
        steps,
        result,
        error: finished.and_then(|finished| {
            let error = finished.error.as_ref()?;
            Some(StepError { step: finished.failed_steps.first().cloned(), ..task_error(error) })
        }),
        why: None,
        reason: finished.and_then(|finished| finished.reason.clone()),
        started_at: time(execution.started_ms),
        completed_at: finished_ms.map(time),
        duration: seconds(execution.started_ms, finished_ms),
        in_flight: execution.flights().count() as u64,
        waiting: waiting(execution),
        unserved,
        event_count: execution.seq,
    }
}

/// Steps that were entered or skipped, in that order.
pub(in crate::http) fn steps(execution: &Execution) -> Vec<StepBody> {
    execution.steps.iter().filter_map(|(name, state)| step(execution.status, name, state)).collect()
}

fn step(of: Status, name: &str, state: &StepState) -> Option<StepBody> {
    let error = state.result.as_ref().and_then(|result| result.error.as_ref());
    let status = match state.phase {
        Phase::Idle => return None,
        // It did not fail: it was stopped with its Execution.
        Phase::Failed if of == Status::Cancelled && error.is_none() => "CANCELLED",
        Phase::Running | Phase::Saving => "RUNNING",
        Phase::Completed => "COMPLETED",
        Phase::Failed => "FAILED",
        Phase::Skipped => "SKIPPED",
    };
    let started = state.started_ms > 0;
    let finished_ms = state.finished_ms.filter(|_| !state.is_active());
    Some(StepBody {
        name: name.to_owned(),
        status: status.to_owned(),
        run: state.run,
        started_at: started.then(|| time(state.started_ms)),
        completed_at: finished_ms.map(time),
        duration: started.then(|| seconds(state.started_ms, finished_ms)),
        error: error.filter(|_| !state.is_active()).map(task_error),
        retries: state.retries,
        iterations: state.looped.as_ref().map(iterations),
    })
}

fn iterations(looped: &LoopState) -> LoopProgress {
    LoopProgress {
        total: match looped.items {
            LoopItems::Cursor { .. } => None,
            LoopItems::List(_) | LoopItems::Range(_) => Some(looped.total()),
        },
        done: looped.stats.success + looped.stats.failed,
        failed: looped.stats.failed,
    }
}

fn waiting(execution: &Execution) -> Vec<String> {
    use noetl_domain::report::Wait;
    let mut waiting = Vec::new();
    for name in &execution.active {
        let Some(state) = execution.steps.get(name) else { continue };
        // A loop may park thousands; a person reads a few.
        for parked in state.parked.values().take(10) {
            waiting.push(match (&parked.on, parked.child) {
                (Wait::Timer { seconds }, _) => format!("{name}: a timer of {seconds} s"),
                (Wait::Child(request), Some(child)) => {
                    format!("{name}: execution {child} of {}", request.path)
                }
                (Wait::Child(request), None) => format!("{name}: the start of {}", request.path),
            });
        }
    }
    waiting
}

fn current_step(execution: &Execution) -> Option<String> {
    let newest = |active: bool| {
        let steps = execution.steps.iter().filter(|(_, state)| !active || state.is_active());
        steps.max_by_key(|(_, state)| state.started_ms).map(|(name, _)| name.clone())
    };
    newest(true).or_else(|| newest(false))
}

pub(in crate::http) fn task_error(error: &TaskError) -> StepError {
    let mut body = StepError::from(error.clone());
    body.message = masked_text(&body.message);
    body.details = masked(body.details);
    body.notes.iter_mut().for_each(|note| *note = masked_text(note));
    body
}
