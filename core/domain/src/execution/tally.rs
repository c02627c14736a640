//! How many Steps are where: counted as Events are folded in, because there may be thousands of Steps and as many rounds.

use super::state::{Execution, Phase};
use crate::event::Event;

/// Steps by how they stand. One that was never entered is in none of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Completed or skipped.
    pub completed: u64,
    pub running: u64,
    pub failed: u64,
}

impl Tally {
    fn place(&mut self, phase: Phase) -> Option<&mut u64> {
        match phase {
            Phase::Idle => None,
            Phase::Completed | Phase::Skipped => Some(&mut self.completed),
            Phase::Running | Phase::Saving => Some(&mut self.running),
            Phase::Failed => Some(&mut self.failed),
        }
    }
}

impl Execution {
    /// The phase of the one Step that an Event can change.
    pub(super) fn phase_at(&self, event: &Event) -> Phase {
        event.step().and_then(|step| self.steps.get(step)).map_or(Phase::Idle, |state| state.phase)
    }

    /// Notes what an Event changed, given the phase its Step was in before.
    pub(super) fn count_phases(&mut self, event: &Event, before: Phase) {
        if matches!(event, Event::ExecutionFinished(_)) {
            // Ends every Step that was under way.
            self.tally = self.count_all();
            return;
        }
        let after = self.phase_at(event);
        if before != after {
            if let Some(count) = self.tally.place(before) {
                *count = count.saturating_sub(1);
            }
            if let Some(count) = self.tally.place(after) {
                *count += 1;
            }
        }
    }

    fn count_all(&self) -> Tally {
        let mut tally = Tally::default();
        for state in self.steps.values() {
            if let Some(count) = tally.place(state.phase) {
                *count += 1;
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Exit, Finished, Status, StepStatus};
    use crate::id::ExecutionId;

    #[test]
    fn counting_along_gives_what_counting_all_gives() {
        let entered = |step: &str, run| Event::StepEntered {
            step: step.into(),
            run,
            tokens: 0,
            inputs: crate::Map::new(),
        };
        let exited = |step: &str, run, status| {
            Event::StepExited(Box::new(Exit { step: step.into(), run, status, ..Exit::default() }))
        };
        let mut execution = Execution::new(ExecutionId(1));
        let events = [
            entered("a", 1),
            exited("a", 1, StepStatus::Completed),
            entered("b", 1),
            entered("c", 1),
            exited("b", 1, StepStatus::Failed),
            // A loop comes back to a Step that was over.
            entered("a", 2),
            exited("d", 1, StepStatus::Skipped),
            Event::ExecutionFinished(Box::new(Finished { status: Status::Failed, ..Finished::default() })),
            Event::ExecutionRetried { steps: vec!["b".into()], reason: String::new() },
            entered("b", 2),
            exited("b", 2, StepStatus::Completed),
        ];
        for event in &events {
            execution.apply(event, 1);
            assert_eq!(execution.tally, execution.count_all(), "after {event:?}");
        }
        assert_eq!(execution.tally, Tally { completed: 2, running: 0, failed: 2 });
        assert_eq!(execution.last_entered.as_deref(), Some("b"));
    }
}
