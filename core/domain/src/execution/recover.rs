//! After a restart: what was under way is sent again, and what was waited for is waited for again.

use super::advance::{ChildStart, Timer};
use super::failure;
use super::state::Execution;
use crate::code::Code;
use crate::event::{Event, Finished, Issued, Status, TimerKey};
use crate::id::CommandId;
use crate::report::Wait;

/// How often a Command is sent before it counts as one that kills its worker.
const ATTEMPTS_LIMIT: u32 = 10;

impl Execution {
    /// Events that send every Command without a Report again, as a new Attempt.
    pub fn resend(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (name, state) in self.active.iter().filter_map(|name| Some((name, self.steps.get(name)?))) {
            for (batch, flight) in &state.flights {
                if flight.attempt >= ATTEMPTS_LIMIT {
                    let message = format!("step {name} was lost {} times by its workers", flight.attempt);
                    return vec![Event::ExecutionFinished(Box::new(Finished {
                        status: Status::Failed,
                        error: Some(failure::coded(Code::CommandLost, "lost", message)),
                        failed_steps: vec![name.clone()],
                        ..Finished::default()
                    }))];
                }
                events.push(Event::CommandIssued(Issued {
                    step: name.clone(),
                    run: state.run,
                    batch: *batch,
                    attempt: flight.attempt + 1,
                    work: flight.work,
                    slots: flight.slots,
                }));
            }
        }
        events
    }

    /// Children that were asked for and of whose start the log says nothing.
    pub fn children_to_start(&self) -> Vec<ChildStart> {
        self.waiting()
            .filter_map(|(id, index, parked)| match &parked.on {
                Wait::Child(request) if parked.child.is_none() => {
                    Some(ChildStart { id, index, request: request.clone() })
                }
                Wait::Child(_) | Wait::Timer { .. } => None,
            })
            .collect()
    }

    /// Iterations that wait for a child which has started.
    pub fn children_under_way(&self) -> Vec<(CommandId, u64, crate::id::ExecutionId)> {
        self.waiting().filter_map(|(id, index, parked)| Some((id, index, parked.child?))).collect()
    }

    /// Timers that fire at once when the store has lost them: a parked Iteration without one would wait for ever.
    pub fn timers_to_set(&self, now_ms: i64) -> Vec<Timer> {
        self.waiting()
            .filter_map(|(id, index, parked)| match &parked.on {
                Wait::Timer { seconds } => Some(Timer::after(TimerKey::Wake { id, index }, now_ms, *seconds)),
                Wait::Child(_) => None,
            })
            .collect()
    }

    fn waiting(&self) -> impl Iterator<Item = (CommandId, u64, &super::state::Parked)> {
        self.active.iter().filter_map(|name| Some((name, self.steps.get(name)?))).flat_map(
            move |(name, state)| {
                state.parked.iter().filter(|(_, parked)| parked.wake.is_none()).map(move |(index, parked)| {
                    let id = CommandId {
                        execution: self.id,
                        step: name.clone(),
                        run: state.run,
                        batch: parked.batch,
                    };
                    (id, *index, parked)
                })
            },
        )
    }
}
