//! Folds a log into what rules read. The state is the domain's own; beside it stand the places of what happened.
//!
//! A log of which only parts were read folds as well: what is not there is not known.

use std::collections::HashMap;

use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use noetl_domain::event::{Event, Recorded, Status, StepStatus};
use noetl_domain::execution::Execution;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{ItemReport, Outcome, Report};

use noetl_domain::result::Stored;

use super::{ChildRef, EventRef, Failed, Failure, Left, Resent, Run, UnderWay};

/// Failures kept from the beginning of a log, and from its end.
const MOST_FAILURES: usize = 400;
const MOST_CHILDREN: usize = 2_000;
const MOST_RESENT: usize = 200;
const MOST_WARNINGS: usize = 100;

fn under_way(state: &Execution) -> Vec<UnderWay> {
    let steps = state.active.iter().filter_map(|name| Some((name, state.steps.get(name)?)));
    steps
        .map(|(name, step)| UnderWay {
            step: name.clone(),
            since_ms: step.flights.values().map(|flight| flight.issued_ms).min().unwrap_or(step.started_ms),
            parked: step.flights.is_empty() && !step.parked.is_empty(),
        })
        .collect()
}

impl Run {
    pub fn fold(id: ExecutionId, log: &[Recorded], events: u64) -> Self {
        let mut run = Self {
            id,
            state: Execution::new(id),
            opened: None,
            ended: None,
            failures: Vec::new(),
            results: HashMap::new(),
            entered: HashMap::new(),
            exits: HashMap::new(),
            writers: HashMap::new(),
            resent: Vec::new(),
            loops: HashMap::new(),
            children: Vec::new(),
            under_way: Vec::new(),
            workers: HashMap::new(),
            partial: HashMap::new(),
            durations: HashMap::new(),
            warnings: Vec::new(),
            loaded: Vec::new(),
            retries: 0,
            made: None,
            complete: log.len() as u64 == events,
            events,
        };
        for recorded in log {
            if let Event::ExecutionFinished(_) = &recorded.event {
                run.under_way = under_way(&run.state);
            }
            run.state.apply(&recorded.event, recorded.at_ms);
            run.note(recorded);
        }
        if run.state.status == Status::Running {
            run.under_way = under_way(&run.state);
        }
        run
    }

    fn note(&mut self, recorded: &Recorded) {
        let event = EventRef {
            execution: self.id,
            event_id: recorded.event_id,
            seq: recorded.seq,
            at_ms: recorded.at_ms,
        };
        match &recorded.event {
            Event::ExecutionRequested(_) => self.opened = Some(event),
            Event::StepEntered { step, .. } => {
                self.entered.insert(step.clone(), event);
            }
            Event::CommandIssued(issued) if issued.attempt > 1 && self.resent.len() < MOST_RESENT => {
                self.resent.push(Resent { event, step: issued.step.clone(), attempt: issued.attempt });
            }
            Event::Called(report) => self.called(event, report),
            Event::ChildStarted { id, index, child, request } if self.children.len() < MOST_CHILDREN => {
                self.children.push(ChildRef {
                    event,
                    step: id.step.clone(),
                    index: *index,
                    execution: *child,
                    path: request.path.clone(),
                    ended: None,
                });
            }
            Event::ChildFinished { child, status, .. } => {
                if let Some(known) = self.children.iter_mut().find(|known| known.execution == *child) {
                    known.ended = Some((*status, event));
                }
            }
            Event::LoopStarted { step, items, .. } => {
                self.loops.insert(step.clone(), items.clone());
            }
            Event::LoopFinished { step, .. } => {
                self.results.insert(step.clone(), event);
            }
            Event::StepExited(exit) => {
                self.left(event, exit);
            }
            Event::ContextUpdated { ctx, source } => {
                for key in ctx.keys() {
                    self.writers.insert(key.clone(), (source.clone(), event));
                }
            }
            Event::ExecutionRetried { .. } => {
                (self.ended, self.made) = (None, None);
                self.retries += 1;
                // What ended the try before is over; what was passed over on the way still stands.
                self.failures
                    .retain(|failure| !matches!(failure.what, Failed::Exit { handled: false } | Failed::End));
            }
            Event::ExecutionFinished(finished) => {
                self.ended = Some(event);
                if let (Status::Failed, Some(error)) = (finished.status, &finished.error) {
                    let step = finished.failed_steps.first().cloned().unwrap_or_default();
                    self.fail(event, &step, 0, Failed::End, error, None);
                }
            }
            Event::Warned { step, message, .. } if self.warnings.len() < MOST_WARNINGS => {
                self.warnings.push((event, step.clone(), message.clone()));
            }
            Event::DiagnosisMade(diagnosed) => self.made = Some(diagnosed.clone()),
            Event::CommandIssued(_)
            | Event::ChildStarted { .. }
            | Event::TimerFired { .. }
            | Event::Warned { .. }
            | Event::Noted { .. } => {}
        }
    }

