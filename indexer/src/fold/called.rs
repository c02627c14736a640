//! A Report: how long work took, how often it was tried, what came of each Iteration.

use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use noetl_domain::mask::Masker;
use noetl_domain::report::{ItemReport, Outcome, Report, Run};

use super::open::{Failure, Open, StepRun};
use super::{Context, shape};
use crate::fingerprints::Source;
use crate::rows::{EventRow, Name};

impl Context<'_> {
    pub(super) fn called(&mut self, open: &mut Open, row: &mut EventRow, report: &Report) -> &'static str {
        let duration_ms = (report.finished_ms - report.started_ms).max(0) as f64;
        (row.run, row.batch, row.attempt) = (report.id.run, report.id.batch, report.attempt);
        row.worker = self.names.get(&report.worker);
        row.duration_ms = duration_ms;
        let mut retries = 0;
        let one = open.run(&row.step, report.id.run, self.committed.at_ms);
        one.began_ms.get_or_insert(report.started_ms);
        one.run_ms += duration_ms;
        one.usage.add(report.usage);
        one.worker = Some(row.worker.clone());
        let (mut item, is_looped) = (0, one.is_looped);
        for run in &report.runs {
            self.succeeded(one, row, run, is_looped, &mut item);
        }
        for told in &report.items {
            retries += self.item(one, row, told, is_looped, &mut item);
        }
        row.tries = row.tries.max(1);
        one.attempts = one.attempts.max(row.tries);
        one.retries += retries;
        open.retries += retries;
        match &row.status {
            _ if row.fingerprint != 0 => "ERROR",
            status if **status == *"PARKED" => "PARKED",
            status if **status == *"CANCELLED" => "CANCELLED",
            _ => "OK",
        }
    }

    /// Iterations that simply went well; the size of each is its share of them all.
    fn succeeded(
        &mut self,
        one: &mut StepRun,
        row: &mut EventRow,
        run: &Run,
        is_looped: bool,
        item: &mut u32,
    ) {
        let text = run.results.get();
        row.bytes_out += text.len() as u64;
        one.bytes_out += text.len() as u64;
        one.iterations += run.count;
        if !is_looped {
            // An array of the one result.
            if let Ok(values) = serde_json::from_str::<Vec<noetl_domain::Value>>(text)
                && let [value] = values.as_slice()
            {
                one.rows_out = shape::rows(value, run.kind);
                one.result_shape = shape::of(value);
            }
            return;
        }
        let (name, status) = (self.names.get("call.item"), self.names.get("OK"));
        let none = self.names.get("");
        for index in 0..run.count {
            *item += 1;
            self.rows.events.push(EventRow {
                item: *item,
                event_type: name.clone(),
                iteration: (run.first + index) as i64,
                status: status.clone(),
                duration_ms: 0.0,
                tries: 1,
                bytes_out: text.len() as u64 / run.count.max(1),
                ..quiet(row, &none)
            });
        }
    }

    /// An Iteration that is worth telling; returns its retries.
    fn item(
        &mut self,
        one: &mut StepRun,
        row: &mut EventRow,
        told: &ItemReport,
        is_looped: bool,
        item: &mut u32,
    ) -> u32 {
        let tries = told.calls.iter().map(|call| call.attempt).max().unwrap_or(1);
        let retries = told.calls.iter().filter(|call| call.attempt > 1).count() as u32;
        one.retry_wait_ms += told.calls.iter().filter_map(|call| call.retry_after).sum::<f64>() * 1000.0;
        row.tries = row.tries.max(tries);
        let (status, result, failure) = match &told.outcome {
            Outcome::Ok { kind, result } => {
                one.iterations += 1;
                if !is_looped {
                    one.rows_out = shape::stored_rows(result, *kind);
                    one.result_shape = shape::of_stored(result);
                }
                ("OK", Some(result), None)
            }
            Outcome::Error { error, result, .. } => {
                one.iterations += 1;
                one.iterations_failed += 1;
                let failure = self.failure(&row.step, error, Some(&*row.tool));
                one.failure = Some(failure.clone());
                ("ERROR", Some(result), Some(failure))
            }
            Outcome::Parked { .. } => ("PARKED", None, None),
            Outcome::Cancelled => ("CANCELLED", None, None),
        };
        let status = self.names.get(status);
        let bytes = result.map_or(0, shape::stored_bytes);
        one.bytes_out += bytes;
        row.bytes_out += bytes;
        row.status = status.clone();
        if is_looped {
            *item += 1;
            let mut exploded = EventRow {
                item: *item,
                event_type: self.names.get("call.item"),
                iteration: told.index as i64,
                status,
                duration_ms: told.calls.iter().map(|call| call.duration_ms).sum(),
                tries,
                bytes_out: bytes,
                ..quiet(row, &self.names.get(""))
            };
            if let Some(failure) = &failure {
                failure.mark(&mut exploded);
            }
            self.rows.events.push(exploded);
        }
        self.tries(row, told, is_looped, item);
        if let Some(failure) = failure {
            failure.mark(row);
        }
        retries
    }

    /// A row for each try of calls that failed or were tried again: what the last one says hides why the first failed.
    fn tries(&mut self, row: &EventRow, told: &ItemReport, is_looped: bool, item: &mut u32) {
        let (name, none) = (self.names.get("call.try"), self.names.get(""));
        for call in &told.calls {
            *item += 1;
            let mut one = EventRow {
                item: *item,
                event_type: name.clone(),
                iteration: if is_looped { told.index as i64 } else { -1 },
                status: self.names.get(if call.error.is_some() { "ERROR" } else { "OK" }),
                tool: self.names.get(&call.tool),
                duration_ms: call.duration_ms,
                tries: call.attempt,
                bytes_out: 0,
                ..quiet(row, &none)
            };
            if let Some(error) = &call.error {
                self.failure(&row.step, error, Some(call.tool.as_str())).mark(&mut one);
            }
            self.rows.events.push(one);
        }
    }

    pub(super) fn failure(&mut self, step: &Name, error: &TaskError, tool: Option<&str>) -> Failure {
        // What the tool's own process masked is masked already; looks are cheap, and what is kept is kept for long.
        let message = Masker::new().text(&error.message).into_owned();
        let at = self.committed.at_ms;
        let seen = if self.is_first {
            self.fingerprints.of(&message, Source::Error, at)
        } else {
            self.fingerprints.again(&message, Source::Error, at)
        };
        Failure {
            step: step.clone(),
            cause: self.names.get(Cause::of(error, tool).code()),
            fingerprint: seen.id,
            error_kind: self.names.get(&error.kind),
            error_code: self.names.get(error.code.as_deref().unwrap_or_default()),
            status_code: error.status_code.unwrap_or(0),
            message: self.fingerprints.stored(seen.id, &message, self.policy.errors),
        }
    }
}

impl Failure {
    pub(super) fn mark(&self, row: &mut EventRow) {
        row.cause = self.cause.clone();
        row.fingerprint = self.fingerprint;
        row.error_kind = self.error_kind.clone();
        row.error_code = self.error_code.clone();
        row.status_code = self.status_code;
        row.message.clone_from(&self.message);
    }
}

/// A row for an Iteration: the Event's, without the error that another Iteration had.
fn quiet(row: &EventRow, none: &Name) -> EventRow {
    EventRow {
        cause: none.clone(),
        fingerprint: 0,
        error_kind: none.clone(),
        error_code: none.clone(),
        status_code: 0,
        message: String::new(),
        ..row.clone()
    }
}
