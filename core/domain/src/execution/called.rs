//! A Report came: the Step leaves, the loop goes on, or something waits.

use super::advance::{ChildStart, Timer};
use super::decide::Decision;
use super::exit::{self, Leaving};
use super::loops;
use super::plan::Plan;
use super::state::{Execution, Phase, StepState};
use super::undefined;
use crate::event::TimerKey;
use crate::report::{Outcome, Report, Wait};

pub(super) fn called(plan: &Plan, execution: &Execution, report: &Report, at_ms: i64) -> Decision {
    let name = &report.id.step;
    let (Some(state), Some(step)) = (execution.steps.get(name), plan.shared_step(name)) else {
        return Decision::default();
    };
    let undefined = report.undefined.iter().cloned();
    let mut decision = Decision::events(undefined::warnings(plan, execution, name, undefined));
    decision.extend(waits(report, state, at_ms));
    decision.extend(match state.phase {
        Phase::Running if state.looped.is_some() => loops::next(execution, name),
        Phase::Running | Phase::Saving => match &state.answer {
            Some(answer) => match &answer.error {
                Some(error) => exit::leave(plan, execution, step, Leaving::failed(error.clone()), at_ms),
                None => exit::leave(plan, execution, step, Leaving::answered(), at_ms),
            },
            None => Decision::default(),
        },
        Phase::Idle | Phase::Completed | Phase::Failed | Phase::Skipped => Decision::default(),
    });
    decision
}

/// Timers and children for the Iterations that parked with this Report.
fn waits(report: &Report, state: &StepState, at_ms: i64) -> Decision {
    let mut decision = Decision::default();
    // The rows of a frame are counted from the frame's own beginning.
    let base = match (&state.looped, report.claimed) {
        (Some(looped), Some(claimed)) => looped.next.saturating_sub(claimed),
        _ => 0,
    };
    for item in &report.items {
        let Outcome::Parked { on, .. } = &item.outcome else { continue };
        let index = if state.looped.is_some() { base + item.index } else { 0 };
        match on {
            Wait::Timer { seconds } => {
                let key = TimerKey::Wake { id: report.id.clone(), index };
                decision.timers.push(Timer::after(key, at_ms, *seconds));
            }
            Wait::Child(request) => {
                decision.children.push(ChildStart { id: report.id.clone(), index, request: request.clone() });
                if let (Some(seconds), false) = (request.timeout_seconds, request.detached) {
                    let key = TimerKey::ChildWait { id: report.id.clone(), index };
                    decision.timers.push(Timer::after(key, at_ms, seconds));
                }
            }
        }
    }
    decision
}