    fn left(&mut self, event: EventRef, exit: &noetl_domain::event::Exit) {
        let step = &exit.step;
        if exit.result.is_some() || !self.results.contains_key(step) {
            self.results.insert(step.clone(), event);
        }
        for key in exit.ctx.keys() {
            self.writers.insert(key.clone(), (step.clone(), event));
        }
        if let Some(entered) = self.entered.get(step) {
            self.durations.insert(step.clone(), event.at_ms - entered.at_ms);
        }
        if let (StepStatus::Failed, Some(error)) = (exit.status, &exit.error) {
            self.fail(event, step, exit.run, Failed::Exit { handled: exit.handled }, error, None);
        }
        let left = Left {
            event,
            run: exit.run,
            failed: exit.status == StepStatus::Failed,
            handled: exit.handled,
            skipped: exit.status == StepStatus::Skipped,
            routes: exit.routes.iter().map(|taken| taken.to.clone()).collect(),
            not_taken: exit.not_taken.clone(),
        };
        self.exits.insert(step.clone(), left);
    }

    fn called(&mut self, event: EventRef, report: &Report) {
        let step = &report.id.step;
        self.workers.insert(step.clone(), report.worker.clone());
        self.results.insert(step.clone(), event);
        let looped = self.loops.contains_key(step);
        for item in &report.items {
            for key in item.ctx.keys() {
                self.writers.insert(key.clone(), (step.clone(), event));
            }
            self.calls(event, report, item);
            if let Outcome::Error { error, result, .. } = &item.outcome {
                if let Stored::Inline(made) = result {
                    self.partial.insert(step.clone(), made.clone());
                }
                let tool = item.calls.last().map(|call| call.tool.as_str());
                let what = Failed::Work { index: item.index, looped };
                self.fail(event, step, report.id.run, what, error, tool);
            }
        }
    }

    fn calls(&mut self, event: EventRef, report: &Report, item: &ItemReport) {
        for (at, call) in item.calls.iter().enumerate() {
            let Some(error) = &call.error else { continue };
            let later = &item.calls[at + 1..];
            // The same task may simply have been tried again.
            let again = later.iter().find(|next| next.task == call.task);
            let retried = call.retry_after.is_some() || again.is_some();
            // The error that the work ended with is told once more, as the end of the work.
            let is_end = matches!(&item.outcome, Outcome::Error { error: end, .. } if end == error)
                || matches!(&item.outcome, Outcome::Error { .. })
                    && later.iter().all(|next| next.error.is_none());
            let what = Failed::Call {
                task: call.task.clone(),
                tool: call.tool.clone(),
                attempt: call.attempt,
                retried,
                passed: !retried && !is_end,
            };
            self.fail(event, &report.id.step, report.id.run, what, error, Some(&call.tool));
        }
    }

    fn fail(
        &mut self,
        event: EventRef,
        step: &str,
        run: u32,
        what: Failed,
        error: &TaskError,
        tool: Option<&str>,
    ) {
        if self.failures.len() >= MOST_FAILURES {
            // The end of a log matters as much as its beginning.
            self.failures.remove(MOST_FAILURES / 2);
        }
        let cause = Cause::of(error, tool);
        self.failures.push(Failure { event, step: step.to_owned(), run, what, error: error.clone(), cause });
    }
}
