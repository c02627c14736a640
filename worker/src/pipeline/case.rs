//! `case` of dialect C: the first true entry for a call answers it.
//!
//! What concerns the call itself (again, retry, collect, save) is done here; the rest (next, set, result, call, fail,
//! skip) is the control plane's, which is told which entry matched.

use std::sync::Arc;

use noetl_domain::Value;
use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Action, Case, Task};
use noetl_domain::template::{self, Scope, View};

use super::progress::{Progress, Stage};
use super::repeat::{collect, lay_over};
use super::{Pipeline, Stop};
use crate::job::now_ms;
use crate::retry::{self, Verdict};
use crate::{fields, save};

/// An engine of the time stopped here, too.
const MOST_CALLS: i64 = 100_000;

/// Where answers are collected when no name is given.
const UNNAMED: &str = "_collected";

pub(super) async fn answer<'j>(
    pipeline: &mut Pipeline<'j>,
    task: &'j Task,
    first: Arc<StepResult>,
    mut progress: Progress,
) -> Result<Arc<StepResult>, Stop> {
    let cases = &pipeline.step.cases;
    let mut outcome = first;
    let mut calls = progress.count + 1;
    pipeline.collected.append(&mut progress.collected);
    progress.stage = Stage::Cases;
    let mut after = 0;
    let mut collected = false;
    while let Some(index) = matching(pipeline, &outcome, calls, after).await? {
        let mut again = None;
        for action in &cases[index].then {
            match action {
                Action::Collect { merge, path, into } => {
                    if !collected {
                        let name = into.as_deref().unwrap_or(UNNAMED);
                        let mut merged = pipeline.collected.remove(name).unwrap_or(Value::Array(Vec::new()));
                        collect(&mut merged, &outcome, *merge, path.as_deref());
                        pipeline.collected.insert(name.to_owned(), merged);
                        collected = true;
                    }
                }
                Action::Save(block) => {
                    let scope = scope(pipeline, &outcome, calls, "call.done");
                    let blocks = std::slice::from_ref(block);
                    let failed = outcome.error.is_some();
                    if let Err(error) = save::run(pipeline, blocks, &scope, failed, task.auth.as_ref()).await
                    {
                        return Ok(Arc::new(super::failed(error)));
                    }
                }
                Action::Again { next, max_pages } => {
                    let scope = scope(pipeline, &outcome, calls, "call.done");
                    let most = pipeline.base.value(pipeline.job, &scope, max_pages).await?;
                    if calls < fields::integer(&most).unwrap_or(100).clamp(1, MOST_CALLS) {
                        let next = pipeline.base.map(pipeline.job, &scope, next).await?;
                        lay_over(&mut progress.changes, next);
                        pipeline.state.attempt = 0;
                        again = Some(0.0);
                    }
                }
                Action::Retry(block) => {
                    // The entry's own condition has matched: the block applies whatever the outcome is.
                    let mut block = block.clone();
                    block.when.get_or_insert_with(|| noetl_domain::playbook::Expr("true".into()));
                    let attempt = pipeline.state.attempt;
                    if let Verdict::Again(delay) =
                        retry::judge(pipeline, std::slice::from_ref(&block), &outcome, attempt).await?
                    {
                        again = Some(delay);
                    }
                }
                Action::Next(_)
                | Action::Set(_)
                | Action::Result(_)
                | Action::Call { .. }
                | Action::Fail(_)
                | Action::Skip => {}
            }
        }
        let Some(delay) = again else {
            if is_for_control(&cases[index]) || outcome.error.is_none() && !repeats(&cases[index]) {
                pipeline.case = Some(index);
                break;
            }
            // Its tries or pages are used up: a later entry may say what follows.
            after = index + 1;
            continue;
        };
        let Some(delay) = pipeline.grant(delay, &outcome) else {
            outcome = pipeline.spent(&outcome);
            // As when its tries are used up.
            after = index + 1;
            continue;
        };
        progress.count = calls;
        progress.collected = std::mem::take(&mut pipeline.collected);
        // After an answer that was good this is the next page, not another try.
        let waited =
            if outcome.error.is_some() { pipeline.again(delay).await } else { pipeline.wait(delay).await };
        outcome = pipeline.proceed(task, waited, &progress).await?;
        pipeline.collected = std::mem::take(&mut progress.collected);
        (calls, after, collected) = (calls + 1, 0, false);
    }
    Ok(match pipeline.collected.remove(UNNAMED) {
        Some(merged) if outcome.error.is_none() => Arc::new(StepResult {
            value: noetl_domain::result::Stored::Inline(merged),
            kind: noetl_domain::result::ResultKind::Plain,
            ..StepResult::clone(&outcome)
        }),
        _ => outcome,
    })
}

/// The first entry from `after` on that is true for this outcome.
async fn matching(
    pipeline: &Pipeline<'_>,
    outcome: &Arc<StepResult>,
    calls: i64,
    after: usize,
) -> Result<Option<usize>, TaskError> {
    for (index, case) in pipeline.step.cases.iter().enumerate().skip(after) {
        let Some(when) = &case.when else {
            // `else` answers what came back, not what went wrong, unless it says how.
            if outcome.error.is_none()
                || case.then.iter().any(|action| matches!(action, Action::Fail(_) | Action::Retry(_)))
            {
                return Ok(Some(index));
            }
            continue;
        };
        let events: &[&str] = match &outcome.error {
            None => &["call.done"],
            // Early builds knew a failed call as `call.done` with `error` set.
            Some(_) if when.0.contains("error") => &["call.error", "call.done"],
            Some(_) => &["call.error"],
        };
        for event in events {
            let scope = scope(pipeline, outcome, calls, event);
            if pipeline.base.test(pipeline.job, &scope, when).await? {
                return Ok(Some(index));
            }
        }
    }
    Ok(None)
}

fn scope(pipeline: &Pipeline<'_>, outcome: &Arc<StepResult>, calls: i64, event: &str) -> Scope {
    let mut scope = pipeline.with_outcome(outcome);
    let payload = template::outcome_view(retry::status(outcome), Arc::clone(outcome), None).this;
    scope.bind("event", template::event_view(&[event], &pipeline.step.name, payload, now_ms()));
    for name in ["iteration", "page", "pages"] {
        scope.bind(name, View::number(calls));
    }
    for (name, value) in &pipeline.collected {
        scope.bind_json(name, value);
    }
    scope
}

fn is_for_control(case: &Case) -> bool {
    case.then.iter().any(|action| {
        matches!(
            action,
            Action::Next(_)
                | Action::Set(_)
                | Action::Result(_)
                | Action::Call { .. }
                | Action::Fail(_)
                | Action::Skip
        )
    })
}

fn repeats(case: &Case) -> bool {
    case.then.iter().any(|action| matches!(action, Action::Again { .. } | Action::Retry(_)))
}
