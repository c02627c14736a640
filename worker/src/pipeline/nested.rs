//! A loop inside a pipeline: the body runs for every element right here, and the results become one list.
//!
//! Nothing of it is in the log until the pipeline around it ends, so it holds a bounded number of elements.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use noetl_domain::Value;
use noetl_domain::code::Code;
use noetl_domain::command::{PipelineState, StepResult, Wake};
use noetl_domain::error::TaskError;
use noetl_domain::event::LoopItems;
use noetl_domain::execution::collection;
use noetl_domain::playbook::{ItemFailure, Loop, SetScope, Step, Task};
use noetl_domain::report::Wait;
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::template::{self, Scope, View};
use serde_json::json;

use super::{Iteration, Pipeline, Stop};
use crate::retry::status;

/// Elements of one inner loop at most.
const MOST: usize = 100_000;

/// How one element ended, and the variables it wrote.
struct Ended {
    index: usize,
    end: Result<Arc<StepResult>, Stop>,
    state: PipelineState,
}

/// Runs the loop that stands in the place of a tool.
pub(super) async fn run<'j>(
    outer: &mut Pipeline<'j>,
    task: &'j Task,
    inner: &'j Step,
) -> Result<StepResult, Stop> {
    let Some(looped) = &inner.looped else {
        return Err(TaskError::new("config", "this task has nothing to loop over").into());
    };
    let mut scope = outer.scope.child();
    scope.bind("_task", View::text(task.name.clone()));
    scope.bind("_attempt", View::number(outer.state.attempt));
    let (items, concurrency) = elements(outer, looped, &scope).await?;
    let mut ended = if concurrency <= 1 {
        in_turn(outer, inner, looped, &scope, &items).await?
    } else {
        side_by_side(outer, inner, looped, &scope, &items, concurrency as usize).await
    };
    ended.sort_unstable_by_key(|ended| ended.index);
    let mut results = Vec::with_capacity(ended.len());
    let mut failures = Vec::new();
    for Ended { end, state, .. } in ended {
        for (scope, written) in [(SetScope::Ctx, state.ctx), (SetScope::Step, state.step)] {
            for (key, value) in written {
                outer.write(scope, &key, value);
            }
        }
        match end {
            Ok(result) => results.push(inline(outer, &result).await?),
            Err(Stop::Failed(result)) => {
                let error = result.error.clone().unwrap_or_default();
                results.push(json!({ "status": "error", "error": error }));
                failures.push(error);
            }
            Err(stop @ (Stop::Cancelled | Stop::Parked(_))) => return Err(stop),
        }
    }
    let (failed, total) = (failures.len(), items.len());
    let error = failures.into_iter().next().filter(|_| looped.on_item_failure == ItemFailure::FailFast);
    let error = error.map(|error| TaskError {
        message: format!("{failed} of {total} iterations failed, the first one with: {}", error.message),
        ..error
    });
    let status = if error.is_some() { "FAILED" } else { "COMPLETED" };
    let value = Stored::Inline(Value::Array(results));
    Ok(StepResult { kind: ResultKind::Plain, status: status.into(), value, error })
}

async fn elements(
    outer: &Pipeline<'_>,
    looped: &Loop,
    scope: &Scope,
) -> Result<(Vec<Value>, u32), TaskError> {
    let (job, base) = (outer.job, outer.base);
    let concurrency = base.render(job, scope, |scope| collection::concurrency(looped, scope)).await?;
    let items = base.render(job, scope, |scope| collection::items(looped, concurrency, scope)).await?;
    let count = match &items {
        LoopItems::List(items) => items.len(),
        LoopItems::Range(count) => usize::try_from(*count).unwrap_or(usize::MAX),
        LoopItems::Cursor { .. } => {
            let message = "a cursor loop cannot stand inside another loop or a pipeline";
            return Err(TaskError::new("config", message).with_code(Code::LoopSource.as_str()));
        }
    };
    if count > MOST {
        let message =
            format!("a loop inside a loop goes over {MOST} elements at most, and this one has {count}");
        return Err(TaskError::new("config", message).with_code(Code::LoopSource.as_str()));
    }
    let items = match items {
        LoopItems::List(items) => Arc::unwrap_or_clone(items),
        LoopItems::Range(count) => (0..count).map(Value::from).collect(),
        LoopItems::Cursor { .. } => Vec::new(),
    };
    Ok((items, concurrency))
}

