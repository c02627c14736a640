//! Works on one Command and answers with one Report.

mod frame;

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt as _};
use noetl_domain::code::Code;
use noetl_domain::command::{Command, Item, StepResult, Work};
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{ItemFailure, SetScope};
use noetl_domain::report::{ItemReport, Outcome, Report};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::template::{self, Scope};
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::job::{Job, LogSink, Services, now_ms};
use crate::pipeline::{Iteration, Pipeline};
use crate::registry;
use crate::save;
use crate::scope::{Base, has_template};
use crate::slot::Slot;

/// Works on a Command outside of a worker's loop, with nothing limiting it.
pub async fn execute(
    services: Arc<Services>,
    command: Command,
    cancel: CancellationToken,
    sink: LogSink,
) -> Report {
    work(Job::new(services, command, cancel, Slot::unlimited(), sink)).await
}

pub(crate) async fn work(job: Job) -> Report {
    let started_ms = now_ms();
    let mut claimed = None;
    let items = match Base::new(&job).await {
        Err(error) => refused(&job, error, &mut claimed),
        Ok(base) => match &job.command.work {
            Work::Once { resume } => {
                vec![Pipeline::new(&job, &base, base.scope.child(), None, resume.clone()).run().await]
            }
            Work::Items { items, total, concurrency } => {
                many(&job, &base, items, Some(*total), *concurrency, is_fail_fast(&job)).await
            }
            Work::Frame { lane, max_rows } => {
                let frame = frame::run(&job, &base, *lane, *max_rows).await;
                claimed = Some(frame.claimed);
                frame.items
            }
            Work::Saves { result } => vec![saves(&job, &base, result).await],
        },
    };
    let (runs, items) = if matches!(job.command.work, Work::Items { .. } | Work::Frame { .. }) {
        Report::compact(items)
    } else {
        (Vec::new(), items)
    };
    Report {
        id: job.command.id.clone(),
        attempt: job.command.attempt,
        worker: job.services.config.name.clone(),
        started_ms,
        finished_ms: now_ms(),
        runs,
        items,
        claimed,
        undefined: job.undefined(),
        usage: job.meter.total(),
    }
}

/// The answer to a Command whose work came apart.
pub(crate) fn broken(command: &Command, worker: &str, message: &str) -> Report {
    let error = TaskError::new("internal", message).with_code(Code::Internal.as_str());
    let now = now_ms();
    let outcome = Outcome::Error { error, kind: ResultKind::Plain, result: Stored::default() };
    let first = match &command.work {
        Work::Items { items, .. } => items.first().map_or(0, |item| item.index),
        Work::Once { .. } | Work::Frame { .. } | Work::Saves { .. } => 0,
    };
    Report {
        id: command.id.clone(),
        attempt: command.attempt,
        worker: worker.to_owned(),
        started_ms: now,
        finished_ms: now,
        runs: Vec::new(),
        items: vec![ItemReport { index: first, outcome, ..ItemReport::default() }],
        claimed: matches!(command.work, Work::Frame { .. }).then_some(0),
        undefined: Vec::new(),
        usage: Usage::default(),
    }
}

/// Nothing can run: the keychain does not open, for example.
fn refused(job: &Job, mut error: TaskError, claimed: &mut Option<u64>) -> Vec<ItemReport> {
    job.conceal_error(&mut error);
    let outcome = Outcome::Error { error, kind: ResultKind::Plain, result: Stored::default() };
    let one = |index: u64| ItemReport { index, outcome: outcome.clone(), ..ItemReport::default() };
    match &job.command.work {
        Work::Items { items, .. } if is_fail_fast(job) => {
            items.iter().take(1).map(|item| one(item.index)).collect()
        }
        Work::Items { items, .. } => items.iter().map(|item| one(item.index)).collect(),
        Work::Frame { .. } => {
            *claimed = Some(0);
            vec![one(0)]
        }
        Work::Once { .. } | Work::Saves { .. } => vec![one(0)],
    }
}

fn is_fail_fast(job: &Job) -> bool {
    job.command.step.looped.as_ref().is_none_or(|looped| looped.on_item_failure == ItemFailure::FailFast)
}

/// Iterations, `concurrency` of them side by side. Those that did not run are left out of the answer.
async fn many(
    job: &Job,
    base: &Base,
    items: &[Item],
    total: Option<u64>,
    concurrency: u32,
    fail_fast: bool,
) -> Vec<ItemReport> {
    if let Some(outcome) = constant(job) {
        let one =
            |item: &Item| ItemReport { index: item.index, outcome: outcome.clone(), ..ItemReport::default() };
        return items.iter().map(one).collect();
    }
    if concurrency <= 1 {
        return in_turn(job, base, items, total, fail_fast).await;
    }
    let mut reports = Vec::with_capacity(items.len());
    let mut waiting = items.iter();
    let mut running = FuturesUnordered::new();
    let mut stopped = false;
    loop {
        while !stopped && running.len() < concurrency as usize && !job.cancel.is_cancelled() {
            let Some(item) = waiting.next() else { break };
            running.push(one(job, base, base.scope.child(), item, total));
        }
        let Some(report) = running.next().await else { break };
        stopped |= fail_fast && matches!(report.outcome, Outcome::Error { .. });
        reports.push(report);
    }
    reports.sort_unstable_by_key(|report: &ItemReport| report.index);
    reports
}

