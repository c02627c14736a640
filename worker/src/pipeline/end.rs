//! How a run through a Step's body ends: its saves, its Report, and where its result lies.

use std::sync::Arc;

use noetl_domain::Value;
use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::report::{ItemReport, Outcome};
use noetl_domain::result::Stored;

use super::{Pipeline, Stop};
use crate::save;

impl Pipeline<'_> {
    /// The saves of the Step, once after its tool; those of a loop run after the loop.
    pub(super) async fn save_step(
        &mut self,
        end: Result<Arc<StepResult>, Stop>,
    ) -> Result<Arc<StepResult>, Stop> {
        if self.step.saves.is_empty() || self.step.looped.is_some() {
            return end;
        }
        let outcome = match &end {
            Ok(outcome) | Err(Stop::Failed(outcome)) => Arc::clone(outcome),
            Err(Stop::Parked(_) | Stop::Cancelled) => return end,
        };
        let scope = self.with_outcome(&outcome);
        let auth = self.step.body.first().and_then(|task| task.auth.as_ref());
        let saved = save::run(self, &self.step.saves, &scope, outcome.error.is_some(), auth).await;
        let outcome = with_save(outcome, saved);
        if outcome.error.is_some() { Err(Stop::Failed(outcome)) } else { Ok(outcome) }
    }

    pub(super) async fn report(mut self, end: Result<Arc<StepResult>, Stop>) -> ItemReport {
        let job = self.job;
        let outcome = match end {
            Ok(result) => {
                let kind = result.kind;
                match self.store(result).await {
                    Ok(result) => Outcome::Ok { kind, result },
                    Err(error) => Outcome::Error { error, kind, result: Stored::default() },
                }
            }
            Err(Stop::Failed(result)) => {
                let mut error = result.error.clone().unwrap_or_default();
                job.conceal_error(&mut error);
                let kind = result.kind;
                let result = self.store(result).await.unwrap_or_default();
                Outcome::Error { error, kind, result }
            }
            Err(Stop::Parked(on)) => {
                let mut state = std::mem::take(&mut self.state);
                for map in [&mut state.ctx, &mut state.iter, &mut state.step, &mut state.extra] {
                    job.conceal_map(map);
                }
                for result in state.results.values_mut() {
                    if let Stored::Inline(value) = &mut result.value {
                        job.conceal(value);
                    }
                }
                Outcome::Parked { on, state }
            }
            Err(Stop::Cancelled) => Outcome::Cancelled,
        };
        let mut report = ItemReport {
            index: self.index.unwrap_or(0),
            outcome,
            ctx: self.state.ctx,
            step: self.state.step,
            case: self.case,
            collected: self.collected,
            calls: self.calls,
        };
        for map in [&mut report.ctx, &mut report.step, &mut report.collected] {
            job.conceal_map(map);
        }
        let is_telling = report.calls.iter().any(|call| call.error.is_some() || call.retry_after.is_some());
        if !is_telling && (report.calls.len() < 2 || self.step.looped.is_some()) {
            report.calls.clear();
        }
        for call in &mut report.calls {
            if let Some(error) = &mut call.error {
                job.conceal_error(error);
            }
        }
        report
    }

    /// Masks a result, and puts it outside the log when it is large.
    pub(super) async fn store(&self, result: Arc<StepResult>) -> Result<Stored, TaskError> {
        let result = Arc::unwrap_or_clone(result);
        let mut value = match result.value {
            Stored::Inline(value) => value,
            reference @ Stored::Ref(_) => return Ok(reference),
        };
        self.job.conceal(&mut value);
        let limit = self.job.services.config.inline_limit;
        if weight(&value, limit) <= limit {
            return Ok(Stored::Inline(value));
        }
        let select = match &self.step.output {
            Some(output) if !output.select.is_empty() => output.select.clone(),
            _ => self.step.body.iter().flat_map(|task| task.select.clone()).collect(),
        };
        let unstored = |error: &dyn std::fmt::Display| {
            TaskError::new("storage", format!("a large result could not be stored: {error}")).retryable()
        };
        let text = serde_json::to_vec(&value).map_err(|error| unstored(&error))?;
        if text.len() <= limit {
            return Ok(Stored::Inline(value));
        }
        let id = &self.job.command.id;
        let stored = self.job.services.results.put_text(id.execution, &id.step, &value, text, &select).await;
        stored.map(Stored::Ref).map_err(|error| unstored(&error))
    }
}

/// A save that failed is the outcome's error, unless there is one already.
pub(super) fn with_save(outcome: Arc<StepResult>, saved: Result<(), TaskError>) -> Arc<StepResult> {
    match saved {
        Err(error) if outcome.error.is_none() => Arc::new(StepResult {
            status: "FAILED".into(),
            error: Some(error),
            ..StepResult::clone(&outcome)
        }),
        Err(_) | Ok(()) => outcome,
    }
}

/// About the length of a value as JSON text, never less; stops counting past the limit.
fn weight(value: &Value, limit: usize) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 24,
        // Control characters take six bytes each; anything near the limit is measured exactly afterwards.
        Value::String(text) => text.len() + text.len() / 8 + 2,
        Value::Array(items) => {
            let mut sum = 2;
            for item in items {
                sum += 1 + weight(item, limit);
                if sum > limit {
                    break;
                }
            }
            sum
        }
        Value::Object(map) => {
            let mut sum = 2;
            for (key, item) in map {
                sum += key.len() + 4 + weight(item, limit);
                if sum > limit {
                    break;
                }
            }
            sum
        }
    }
}
