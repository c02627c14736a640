//! The retry blocks of B and C (playbooks.md 8.1, 8.2): whether to try again, and after how long.

use std::sync::Arc;

use noetl_domain::Value;
use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Backoff, Retry};
use noetl_domain::result::Stored;
use noetl_domain::template::{self, Scope};

use crate::fields;
use crate::pipeline::Pipeline;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The outcome stands.
    Settled,
    /// `stop_when` was true: the outcome is a success.
    Success,
    /// Try again after so many seconds.
    Again(f64),
}

/// Judges an outcome by the first block that applies.
pub(crate) async fn judge(
    pipeline: &Pipeline<'_>,
    blocks: &[Retry],
    outcome: &Arc<StepResult>,
    attempt: u32,
) -> Result<Verdict, TaskError> {
    let (job, base) = (pipeline.job, pipeline.base);
    for block in blocks {
        let mut scope = pipeline.scope.child();
        let max = base.value(job, &scope, &block.max_attempts).await?;
        let max = fields::integer(&max).map_or(3, |max| max.clamp(1, i64::from(u32::MAX)) as u32);
        let views = template::outcome_view(status(outcome), Arc::clone(outcome), None);
        views.bind_retry(&mut scope, attempt, max);
        if let Some(stop) = &block.stop_when
            && base.test(job, &scope, stop).await?
        {
            return Ok(Verdict::Success);
        }
        let applies = match &block.when {
            Some(when) => base.test(job, &scope, when).await?,
            None => outcome.error.is_some() || says_no(outcome),
        };
        if !applies {
            continue;
        }
        if attempt >= max {
            return Ok(Verdict::Settled);
        }
        let initial = number(pipeline, &scope, &block.initial_delay_seconds, 1.0).await?;
        let most = number(pipeline, &scope, &block.max_delay_seconds, 60.0).await?;
        let grown = if block.linear {
            backoff(Backoff::Linear, initial, attempt)
        } else {
            let multiplier = number(pipeline, &scope, &block.multiplier, 2.0).await?;
            initial * multiplier.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX))
        };
        let mut delay = grown.min(most);
        if block.jitter {
            delay *= rand::random_range(0.5..=1.0);
        }
        return Ok(Verdict::Again(if delay.is_finite() { delay } else { most }));
    }
    Ok(Verdict::Settled)
}

async fn number(
    pipeline: &Pipeline<'_>,
    scope: &Scope,
    written: &Value,
    otherwise: f64,
) -> Result<f64, TaskError> {
    let rendered = pipeline.base.value(pipeline.job, scope, written).await?;
    Ok(fields::seconds(&rendered).unwrap_or(otherwise))
}

/// Seconds before the try after this one, for the rules of D and E.
pub(crate) fn backoff(backoff: Backoff, delay: f64, attempt: u32) -> f64 {
    let attempt = attempt.max(1);
    match backoff {
        Backoff::None => 0.0,
        Backoff::Fixed => delay,
        Backoff::Linear => delay * f64::from(attempt),
        Backoff::Exponential => delay * 2f64.powi(i32::try_from(attempt - 1).unwrap_or(i32::MAX)),
    }
}

/// `success: false` in what came back.
fn says_no(outcome: &StepResult) -> bool {
    matches!(&outcome.value, Stored::Inline(value) if value.get("success") == Some(&Value::Bool(false)))
}

pub(crate) fn status(outcome: &StepResult) -> &'static str {
    if outcome.error.is_some() { "error" } else { "ok" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_as_their_names_say() {
        let cases = [
            (Backoff::None, [0.0, 0.0, 0.0]),
            (Backoff::Fixed, [0.5, 0.5, 0.5]),
            (Backoff::Linear, [0.5, 1.0, 1.5]),
            (Backoff::Exponential, [0.5, 1.0, 2.0]),
        ];
        for (kind, expected) in cases {
            assert_eq!([1, 2, 3].map(|attempt| backoff(kind, 0.5, attempt)), expected, "{kind:?}");
        }
    }
}
