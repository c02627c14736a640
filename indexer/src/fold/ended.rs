//! Ends: of a run of a step, and of an Execution.

use noetl_domain::event::{Exit, Finished, StepStatus};

use super::open::{Failure, Open};
use super::{Context, shape};
use crate::rows::{Ending, EventRow, ExecutionRow, Name, Ran, StepRow};

impl Context<'_> {
    pub(super) fn exited(&mut self, open: &mut Open, row: &mut EventRow, exit: &Exit) -> &'static str {
        let (step, at) = (row.step.clone(), self.committed.at_ms);
        row.run = exit.run;
        let mut one = open.exit(&step, exit.run).unwrap_or_default();
        if one.entered_ms == 0 {
            one.entered_ms = at;
        }
        let is_skipped = exit.status == StepStatus::Skipped;
        let is_failed = exit.status == StepStatus::Failed;
        for taken in &exit.routes {
            let to = self.names.get(&taken.to);
            open.release(to, &step, exit.run);
        }
        let failure = exit
            .error
            .as_ref()
            .map(|error| self.failure(&step, error, Some(&*row.tool)))
            .or(if is_failed { one.failure.take() } else { None });
        if let Some(failure) = &failure {
            failure.mark(row);
        }
        if let Some(result) = &exit.result {
            one.bytes_out = shape::bytes_of(result);
            one.result_shape = shape::of(result);
        }
        open.steps += u32::from(!is_skipped);
        open.steps_failed += u32::from(is_failed);
        if is_failed && !exit.handled && open.failed.is_none() {
            open.failed.clone_from(&failure);
        }
        open.results.insert(step.clone(), one.bytes_out);
        let none = self.names.get("");
        let failure = failure.unwrap_or_else(|| Failure::none(&none));
        let (released_by, released_by_run) = one.released_by.unwrap_or((none.clone(), 0));
        let total_ms = (at - one.entered_ms).max(0) as f64;
        row.duration_ms = total_ms;
        row.bytes_out = one.bytes_out;
        let attempts = one.attempts.max(u32::from(!is_skipped));
        if let Some(ending) = ending(exit) {
            let order = self.tools.of(&open.path, open.version, &step).map(|tool| tool.order);
            open.ran(Ran {
                step: step.clone(),
                order,
                duration_ms: total_ms,
                attempts,
                bytes: one.bytes_out,
                ending,
            });
        }
        self.rows.steps.push(StepRow {
            position: self.committed.position,
            event_id: self.committed.event_id,
            execution_id: self.committed.execution.0,
            root_execution_id: open.root,
            playbook: open.path.clone(),
            version: open.version,
            step,
            run: exit.run,
            tool: row.tool.clone(),
            pool: row.pool.clone(),
            worker: one.worker.unwrap_or(none),
            status: self.names.get(exit.status.as_str()),
            handled: u8::from(exit.handled),
            entered_at: one.entered_ms,
            exited_at: at,
            queue_ms: match (one.issued_ms, one.began_ms) {
                (Some(issued), Some(began)) => (began - issued).max(0) as f64,
                _ => 0.0,
            },
            run_ms: one.run_ms,
            total_ms,
            released_by,
            released_by_run,
            commands: one.commands,
            attempts,
            retries: one.retries,
            retry_wait_ms: one.retry_wait_ms,
            iterations: one.iterations.max(u64::from(!is_skipped && !one.is_looped)),
            iterations_failed: one.iterations_failed,
            // The arguments stand in where no tool told what it was given.
            bytes_in: if one.usage.bytes_in > 0 { one.usage.bytes_in } else { one.bytes_in },
            bytes_out: one.bytes_out,
            rows_out: one.rows_out,
            result_shape: one.result_shape,
            cpu_ms: one.usage.cpu_us as f64 / 1000.0,
            memory_bytes: one.usage.memory_bytes,
            cause: failure.cause,
            fingerprint: failure.fingerprint,
            error_kind: failure.error_kind,
            error_code: failure.error_code,
            status_code: failure.status_code,
            message: failure.message,
        });
        exit.status.as_str()
    }

    /// The row of an Execution that has begun, or begins again.
    pub(super) fn running(&mut self, open: &Open) {
        let none = self.names.get("");
        let row = self.execution(open, Failure::none(&none), "RUNNING");
        self.rows.executions.push(row);
    }

    pub(super) fn finished(
        &mut self,
        open: &mut Open,
        row: &mut EventRow,
        finished: &Finished,
    ) -> &'static str {
        let none = self.names.get("");
        let step = finished.failed_steps.first().map_or_else(|| none.clone(), |step| self.names.get(step));
        let failure = open.failed.take().or_else(|| {
            finished.error.as_ref().map(|error| {
                let kind = self.tools.of(&open.path, open.version, &step).map(|tool| tool.kind.clone());
                self.failure(&step, error, kind.as_deref())
            })
        });
        let failure = failure.unwrap_or_else(|| Failure::none(&none));
        failure.mark(row);
        let result = finished.result_step.as_ref().map(|step| self.names.get(step));
        let mut execution = self.execution(open, failure, finished.status.as_str());
        execution.finished_at = Some(self.committed.at_ms);
        execution.duration_ms = (self.committed.at_ms - open.started_ms).max(0) as f64;
        execution.bytes_out = result.and_then(|step| open.results.get(&step).copied()).unwrap_or(0);
        row.duration_ms = execution.duration_ms;
        row.bytes_out = execution.bytes_out;
        self.rows.executions.push(execution);
        self.rows.ran.clone_from(&open.ran);
        finished.status.as_str()
    }

    fn execution(&mut self, open: &Open, failure: Failure, status: &str) -> ExecutionRow {
        ExecutionRow {
            position: self.committed.position,
            execution_id: self.committed.execution.0,
            root_execution_id: open.root,
            parent_execution_id: open.parent,
            playbook: open.path.clone(),
            version: open.version,
            status: self.names.get(status),
            trigger: open.trigger.clone(),
            started_at: open.started_ms,
            finished_at: None,
            duration_ms: 0.0,
            attempt: open.attempt,
            events: open.events,
            steps: open.steps,
            steps_failed: open.steps_failed,
            retries: open.retries,
            input_shape: open.input_shape,
            input_hash: open.input_hash,
            bytes_in: open.bytes_in,
            bytes_out: 0,
            failed_step: failure.step,
            cause: failure.cause,
            fingerprint: failure.fingerprint,
            message: failure.message,
        }
    }
}

/// None for a step that was not run.
fn ending(exit: &Exit) -> Option<Ending> {
    match exit.status {
        StepStatus::Completed => Some(Ending::Completed),
        StepStatus::Failed if exit.handled => Some(Ending::Handled),
        StepStatus::Failed => Some(Ending::Failed),
        StepStatus::Skipped => None,
    }
}

impl Failure {
    fn none(none: &Name) -> Self {
        Self {
            step: none.clone(),
            cause: none.clone(),
            fingerprint: 0,
            error_kind: none.clone(),
            error_code: none.clone(),
            status_code: 0,
            message: String::new(),
        }
    }
}
