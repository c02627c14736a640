//! What a Proposal would have done to the executions of its window, replayed over what they recorded.
//!
//! What was recorded decides where it can: an attempt that was made, a run that took longer. Where it cannot, the
//! execution is undecided, and counts with the Proposal's own estimate and its interval.

use noetl_api::proposal::{Change, NewProposal, ProposalKind, Simulation};

use super::observed::{Observed, Series, StepRun};
use super::subject::{Subject, percent};
use crate::statistics::{Interval, median, percentile};

/// Replays a Proposal over the executions of the version that it is about.
pub fn simulate(subject: &Subject, proposal: &NewProposal) -> Simulation {
    let replayed: Vec<&Observed> =
        subject.history.iter().filter(|one| one.version == proposal.base_version).collect();
    let fates: Vec<Fate> = replayed.iter().map(|one| fate(one, proposal)).collect();
    let failed_before = replayed.iter().filter(|one| one.is_failed()).count() as u64;
    let undecided = fates.iter().filter(|fate| matches!(fate, Fate::Undecided { .. })).count() as u64;
    let sum = |pick: fn(&Interval) -> f64| fates.iter().map(|fate| pick(&fate.fails())).sum::<f64>();
    let failed = Interval::new(sum(|one| one.value), sum(|one| one.low), sum(|one| one.high));
    let before: Vec<f64> = replayed.iter().map(|one| one.duration_ms()).collect();
    let after: Vec<f64> = replayed
        .iter()
        .zip(&fates)
        .map(|(one, fate)| (one.duration_ms() + fate.longer_ms()).max(0.0))
        .collect();
    let middle = median(&after);
    // Half the distance to the neighbours in rank that chance may exchange.
    let half = 1.96 * 0.5 / (after.len().max(1) as f64).sqrt();
    let duration = Interval::new(middle, percentile(&after, 0.5 - half), percentile(&after, 0.5 + half));
    let reading = reading(proposal, replayed.len(), failed_before, undecided, failed);
    Simulation {
        proposal_id: String::new(),
        executions: replayed.len() as u64,
        undecided,
        failed_before,
        failed_after: super::subject::estimate("executions that fail under the change", "executions", failed),
        duration_ms_before: median(&before),
        duration_ms_after: super::subject::estimate("median duration under the change", "ms", duration),
        reading,
    }
}

enum Fate {
    /// As recorded, so many milliseconds longer.
    Same { failed: bool, longer_ms: f64 },
    /// The recorded data tell that it ends otherwise.
    Decided { failed: bool, longer_ms: f64 },
    /// The chance that it fails.
    Undecided { fails: Interval, longer_ms: f64 },
}

impl Fate {
    fn fails(&self) -> Interval {
        match self {
            Self::Same { failed, .. } | Self::Decided { failed, .. } => {
                let sure = f64::from(u8::from(*failed));
                Interval::new(sure, sure, sure)
            }
            Self::Undecided { fails, .. } => *fails,
        }
    }

    fn longer_ms(&self) -> f64 {
        match self {
            Self::Same { longer_ms, .. }
            | Self::Decided { longer_ms, .. }
            | Self::Undecided { longer_ms, .. } => *longer_ms,
        }
    }
}

fn fate(one: &Observed, proposal: &NewProposal) -> Fate {
    let same = Fate::Same { failed: one.is_failed(), longer_ms: 0.0 };
    let Some(step) = proposal.step.as_deref() else { return same };
    let runs: Vec<&StepRun> = one.steps.iter().filter(|run| run.step == step).collect();
    match proposal.kind {
        ProposalKind::Retry => retried(one, &runs, proposal).unwrap_or(same),
        ProposalKind::Timeout => timed(one, &runs, proposal).unwrap_or(same),
        ProposalKind::BatchSize | ProposalKind::Concurrency | ProposalKind::Pool => {
            // The work of the step takes the share that the estimate says.
            let work: f64 = runs.iter().map(|run| run.work_ms).sum();
            let ratio = proposal.grounds.estimate.value / proposal.grounds.counterfactual.value.max(1e-9);
            let ratio =
                if proposal.kind == ProposalKind::Concurrency { 1.0 / ratio.max(1e-9) } else { ratio };
            Fate::Same { failed: one.is_failed(), longer_ms: work * (ratio - 1.0) }
        }
        ProposalKind::Parallelise => {
            let saved = if one.is_failed() { 0.0 } else { proposal.grounds.estimate.value };
            Fate::Same { failed: one.is_failed(), longer_ms: -saved }
        }
        ProposalKind::Credential => {
            let is_of_it = one.is_failed() && one.cause == proposal.cause;
            if is_of_it {
                Fate::Undecided { fails: Interval::new(0.0, 0.0, 1.0), longer_ms: 0.0 }
            } else {
                same
            }
        }
        ProposalKind::SchemaGuard | ProposalKind::Step => same,
    }
}

