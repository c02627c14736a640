//! What an Iteration waited for has come: it goes on.

use super::decide::Decision;
use super::enter::issue;
use super::exit::{self, Leaving};
use super::failure;
use super::plan::Plan;
use super::state::Execution;
use crate::code::Code;
use crate::event::{Event, Finished, IssuedWork, Status, TimerKey};
use crate::id::CommandId;

/// Issues the Command that wakes a parked Iteration, when there is a reason to.
pub(super) fn wake(execution: &Execution, id: &CommandId, index: u64) -> Decision {
    let Some(state) = execution.steps.get(&id.step) else { return Decision::default() };
    if state.run != id.run || state.parked.get(&index).is_none_or(|parked| parked.wake.is_none()) {
        return Decision::default();
    }
    let work = match state.looped {
        Some(_) => IssuedWork::Items { first: index, count: 1 },
        None => IssuedWork::Once,
    };
    Decision::events(vec![issue(&id.step, id.run, state.next_batch, work, 1)])
}

pub(super) fn timer(plan: &Plan, execution: &Execution, timer: &TimerKey, at_ms: i64) -> Decision {
    match timer {
        TimerKey::Wake { id, index } | TimerKey::ChildWait { id, index } => wake(execution, id, *index),
        TimerKey::StepDeadline { step, run } => {
            let Some(state) = execution.steps.get(step) else { return Decision::default() };
            let Some(shared) = plan.shared_step(step) else { return Decision::default() };
            if state.run != *run || !state.is_active() {
                return Decision::default();
            }
            let seconds = (at_ms - state.started_ms) as f64 / 1000.0;
            let message = format!("step {step} did not end within {seconds:.1} s");
            let error = failure::coded(Code::StepTimeout, "timeout", message);
            exit::leave(plan, execution, shared, Leaving::failed(error), at_ms)
        }
        TimerKey::ExecutionDeadline => {
            let seconds = (at_ms - execution.started_ms) as f64 / 1000.0;
            let message = format!("the execution did not end within {seconds:.1} s");
            Decision::events(vec![Event::ExecutionFinished(Box::new(Finished {
                status: Status::Failed,
                error: Some(failure::coded(Code::ExecutionTimeout, "timeout", message)),
                failed_steps: execution.active_steps(),
                ..Finished::default()
            }))])
        }
    }
}