/// One after the other: each sees what the one before it wrote to ctx.
async fn in_turn<'j>(
    outer: &Pipeline<'j>,
    inner: &'j Step,
    looped: &'j Loop,
    scope: &Scope,
    items: &[Value],
) -> Result<Vec<Ended>, Stop> {
    let mut all = Vec::with_capacity(items.len());
    let mut scope = scope.child();
    for (index, item) in items.iter().enumerate() {
        let ended = one(outer, inner, scope.child(), (index, items.len()), item).await;
        for (key, value) in &ended.state.ctx {
            scope.set(SetScope::Ctx, key, value);
        }
        let done = match &ended.end {
            Ok(result) => is_done(outer, inner, looped, &scope, (index, items.len()), item, result).await?,
            Err(Stop::Failed(_)) => looped.on_item_failure == ItemFailure::FailFast,
            Err(Stop::Cancelled | Stop::Parked(_)) => true,
        };
        all.push(ended);
        if done {
            break;
        }
    }
    Ok(all)
}

/// Whether `until` is true after an element.
async fn is_done(
    outer: &Pipeline<'_>,
    inner: &Step,
    looped: &Loop,
    scope: &Scope,
    (index, total): (usize, usize),
    item: &Value,
    result: &Arc<StepResult>,
) -> Result<bool, TaskError> {
    let Some(until) = &looped.until else { return Ok(false) };
    let mut scope = scope.child();
    template::bind_iteration(&mut scope, &looped.iterator, item, index as u64, Some(total as u64));
    template::outcome_view(status(result), Arc::clone(result), None).bind(&mut scope);
    scope.bind(&inner.name, View::result(Arc::clone(result)));
    outer.base.test(outer.job, &scope, until).await
}

/// At most `concurrency` at once; after a failure nothing new begins, unless all are to run.
async fn side_by_side<'j>(
    outer: &Pipeline<'j>,
    inner: &'j Step,
    looped: &Loop,
    scope: &Scope,
    items: &[Value],
    concurrency: usize,
) -> Vec<Ended> {
    let mut all = Vec::with_capacity(items.len());
    let mut waiting = items.iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut stopped = false;
    loop {
        while !stopped && running.len() < concurrency && !outer.job.cancel.is_cancelled() {
            let Some((index, item)) = waiting.next() else { break };
            running.push(one(outer, inner, scope.child(), (index, items.len()), item));
        }
        let Some(ended) = running.next().await else { break };
        stopped |= match &ended.end {
            Ok(_) => false,
            Err(Stop::Failed(_)) => looped.on_item_failure == ItemFailure::FailFast,
            Err(Stop::Cancelled | Stop::Parked(_)) => true,
        };
        all.push(ended);
    }
    all
}

/// Pipelines hold loops and loops hold pipelines: the box stands between them.
fn one<'f, 'j: 'f>(
    outer: &'f Pipeline<'j>,
    inner: &'j Step,
    scope: Scope,
    (index, total): (usize, usize),
    item: &'f Value,
) -> BoxFuture<'f, Ended> {
    let iteration = Iteration { index: index as u64, value: item, total: Some(total as u64) };
    let mut pipeline = Pipeline::of_body(outer.job, outer.base, inner, scope, Some(iteration), None);
    pipeline.given.clone_from(&outer.inputs);
    let own = std::mem::replace(&mut pipeline.names, outer.names.clone());
    pipeline.names.extend(own);
    // The log tells of the element of the step's own loop.
    pipeline.index = outer.index;
    Box::pin(async move {
        let end = loop {
            match pipeline.tries_of_step().await {
                Err(Stop::Parked(Wait::Timer { seconds })) => match pipeline.wait_here(seconds).await {
                    Ok(()) => pipeline.wake = Some(Wake::Timer),
                    Err(stop) => break Err(stop),
                },
                Err(Stop::Parked(Wait::Child(request))) => {
                    let message = format!("{} cannot be waited for inside a loop in a loop", request.path);
                    let error = TaskError::new("config", message).with_code(Code::Conflict.as_str());
                    break Err(error.into());
                }
                end => break end,
            }
        };
        Ended { index, end, state: pipeline.state }
    })
}

/// The result's value itself, wherever it lies.
pub(super) async fn inline(pipeline: &Pipeline<'_>, result: &StepResult) -> Result<Value, TaskError> {
    match &result.value {
        Stored::Inline(value) => Ok(value.clone()),
        Stored::Ref(reference) => {
            let loaded = pipeline.job.services.results.get(reference).await;
            let loaded = loaded.map_err(|error| TaskError::new("missing_reference", error.to_string()))?;
            Ok(Value::clone(&loaded))
        }
    }
}
