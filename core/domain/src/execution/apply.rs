//! The fold: what each Event changes. Total: any log folds, whatever it holds.

mod reported;

use std::sync::Arc;

use serde_json::json;

use super::state::{Execution, Flight, LoopState, Parked, Phase, StepState, Token};
use super::undefined;
use crate::command::{Resume, StepResult, Wake};
use crate::event::{Event, Exit, Issued, IssuedWork, LoopItems, Requested, Status, StepStatus, TimerKey};
use crate::id::CommandId;
use crate::report::{Report, Wait};
use crate::result::Stored;
use crate::{Map, Value};

impl Execution {
    /// Folds one Event in. `at_ms` is when it was recorded.
    pub fn apply(&mut self, event: &Event, at_ms: i64) {
        self.seq += 1;
        // What is only said about it after its end does not move the end.
        if !(self.finished.is_some() && matches!(event, Event::DiagnosisMade(_) | Event::Noted { .. })) {
            self.updated_ms = at_ms;
        }
        let before = self.phase_at(event);
        match event {
            Event::ExecutionRequested(requested) => self.requested(requested, at_ms),
            Event::StepEntered { step, run, tokens, inputs } => {
                self.take_tokens(step, *tokens);
                self.runs += 1;
                self.last_entered = Some(step.clone());
                self.active.push(step.clone());
                let state = self.state_mut(step);
                *state = StepState {
                    run: *run,
                    phase: Phase::Running,
                    inputs: inputs.clone(),
                    result: state.result.take(),
                    started_ms: at_ms,
                    ..StepState::default()
                };
            }
            Event::CommandIssued(issued) => self.state_mut(&issued.step).issued(issued, at_ms),
            Event::Called(report) => self.called(report),
            Event::ChildStarted { id, index, child, request } => {
                if let Some(parked) = self.parked(id, *index) {
                    parked.child = Some(*child);
                    if request.detached {
                        let value = json!({
                            "status": "started", "execution_id": child.to_string(), "path": request.path, "async": true,
                        });
                        parked.wake = Some(wake_child(*child, "STARTED", StepResult::plain(value)));
                    }
                }
            }
            Event::ChildFinished { id, index, child, status, result } => {
                if let Some(parked) = self.parked(id, *index) {
                    parked.wake = Some(wake_child(*child, status.as_str(), (**result).clone()));
                }
            }
            Event::TimerFired { timer } => self.timer_fired(timer),
            Event::LoopStarted { step, items, concurrency, .. } => {
                self.state_mut(step).looped = Some(LoopState::new(items.clone(), *concurrency));
            }
            Event::LoopFinished { step, stored, stats, .. } => {
                let state = self.state_mut(step);
                state.phase = Phase::Saving;
                if let Some(looped) = &mut state.looped {
                    looped.stats = *stats;
                    let value = match stored {
                        Some(reference) => Stored::Ref(reference.clone()),
                        None => Stored::Inline(json!({
                            "results": serde_json::from_str::<Value>(&looped.results_json()).unwrap_or_default(),
                            "stats": looped.stats,
                        })),
                    };
                    let status = if looped.error.is_some() { "FAILED" } else { "COMPLETED" };
                    state.result = Some(Arc::new(StepResult {
                        kind: looped.kind(),
                        status: status.into(),
                        value,
                        error: looped.error.clone(),
                    }));
                    // The collection and its results are not needed again.
                    looped.items = LoopItems::Range(looped.stats.total);
                    looped.results.clear();
                }
            }
            Event::StepExited(exit) => self.exited(exit, at_ms),
            Event::ContextUpdated { ctx, .. } => merge(&mut self.ctx, ctx),
            Event::ExecutionRetried { steps, .. } => self.retried(steps),
            Event::ExecutionFinished(finished) => {
                self.status = finished.status;
                self.finished = Some((**finished).clone());
                self.tokens.clear();
                self.active.clear();
                for state in self.steps.values_mut() {
                    state.flights.clear();
                    state.parked.clear();
                    if matches!(state.phase, Phase::Running | Phase::Saving) {
                        state.phase = Phase::Failed;
                        state.finished_ms = Some(at_ms);
                    }
                }
            }
            Event::Warned { step, message, .. } => {
                if self.warnings.len() < undefined::MOST {
                    self.warnings.push((step.clone(), message.clone()));
                }
            }
            Event::DiagnosisMade(_) | Event::Noted { .. } => {}
        }
        self.count_phases(event, before);
    }

