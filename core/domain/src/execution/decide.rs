//! The decider: what follows from one Event.

use super::advance::{ChildStart, Object, Timer};
use super::plan::Plan;
use super::state::Execution;
use super::{called, enter, loops, wake};
use crate::event::{Event, TimerKey};
use crate::result::ResultRef;

/// What follows from an Event. Commands follow from the `command.issued` Events among these.
#[derive(Debug, Default)]
pub struct Decision {
    pub events: Vec<Event>,
    pub timers: Vec<Timer>,
    pub children: Vec<ChildStart>,
    /// What has to be fetched or stored first; while there is anything, the rest is void.
    pub needs: Needs,
}

/// What only the caller can do before a decision is possible.
#[derive(Debug, Default)]
pub struct Needs {
    /// Results that a template touched and that are not loaded.
    pub load: Vec<ResultRef>,
    /// Results that are too large for the log.
    pub store: Vec<Object>,
}

impl Needs {
    pub fn is_empty(&self) -> bool {
        self.load.is_empty() && self.store.is_empty()
    }
}

impl Decision {
    pub(super) fn events(events: Vec<Event>) -> Self {
        Self { events, ..Self::default() }
    }

    pub(super) fn load(load: Vec<ResultRef>) -> Self {
        Self { needs: Needs { load, store: Vec::new() }, ..Self::default() }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.events.extend(other.events);
        self.timers.extend(other.timers);
        self.children.extend(other.children);
        self.needs.load.extend(other.needs.load);
        self.needs.store.extend(other.needs.store);
    }
}

/// What follows from `event`, which `execution` has already folded in.
///
/// What follows from the Execution coming to rest (joins, completion) is [`super::settle`]'s.
pub fn decide(plan: &Plan, execution: &Execution, event: &Event, at_ms: i64) -> Decision {
    match event {
        Event::ExecutionRequested(_) => {
            let mut decision = Decision::default();
            if let Some(seconds) = plan.timeout_seconds {
                decision.timers.push(Timer::after(TimerKey::ExecutionDeadline, at_ms, seconds));
            }
            decision
        }
        Event::StepEntered { step, .. } => enter::entered(plan, execution, step, at_ms),
        Event::LoopStarted { step, .. } => loops::next(execution, step),
        Event::Called(report) => called::called(plan, execution, report, at_ms),
        Event::LoopFinished { step, .. } => loops::finished(plan, execution, step, at_ms),
        Event::ChildStarted { id, index, .. } | Event::ChildFinished { id, index, .. } => {
            wake::wake(execution, id, *index)
        }
        Event::TimerFired { timer } => wake::timer(plan, execution, timer, at_ms),
        Event::CommandIssued(_)
        | Event::StepExited(_)
        | Event::ContextUpdated { .. }
        | Event::ExecutionRetried { .. }
        | Event::ExecutionFinished(_)
        | Event::Warned { .. }
        | Event::DiagnosisMade(_)
        | Event::Noted { .. } => Decision::default(),
    }
}
