//! Drives fold and decider until nothing more follows.

use std::collections::VecDeque;

use super::decide::{Needs, decide};
use super::plan::Plan;
use super::settle::settle;
use super::state::Execution;
use crate::command::Command;
use crate::event::{Event, Status, TimerKey};
use crate::id::CommandId;
use crate::report::ChildRequest;

/// A moment at which an Execution wants to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    pub key: TimerKey,
    /// Unix milliseconds.
    pub due_ms: i64,
}

impl Timer {
    pub(super) fn after(key: TimerKey, at_ms: i64, seconds: f64) -> Self {
        Self { key, due_ms: at_ms.saturating_add((seconds.max(0.0) * 1000.0) as i64) }
    }
}

/// A sub-playbook to start for a parked Iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildStart {
    pub id: CommandId,
    pub index: u64,
    pub request: ChildRequest,
}

/// A loop's result, to be stored outside the log and given back through [`Execution::stored`].
#[derive(Clone, Debug)]
pub struct Object {
    pub step: String,
    pub run: u32,
    pub json: String,
    /// Its first results, for people.
    pub preview: crate::Value,
}

/// One round of deciding: starts with what happened, ends when nothing more follows.
#[derive(Debug)]
pub struct Advance {
    at_ms: i64,
    queue: VecDeque<Event>,
    /// Applied, but not yet decided on: a result was missing.
    undecided: Option<Event>,
    /// What happened, in order, with the version each Event made.
    pub events: Vec<Event>,
    pub commands: Vec<Command>,
    pub timers: Vec<Timer>,
    pub children: Vec<ChildStart>,
    /// More follows, but this round is long enough for one transaction; go on after it.
    pub more: bool,
}

/// A round that has made this many Events lets others have their turn.
const ROUND: usize = 1024;

impl Advance {
    pub fn new(happened: Vec<Event>, at_ms: i64) -> Self {
        Self {
            at_ms,
            queue: happened.into(),
            undecided: None,
            events: Vec::new(),
            commands: Vec::new(),
            timers: Vec::new(),
            children: Vec::new(),
            more: false,
        }
    }

    /// Runs until nothing more follows. An error says what to load and store before going on.
    pub fn run(&mut self, plan: &Plan, execution: &mut Execution) -> Result<(), Needs> {
        loop {
            if let Some(event) = self.undecided.take() {
                let decision = decide(plan, execution, &event, self.at_ms);
                if !decision.needs.is_empty() {
                    self.undecided = Some(event);
                    return Err(decision.needs);
                }
                self.take(decision, event);
                continue;
            }
            if let Some(event) = self.queue.pop_front() {
                self.happen(plan, execution, event);
                continue;
            }
            if execution.status != Status::Running {
                return Ok(());
            }
            if self.events.len() >= ROUND {
                self.more = true;
                return Ok(());
            }
            let decision = settle(plan, execution, self.at_ms);
            if !decision.needs.is_empty() {
                return Err(decision.needs);
            }
            if decision.events.is_empty() {
                return Ok(());
            }
            self.timers.extend(decision.timers);
            self.queue.extend(decision.events);
        }
    }

    fn happen(&mut self, plan: &Plan, execution: &mut Execution, event: Event) {
        match &event {
            Event::Called(report) if !execution.accepts(report) => return,
            _ if execution.status != Status::Running && !outlives(&event) => return,
            _ => {}
        }
        execution.apply(&event, self.at_ms);
        if let Event::CommandIssued(issued) = &event
            && let Some(command) = execution.command(plan, issued)
        {
            self.commands.push(command);
        }
        self.undecided = Some(event);
    }

    fn take(&mut self, decision: super::Decision, event: Event) {
        self.events.push(event);
        self.queue.extend(decision.events);
        self.timers.extend(decision.timers);
        self.children.extend(decision.children);
    }
}

/// Events that may still happen after the end.
fn outlives(event: &Event) -> bool {
    matches!(
        event,
        Event::ExecutionRetried { .. }
            | Event::Noted { .. }
            | Event::DiagnosisMade(_)
            | Event::Warned { .. }
            | Event::ContextUpdated { .. }
    )
}