    /// Whether a Report still answers a Command under way; a stale Attempt changes nothing.
    pub fn accepts(&self, report: &Report) -> bool {
        self.status == Status::Running
            && self.steps.get(&report.id.step).is_some_and(|state| {
                state.run == report.id.run
                    && state
                        .flights
                        .get(&report.id.batch)
                        .is_some_and(|flight| flight.attempt == report.attempt)
            })
    }

    fn requested(&mut self, requested: &Requested, at_ms: i64) {
        let id = self.id.to_string();
        let mut system = Map::new();
        system.insert("execution_id".into(), json!(id));
        system.insert("job".into(), json!({ "uuid": id, "id": id, "execution_id": id }));
        system.insert("catalog_id".into(), json!(requested.catalog_id));
        system.insert("path".into(), json!(requested.path));
        system.insert("version".into(), json!(requested.version));
        system.insert("payload".into(), Value::Object(requested.payload.clone()));
        if let Some(parent) = &requested.parent {
            system.insert("parent_execution_id".into(), json!(parent.id.execution.to_string()));
        }
        if let Some(root) = requested.root {
            system.insert("root_execution_id".into(), json!(root.to_string()));
        }
        self.system = Arc::new(system);
        self.workload = Arc::new(requested.workload.clone());
        self.tokens = requested
            .entry
            .iter()
            .map(|taken| Token { to: taken.to.clone(), from: None, inputs: taken.inputs.clone() })
            .collect();
        self.started_ms = at_ms;
        self.requested = Arc::new(requested.clone());
    }

    fn take_tokens(&mut self, step: &str, mut count: u32) {
        self.tokens.retain(|token| {
            let taken = count > 0 && token.to == step;
            count -= u32::from(taken);
            !taken
        });
    }

    fn parked(&mut self, id: &CommandId, index: u64) -> Option<&mut Parked> {
        let state = self.steps.get_mut(&id.step)?;
        if state.run != id.run {
            return None;
        }
        state.parked.get_mut(&index)
    }

    fn timer_fired(&mut self, timer: &TimerKey) {
        match timer {
            TimerKey::Wake { id, index } => {
                if let Some(parked) = self.parked(id, *index) {
                    parked.wake = Some(Wake::Timer);
                }
            }
            TimerKey::ChildWait { id, index } => {
                if let Some(parked) = self.parked(id, *index)
                    && let (Some(child), None) = (parked.child, &parked.wake)
                {
                    let seconds = match &parked.on {
                        Wait::Child(request) => request.timeout_seconds,
                        Wait::Timer { seconds } => Some(*seconds),
                    };
                    let value = json!({
                        "status": "timeout", "execution_id": child.to_string(), "timeout_seconds": seconds,
                    });
                    parked.wake = Some(wake_child(child, "TIMEOUT", StepResult::plain(value)));
                }
            }
            TimerKey::StepDeadline { .. } | TimerKey::ExecutionDeadline => {}
        }
    }