fn after<'p>(proposal: &'p NewProposal, parameter: &str) -> Option<&'p Change> {
    proposal.changes.iter().find(|change| change.parameter == parameter)
}

/// Attempts for the cause: a number, or the first number of a condition on it.
pub(crate) fn attempts_of(value: &noetl_domain::Value) -> Option<u32> {
    let number = |text: &str| {
        text.trim_start_matches("{{").split_whitespace().next().and_then(|word| word.parse().ok())
    };
    value.as_u64().map(|count| count as u32).or_else(|| value.as_str().and_then(number))
}

fn retried(one: &Observed, runs: &[&StepRun], proposal: &NewProposal) -> Option<Fate> {
    let (now, then) = if let Some(change) = after(proposal, "retry.max_attempts") {
        (attempts_of(&change.before).unwrap_or(1), attempts_of(&change.after)?)
    } else {
        // Other waits: as many attempts as were made at most.
        after(proposal, "retry.initial_delay").or_else(|| after(proposal, "retry.multiplier"))?;
        let most = runs.iter().flat_map(|run| &run.series).map(|series| series.tries.len()).max()?;
        (most as u32, most as u32)
    };
    let of_cause = |series: &&Series| {
        let first = series.tries.first().and_then(|first| first.failure.as_ref());
        first.is_some_and(|first| Some(&first.cause) == proposal.cause.as_ref())
    };
    let series: Vec<&Series> = runs.iter().flat_map(|run| &run.series).filter(of_cause).collect();
    if series.is_empty() {
        return None;
    }
    if then < now {
        // What was tried is known: a series that needed more now fails, and every one ends sooner.
        let beyond = |one: &&Series| one.tries.len() as u32 > then;
        let saved: f64 = series
            .iter()
            .filter(|one| beyond(one))
            .flat_map(|one| one.tries.iter().skip(then as usize - 1))
            .map(|one| one.wait_ms + one.duration_ms)
            .sum();
        let loses = series.iter().any(|one| beyond(one) && one.has_recovered());
        return Some(Fate::Decided { failed: one.is_failed() || loses, longer_ms: -saved });
    }
    let exhausted = series.iter().any(|series| !series.has_recovered() && series.tries.len() as u32 >= now);
    if !(one.is_failed() && exhausted) {
        return None;
    }
    // Of those that the present attempts lose, the share that the new ones recover.
    let (present, changed) = (&proposal.grounds.counterfactual, &proposal.grounds.estimate);
    let lost = (1.0 - present.value).max(1e-9);
    let still = |then: f64| ((1.0 - then) / lost).clamp(0.0, 1.0);
    let fails = Interval::new(still(changed.value), still(changed.high), still(changed.low));
    let last = series
        .last()
        .map_or(0.0, |one| one.tries.iter().map(|one| one.wait_ms + one.duration_ms).sum::<f64>());
    Some(Fate::Undecided { fails, longer_ms: last / f64::from(now.max(1)) * f64::from(then - now) })
}

fn timed(one: &Observed, runs: &[&StepRun], proposal: &NewProposal) -> Option<Fate> {
    let change = after(proposal, "timeout")?;
    let (old, new) = (change.before.as_f64()? * 1_000.0, change.after.as_f64()? * 1_000.0);
    let cut = runs.iter().any(|run| run.is_failed && run.cause.as_deref() == Some("timeout.step"));
    if new > old {
        return (cut && one.is_failed())
            .then(|| Fate::Undecided { fails: Interval::new(0.5, 0.0, 1.0), longer_ms: (new - old) / 2.0 });
    }
    let longest = runs.iter().map(|run| run.work_ms).fold(0.0, f64::max);
    (longest > new).then_some(Fate::Decided { failed: true, longer_ms: new - longest })
}

fn reading(proposal: &NewProposal, n: usize, failed: u64, undecided: u64, after: Interval) -> String {
    if n == 0 {
        return "No execution of this version has ended, so there is nothing to replay.".to_owned();
    }
    let rate = |count: f64| percent(count / n as f64);
    let told = match undecided {
        0 => "The recorded data decide every one of them.".to_owned(),
        _ => format!(
            "For {undecided} of them the recorded data cannot tell how they would have ended; they count with the \
             estimate of the proposal."
        ),
    };
    format!(
        "Of {n} executions of version {} {failed} failed ({}); under the change {:.0} are expected to ({}, between {} \
         and {}). {told} It is assumed that the change alters nothing else.",
        proposal.base_version,
        rate(failed as f64),
        after.value,
        rate(after.value),
        rate(after.low),
        rate(after.high),
    )
}
