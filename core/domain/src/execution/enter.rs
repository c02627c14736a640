//! A Token becomes a run of its Step: admission, then work.

use super::advance::Timer;
use super::apply::nothing;
use super::decide::Decision;
use super::exit::{self, Leaving};
use super::failure;
use super::loops;
use super::plan::Plan;
use super::reads::{Reads, is_inline};
use super::state::Execution;
use super::undefined;
use crate::event::{Event, Exit, Issued, IssuedWork, StepStatus, TimerKey};
use crate::playbook::{Step, Task};
use crate::{Map, Value, template};

/// The Step is due: it is entered, or skipped when its guard is false.
pub(super) fn admit(
    plan: &Plan,
    execution: &Execution,
    step: &Step,
    inputs: Map,
    tokens: u32,
    at_ms: i64,
) -> Decision {
    let run = execution.steps.get(&step.name).map_or(0, |state| state.run) + 1;
    let entered = |inputs| Event::StepEntered { step: step.name.clone(), run, tokens, inputs };
    let Some(guard) = &step.guard else { return Decision::events(vec![entered(inputs)]) };
    let reads = &plan.reads[plan.at(&step.name).unwrap_or_default()];
    let scope = execution.scope(&reads.enter, &inputs, at_ms);
    let admitted = template::test(guard, &scope);
    let needs = scope.missing();
    if !needs.is_empty() {
        return Decision::load(needs);
    }
    match admitted {
        Ok(true) => Decision::events(vec![entered(inputs)]),
        Ok(false) => exit::skip(plan, execution, step, run, tokens, at_ms),
        Err(error) => {
            let mut decision = Decision::events(vec![entered(inputs)]);
            let error = failure::template("the step's guard", &error);
            decision.events.push(Event::StepExited(Box::new(Exit {
                step: step.name.clone(),
                run,
                status: StepStatus::Failed,
                error: Some(error),
                ..Exit::default()
            })));
            decision
        }
    }
}

/// What a Step does once it is entered.
pub(super) fn entered(plan: &Plan, execution: &Execution, name: &str, at_ms: i64) -> Decision {
    let (Some(step), Some(state)) = (plan.shared_step(name), execution.steps.get(name)) else {
        return Decision::default();
    };
    let mut decision = Decision::default();
    if let Some(seconds) = deadline(step) {
        let key = TimerKey::StepDeadline { step: name.to_owned(), run: state.run };
        decision.timers.push(Timer::after(key, at_ms, seconds));
    }
    decision.extend(if step.looped.is_some() {
        loops::start(plan, execution, step, at_ms)
    } else if let Some(task) = inline_task(step, &plan.reads[plan.at(name).unwrap_or_default()].enter) {
        inline(plan, execution, step, task, at_ms)
    } else if step.body.is_empty() && step.saves.is_empty() {
        exit::leave(plan, execution, step, Leaving::marker(), at_ms)
    } else {
        Decision::events(vec![issue(name, state.run, state.next_batch, IssuedWork::Once, 1)])
    });
    decision
}

pub(super) fn issue(step: &str, run: u32, batch: u32, work: IssuedWork, slots: u32) -> Event {
    Event::CommandIssued(Issued { step: step.to_owned(), run, batch, attempt: 1, work, slots })
}

/// Seconds after which the run as a whole has failed, whatever the worker does.
fn deadline(step: &Step) -> Option<f64> {
    let timeout = step.timeout_seconds.as_ref().and_then(Value::as_f64);
    // The worker ends its own work at the timeout and says why; the decider only steps in when no word comes.
    let timeout = timeout.map(|seconds| if step.looped.is_some() { seconds } else { seconds + 5.0 });
    match (timeout, step.deadline_seconds) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Names that only a worker can answer.
const OF_THE_WORKER: &[&str] = &["_attempt", "_task"];

/// The task of a Step that the decider completes itself. `reads`: what the task's fields name.
fn inline_task<'s>(step: &'s Step, reads: &Reads) -> Option<&'s Task> {
    let [task] = step.body.as_slice() else { return None };
    let plain = is_inline(&task.kind)
        && !reads.any(OF_THE_WORKER)
        && (step.inputs.is_empty() || task.config.is_empty())
        && step.saves.is_empty()
        && step.retry.is_empty()
        && step.cases.is_empty()
        && !step.pipeline
        && task.rules.is_empty()
        && task.sets.is_empty()
        && task.retry.is_empty()
        && task.saves.is_empty()
        && task.repeat.is_none()
        && !task.config.contains_key("fail");
    plain.then_some(task)
}

/// Completes a Step whose work touches nothing.
fn inline(plan: &Plan, execution: &Execution, step: &Step, task: &Task, at_ms: i64) -> Decision {
    if task.kind != "noop" {
        return exit::leave(plan, execution, step, Leaving::marker(), at_ms);
    }
    let mut value = nothing();
    let mut warnings = Vec::new();
    if !task.config.is_empty() {
        let reads = &plan.reads[plan.at(&step.name).unwrap_or_default()];
        let state = &execution.steps[&step.name];
        let scope = execution.scope(&reads.enter, &state.inputs, at_ms);
        let rendered = template::render(&Value::Object(task.config.clone()), &scope);
        let needs = scope.missing();
        if !needs.is_empty() {
            return Decision::load(needs);
        }
        warnings = undefined::warnings(plan, execution, &step.name, scope.undefined());
        match rendered {
            Ok(Value::Object(mut config)) => {
                if let Some(result) = config.remove("result") {
                    value = result;
                } else if let Some(message) = config.remove("message") {
                    value["message"] = message;
                }
            }
            Ok(_) => {}
            Err(error) => {
                let error = failure::template("the step's fields", &error);
                return exit::leave(plan, execution, step, Leaving::failed(error), at_ms);
            }
        }
    }
    let mut decision = Decision::events(warnings);
    decision.extend(exit::leave(plan, execution, step, Leaving::done(value), at_ms));
    decision
}
