//! What a Report changes: results, failures, what waits, and how large the next batches of a loop are.

use std::sync::Arc;

use serde_json::json;

use super::merge;
use crate::command::{PipelineState, StepResult};
use crate::error::TaskError;
use crate::event::IssuedWork;
use crate::execution::state::{Answer, Execution, LoopState, Parked, Segment, StepState};
use crate::report::{ItemReport, Outcome, Report, Wait};
use crate::result::{ResultKind, Stored};
use crate::{Map, Value};

/// A batch should last about this long, so that its message and its commit cost little beside it.
const BATCH_TARGET_MS: f64 = 100.0;
const BATCH_MAX: u64 = 2000;

impl Execution {
    pub(super) fn called(&mut self, report: &Report) {
        let mut ctx = Map::new();
        let state = self.state_mut(&report.id.step);
        let Some(flight) = state.flights.remove(&report.id.batch) else { return };
        for item in &report.items {
            state.retries += item.calls.iter().filter(|call| call.retry_after.is_some()).count() as u64;
            merge(&mut ctx, &item.ctx);
            merge(&mut state.locals, &item.step);
        }
        match flight.work {
            IssuedWork::Once => state.called_once(report),
            IssuedWork::Saves => {
                if let Some(item) = report.items.first() {
                    state.answer = Some(answer(item));
                }
            }
            IssuedWork::Items { first, count } => {
                state.called_items(report, 0, Some((first, count)));
                state.learn_batch(report, count, flight.slots);
            }
            IssuedWork::Frame { .. } => {
                let base = state.looped.as_ref().map_or(0, |looped| looped.next);
                let claimed = report.claimed.unwrap_or(0);
                if let Some(looped) = &mut state.looped {
                    looped.next += claimed;
                    looped.stats.total = looped.next;
                    if claimed == 0 {
                        looped.open_lanes = looped.open_lanes.saturating_sub(1);
                    }
                }
                state.called_items(report, base, None);
            }
        }
        merge(&mut self.ctx, &ctx);
    }
}

impl StepState {
    fn called_once(&mut self, report: &Report) {
        if let Some(run) = report.runs.first() {
            let mut values: Vec<Value> = serde_json::from_str(run.results.get()).unwrap_or_default();
            let value = if values.is_empty() { Value::Null } else { values.swap_remove(0) };
            self.result = Some(Arc::new(StepResult {
                kind: run.kind,
                status: "COMPLETED".into(),
                value: Stored::Inline(value),
                error: None,
            }));
            self.answer = Some(Answer { error: None, case: None, collected: Map::new() });
        }
        let Some(item) = report.items.first() else { return };
        match &item.outcome {
            Outcome::Ok { kind, result } => {
                self.result = Some(Arc::new(StepResult {
                    kind: *kind,
                    status: "COMPLETED".into(),
                    value: result.clone(),
                    error: None,
                }));
                self.answer = Some(answer(item));
            }
            Outcome::Error { error, kind, result } => {
                self.result = Some(Arc::new(StepResult {
                    kind: *kind,
                    status: "FAILED".into(),
                    value: result.clone(),
                    error: Some(error.clone()),
                }));
                self.answer = Some(answer(item));
            }
            Outcome::Parked { on, state } => self.park(report.id.batch, 0, on, state),
            Outcome::Cancelled => self.answer = Some(answer(item)),
        }
    }

    fn park(&mut self, batch: u32, index: u64, on: &Wait, state: &PipelineState) {
        self.parked
            .insert(index, Parked { batch, on: on.clone(), state: state.clone(), child: None, wake: None });
    }

    fn called_items(&mut self, report: &Report, base: u64, expected: Option<(u64, u64)>) {
        let batch = report.id.batch;
        let Some(mut looped) = self.looped.take() else { return };
        let mut seen = 0;
        for run in &report.runs {
            seen += run.count;
            looped.stats.success += run.count;
            looped.results.insert(
                base + run.first,
                Segment { count: run.count, kind: run.kind, json: Arc::clone(&run.results) },
            );
        }
        for item in &report.items {
            seen += 1;
            let index = base + item.index;
            match &item.outcome {
                Outcome::Ok { result, kind } => {
                    looped.stats.success += 1;
                    looped.put(index, *kind, &serde_json::to_value(result).unwrap_or_default());
                }
                Outcome::Error { error, .. } => {
                    looped.stats.failed += 1;
                    looped.put(index, ResultKind::Plain, &json!({ "status": "error", "error": error }));
                    looped.error.get_or_insert_with(|| error.clone());
                }
                Outcome::Parked { on, state } => {
                    looped.parks = true;
                    self.park(batch, index, on, state);
                }
                Outcome::Cancelled => looped.stopped = true,
            }
        }
        // Iterations that were handed out and are not spoken of did not run: the worker was told to stop, or one before
        // them waits for something and they are handed out again after it.
        if let Some((first, count)) = expected
            && seen < count
        {
            if report.items.iter().any(|item| matches!(item.outcome, Outcome::Parked { .. })) {
                looped.next = looped.next.min(first + seen);
            } else {
                looped.stopped = true;
            }
        }
        self.looped = Some(looped);
    }

    fn learn_batch(&mut self, report: &Report, count: u64, slots: u32) {
        let parked = !self.parked.is_empty();
        let Some(looped) = &mut self.looped else { return };
        if looped.parks || parked {
            looped.batch = 1;
            return;
        }
        let elapsed = (report.finished_ms - report.started_ms).max(0) as f64;
        let slots = f64::from(slots.max(1));
        let per_item = (elapsed * slots / count.max(1) as f64).max(0.01);
        let fitting = (BATCH_TARGET_MS * slots / per_item) as u64;
        looped.batch = fitting.clamp(1, (count * 8).clamp(1, BATCH_MAX));
    }
}

impl LoopState {
    pub(super) fn kind(&self) -> ResultKind {
        let mut segments = self.results.values();
        if !self.results.is_empty() && segments.all(|segment| segment.kind == ResultKind::Pipeline) {
            ResultKind::LoopOfPipelines
        } else {
            ResultKind::Loop
        }
    }

    fn put(&mut self, index: u64, kind: ResultKind, value: &Value) {
        if let Ok(json) = serde_json::value::to_raw_value(std::slice::from_ref(value)) {
            self.results.insert(index, Segment { count: 1, kind, json: Arc::from(json) });
        }
    }
}

fn answer(item: &ItemReport) -> Answer {
    let error = match &item.outcome {
        Outcome::Error { error, .. } => Some(error.clone()),
        Outcome::Cancelled => Some(TaskError::new("cancelled", "the work was cancelled")),
        Outcome::Ok { .. } | Outcome::Parked { .. } => None,
    };
    Answer { error, case: item.case, collected: item.collected.clone() }
}
