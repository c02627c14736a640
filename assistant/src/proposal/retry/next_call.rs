//! A step that is never tried again tells nothing of retries; the next call of the same step, in another execution,
//! tells whether the fault passes.

use noetl_api::proposal::{Effect, ProposalKind, RiskLevel};
use noetl_domain::cause::Cause;
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::Step;

use super::super::observed::{Failure, Observed, Series};
use super::super::subject::{Draft, Findings, Refusal, Subject, estimate, number, percent, rounded};
use super::{FEWEST, may_repeat_for, observed_share, query};
use crate::statistics::{Interval, median};

/// The next call must come within this time to say something about a retry.
const SOON_MS: i64 = 300_000;
/// The first retry is proposed when at least this share of next calls surely went well.
const CLEARLY: f64 = 0.3;

pub(super) fn first_retry(
    subject: &Subject,
    step: &Step,
    cause: &str,
    own: &[(&Observed, &Failure, &Series)],
    tools: &ToolSchemas,
) -> Findings {
    let name = &step.name;
    let refuse = |why: String| vec![Err(Refusal::of(ProposalKind::Retry, name, why))];
    if !cause.parse::<Cause>().is_ok_and(Cause::is_transient) {
        return refuse(format!(
            "{cause} does not pass by itself, and nothing was retried that says otherwise"
        ));
    }
    if let Err(why) = may_repeat_for(step, cause) {
        return refuse(why);
    }
    let (well, gaps) = next_calls(subject, name, own);
    if gaps.len() < FEWEST {
        return refuse(format!("{cause}: only {} failures were followed by another call soon", gaps.len()));
    }
    let share = observed_share(well, gaps.len());
    if share.low < CLEARLY {
        return refuse(format!(
            "{cause}: the next call went well in {} of the cases, surely in no more than {}",
            percent(share.value),
            percent(share.low)
        ));
    }
    let delay = rounded((median(&gaps) / 1_000.0).clamp(0.5, 30.0));
    let present = subject.present();
    let failed = present
        .iter()
        .filter(|one| one.is_failed() && one.steps.iter().any(|run| run.step == *name && run.is_failed))
        .count();
    let of_step = if present.is_empty() { 0.0 } else { failed as f64 / present.len() as f64 };
    let before = subject.failure_rate();
    let left = |recovered: f64| before - of_step * recovered;
    let settings = [(Parameter::MaxAttempts, 2.0), (Parameter::InitialDelay, delay)];
    let settings =
        settings.map(|(parameter, value)| Setting { step: name.clone(), parameter, value: number(value) });
    let nothing = Interval::new(0.0, 0.0, 0.0);
    let draft = Draft {
        kind: ProposalKind::Retry,
        step: Some(name.clone()),
        cause: Some(cause.to_owned()),
        title: format!("try step {name} a second time after {cause}"),
        reason: format!(
            "Step `{name}` failed {} times with {cause} and is never tried again [e:history]. In {} of {} cases the \
             next call of the step, in another execution, went well [e:history]. The change applies to version {} of \
             the playbook [e:playbook].",
            own.len(),
            well,
            gaps.len(),
            subject.version
        ),
        settings: settings.to_vec(),
        n: own.len() as u64,
        censored: own.len() as u64,
        estimate: estimate(
            format!("share of {cause} in {name} after which the next call went well"),
            "share",
            share,
        ),
        counterfactual: estimate(
            format!("share of {cause} in {name} that 1 attempt recovers"),
            "share",
            nothing,
        ),
        bound: "the largest step: at most 2 attempts, twice of 1".to_owned(),
        query: query(subject, name, cause),
        effect: Effect {
            metric: "failure_rate".to_owned(),
            before,
            expected: left(share.value),
            low: left(share.high),
            high: left(share.low),
        },
        risk: RiskLevel::Medium,
        risk_note: format!(
            "No retry of this step was ever seen; the estimate is of other calls. Guards: {}, and \
             the canary compares both.",
            super::super::idempotence::may_repeat(step).unwrap_or("the step may be repeated")
        ),
    };
    vec![subject.propose(draft, tools)]
}

/// Of the failures that another execution followed soon: how many of those went well, and after how long.
fn next_calls(subject: &Subject, step: &str, own: &[(&Observed, &Failure, &Series)]) -> (usize, Vec<f64>) {
    let mut calls: Vec<(i64, u64, bool)> = subject
        .runs(step)
        .into_iter()
        .map(|(one, run)| (run.entered_ms, one.execution.0, !run.is_failed))
        .collect();
    calls.sort_unstable();
    let (mut well, mut gaps) = (0, Vec::new());
    for (one, ..) in own {
        let Some(failed) = one.steps.iter().rfind(|run| run.step == step) else { continue };
        let end = failed.exited_ms.unwrap_or(one.ended_ms);
        let at = calls.partition_point(|(entered, ..)| *entered < end);
        let next = calls[at..].iter().find(|(_, execution, _)| *execution != one.execution.0);
        if let Some((entered, _, went_well)) = next
            && entered - end <= SOON_MS
        {
            well += usize::from(*went_well);
            gaps.push((entered - end) as f64);
        }
    }
    (well, gaps)
}