/// One after the other: each sees what the one before it wrote to ctx.
async fn in_turn(
    job: &Job,
    base: &Base,
    items: &[Item],
    total: Option<u64>,
    fail_fast: bool,
) -> Vec<ItemReport> {
    let mut reports = Vec::with_capacity(items.len());
    let mut scope = base.scope.child();
    for item in items {
        if job.cancel.is_cancelled() {
            break;
        }
        let report = one(job, base, scope.child(), item, total).await;
        for (key, value) in &report.ctx {
            let mut value = value.clone();
            job.reveal(&mut value);
            scope.set(SetScope::Ctx, key, &value);
        }
        let (stops, waits) = match &report.outcome {
            Outcome::Error { .. } => (fail_fast, false),
            Outcome::Parked { .. } | Outcome::Cancelled => (true, true),
            Outcome::Ok { .. } => (false, false),
        };
        let until =
            if stops || waits { Ok(false) } else { is_done(job, base, &scope, item, &report, total).await };
        reports.push(report);
        match until {
            Ok(false) if !stops => {}
            Ok(false) => break,
            Ok(true) => {
                // An Iteration left out tells the control plane that the loop is over; behind the last one of a batch
                // there is none to leave out, so the next one is told as not run.
                if items.last().is_some_and(|last| last.index == item.index) {
                    let outcome = Outcome::Cancelled;
                    reports.push(ItemReport { index: item.index + 1, outcome, ..ItemReport::default() });
                }
                break;
            }
            Err(error) => {
                if let Some(last) = reports.last_mut() {
                    let result = Stored::default();
                    last.outcome = Outcome::Error { error, kind: ResultKind::Plain, result };
                }
                break;
            }
        }
    }
    reports
}

/// Whether `until` is true after this Iteration.
async fn is_done(
    job: &Job,
    base: &Base,
    scope: &Scope,
    item: &Item,
    report: &ItemReport,
    total: Option<u64>,
) -> Result<bool, TaskError> {
    let Some(looped) = &job.command.step.looped else { return Ok(false) };
    let Some(until) = &looped.until else { return Ok(false) };
    let mut scope = scope.child();
    template::bind_iteration(&mut scope, &looped.iterator, &item.value, item.index, total);
    let (status, error, kind, value) = match &report.outcome {
        Outcome::Ok { kind, result } => ("ok", None, *kind, result.clone()),
        Outcome::Error { error, kind, result } => ("error", Some(error.clone()), *kind, result.clone()),
        Outcome::Parked { .. } | Outcome::Cancelled => return Ok(false),
    };
    let result = StepResult { kind, status: String::new(), value, error };
    let result = Arc::new(result);
    template::outcome_view(status, Arc::clone(&result), None).bind(&mut scope);
    scope.bind(&job.command.step.name, template::View::result(result));
    base.test(job, &scope, until).await
}

async fn one(job: &Job, base: &Base, scope: Scope, item: &Item, total: Option<u64>) -> ItemReport {
    // A row of a cursor travels with the parked pipeline, as nothing else keeps it.
    let row = item.resume.as_ref().and_then(|resume| resume.state.extra.get(frame::ROW)).cloned();
    let value = row.as_ref().unwrap_or(&item.value);
    let iteration = Iteration { index: item.index, value, total };
    Pipeline::new(job, base, scope, Some(iteration), item.resume.clone()).run().await
}

/// The outcome of a body that is the same for every Iteration: a lone noop that reads and writes nothing.
fn constant(job: &Job) -> Option<Outcome> {
    let step = &job.command.step;
    let [task] = step.body.as_slice() else { return None };
    let is_plain = registry::canonical(&task.kind) == "noop"
        && !step.pipeline
        && step.cases.is_empty()
        && step.looped.as_ref().is_none_or(|looped| looped.until.is_none())
        && task.sets.is_empty()
        && task.rules.is_empty()
        && task.saves.is_empty()
        && task.repeat.is_none()
        && task.retry.is_empty()
        && step.retry.is_empty()
        && !task.config.values().any(has_template);
    let result = match (is_plain, task.config.get("result"), task.config.get("message")) {
        (false, ..) => return None,
        (true, Some(result), _) if !result.is_null() => result.clone(),
        (true, _, Some(message)) => serde_json::json!({"status": "ok", "message": message}),
        (true, _, None) => serde_json::json!({"status": "ok"}),
    };
    Some(Outcome::Ok { kind: ResultKind::Plain, result: Stored::Inline(result) })
}

/// The saves of a looped step, once, after all of its Iterations.
async fn saves(job: &Job, base: &Base, result: &StepResult) -> ItemReport {
    let step = &job.command.step;
    let mut pipeline = Pipeline::new(job, base, base.scope.child(), None, None);
    let outcome = Arc::new(result.clone());
    let scope = pipeline.with_outcome(&outcome);
    let auth = step.body.first().and_then(|task| task.auth.as_ref());
    let failed = result.error.is_some();
    let saved = save::run(&mut pipeline, &step.saves, &scope, failed, auth).await;
    let mut ctx: Map = std::mem::take(&mut pipeline.state.ctx);
    job.conceal_map(&mut ctx);
    let outcome = match saved {
        Ok(()) => Outcome::Ok { kind: result.kind, result: result.value.clone() },
        Err(mut error) => {
            job.conceal_error(&mut error);
            Outcome::Error { error, kind: result.kind, result: result.value.clone() }
        }
    };
    ItemReport { outcome, ctx, ..ItemReport::default() }
}

/// Rows of a SQL result.
fn rows_of(value: &Value) -> Vec<Value> {
    match value.get("rows").unwrap_or(value) {
        Value::Array(rows) => rows.clone(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