    fn exited(&mut self, exit: &Exit, at_ms: i64) {
        self.take_tokens(&exit.step, exit.tokens);
        self.active.retain(|name| *name != exit.step);
        // A cycle of skipped Steps must meet the limit too.
        self.runs += u64::from(exit.status == StepStatus::Skipped);
        let first = self.last_completed.is_none();
        let state = self.state_mut(&exit.step);
        state.run = exit.run;
        state.finished_ms = Some(at_ms);
        state.flights.clear();
        state.parked.clear();
        let answered = state.answer.take().is_some() || state.looped.is_some();
        let worked = answered || exit.result.is_some();
        state.worked = answered || exit.result.as_ref().is_some_and(|result| *result != nothing());
        // A no-op's result stands only where nothing else has one.
        let tells = state.worked || worked && first;
        state.looped = state.looped.take().map(|looped| LoopState { stopped: true, ..looped });
        state.phase = match exit.status {
            StepStatus::Completed => Phase::Completed,
            StepStatus::Failed => Phase::Failed,
            StepStatus::Skipped => Phase::Skipped,
        };
        let before = state.result.take();
        state.result = Some(result_after(exit, before.as_ref()));
        merge(&mut self.ctx, &exit.ctx);
        self.tokens.extend(exit.routes.iter().map(|taken| Token {
            to: taken.to.clone(),
            from: Some(exit.step.clone()),
            inputs: taken.inputs.clone(),
        }));
        match exit.status {
            StepStatus::Failed if exit.handled => self.handled.push(exit.step.clone()),
            StepStatus::Failed => self.failed.push(exit.step.clone()),
            StepStatus::Completed if tells => self.last_completed = Some(exit.step.clone()),
            StepStatus::Completed | StepStatus::Skipped => {}
        }
    }

    fn retried(&mut self, steps: &[String]) {
        self.status = Status::Running;
        self.finished = None;
        self.failed.clear();
        self.tokens.clear();
        for step in steps {
            let inputs = self.steps.get(step).map(|state| state.inputs.clone()).unwrap_or_default();
            self.tokens.push(Token { to: step.clone(), from: None, inputs });
        }
    }
}

impl StepState {
    fn issued(&mut self, issued: &Issued, at_ms: i64) {
        self.next_batch = self.next_batch.max(issued.batch + 1);
        let known = self.flights.remove(&issued.batch);
        let mut slots = 1;
        let mut resume = known.as_ref().and_then(|flight| flight.resume.clone());
        match issued.work {
            IssuedWork::Items { first, count } => {
                // A parked Iteration that woke goes on where it was.
                if count == 1
                    && let Some(woken) = self.woken(first)
                {
                    resume = Some(woken);
                } else if let Some(looped) = &mut self.looped {
                    looped.next = looped.next.max(first + count);
                    slots = known.map_or(issued.slots.max(1), |flight| flight.slots);
                }
            }
            IssuedWork::Once => resume = self.woken(0).or(resume),
            IssuedWork::Frame { .. } | IssuedWork::Saves => {}
        }
        self.flights.insert(
            issued.batch,
            Flight { attempt: issued.attempt, work: issued.work, slots, issued_ms: at_ms, resume },
        );
    }

    fn woken(&mut self, index: u64) -> Option<Resume> {
        self.parked.get(&index)?.wake.as_ref()?;
        let parked = self.parked.remove(&index)?;
        Some(Resume { state: parked.state, wake: parked.wake? })
    }
}

impl StepResult {
    pub fn plain(value: Value) -> Self {
        Self { status: "COMPLETED".into(), value: Stored::Inline(value), ..Self::default() }
    }
}

/// The result of a Step as its Exit leaves it: what the tool returned, unless the Exit replaces it.
pub(super) fn result_after(exit: &Exit, before: Option<&Arc<StepResult>>) -> Arc<StepResult> {
    let status = exit.status.as_str();
    match (&exit.result, before) {
        (None, Some(result)) if result.status == status && result.error == exit.error => Arc::clone(result),
        (None, Some(result)) => Arc::new(StepResult {
            status: status.into(),
            error: exit.error.clone(),
            ..StepResult::clone(result)
        }),
        (value, _) => Arc::new(StepResult {
            status: status.into(),
            value: Stored::Inline(value.clone().unwrap_or_default()),
            error: exit.error.clone(),
            ..StepResult::default()
        }),
    }
}

/// The result of a step that does nothing.
pub(super) fn nothing() -> Value {
    json!({ "status": "ok" })
}

fn wake_child(execution_id: crate::id::ExecutionId, status: &str, result: StepResult) -> Wake {
    Wake::Child { execution_id, status: status.to_owned(), result }
}

fn merge(into: &mut Map, from: &Map) {
    for (key, value) in from {
        into.insert(key.clone(), value.clone());
    }
}
