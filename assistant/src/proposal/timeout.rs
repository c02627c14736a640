//! Deadlines from durations: Kaplan and Meier's curve, with the runs that the deadline itself cut short censored.

use noetl_api::proposal::{Effect, ProposalKind, RiskLevel};
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::Step;

use super::observed::{Observed, StepRun};
use super::subject::{Draft, Findings, Refusal, Subject, estimate, number, percent, rounded};
use crate::statistics::{Duration, Interval, claimable_quantile, drifted, quantile_bound, share};

const CAUSE: &str = "timeout.step";
/// Runs that the deadline must have ended before anything is said.
const FEWEST: usize = 8;
/// A change below this is not worth a new version.
const MATTERS: f64 = 1.25;

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    subject.playbook.steps.iter().filter_map(|step| of_step(subject, step, tools)).collect()
}

fn of_step(
    subject: &Subject,
    step: &Step,
    tools: &ToolSchemas,
) -> Option<Result<noetl_api::proposal::NewProposal, Refusal>> {
    let name = &step.name;
    // Without a deadline nothing is cut short, and nothing can be gained that is known.
    let deadline = subject.current(name, Parameter::Timeout).as_f64()? * 1_000.0;
    if step.looped.is_some() {
        return None;
    }
    let durations = durations(subject, name, deadline);
    let cut = durations.iter().filter(|one| one.is_censored).count();
    if cut < FEWEST {
        return None;
    }
    let refuse = |why: String| Some(Err(Refusal::of(ProposalKind::Timeout, name, why)));
    let (low_s, high_s) = subject.terms.range(Parameter::Timeout, deadline / 1_000.0);
    let (least, most) = (low_s * 1_000.0, high_s * 1_000.0);
    let values: Vec<f64> = durations.iter().map(|one| one.value).collect();
    if drifted(&values) {
        return refuse("its durations drift, so that what was says little about what will be".to_owned());
    }
    let Some(quantile) = claimable_quantile(durations.len()) else {
        return refuse(format!("{} runs are too few to claim even the 95 % quantile (59)", durations.len()));
    };
    let lost = share(cut as u64, durations.len() as u64);
    // What hangs does not end however long it is waited for; its quantile is that of the runs that do end.
    let hangs = hangs(&durations, deadline);
    let ending: Vec<Duration> = durations.iter().filter(|one| !(hangs && one.is_censored)).copied().collect();
    let quantile = if hangs { claimable_quantile(ending.len()).unwrap_or(quantile) } else { quantile };
    let bound = quantile_bound(&ending, quantile).filter(|bound| bound.high.is_finite());
    let (value_ms, interval, limit) = match bound {
        Some(bound) if bound.high * MATTERS < deadline => {
            let limit = if bound.high < least {
                "the largest step, and the policy"
            } else {
                "the upper bound of the quantile"
            };
            (bound.high.max(least), Some(bound), limit.to_owned())
        }
        Some(bound) if bound.high > deadline => {
            (bound.high.min(most), Some(bound), "the upper bound of the quantile".to_owned())
        }
        Some(_) => return refuse("its deadline is where the durations ask for it".to_owned()),
        // More ended unseen than the quantile leaves: the curve never gets there, and only a longer wait can tell.
        None => (
            most,
            None,
            format!(
                "the largest step, and the policy; {} ended unseen, more than the quantile leaves",
                percent(lost.value)
            ),
        ),
    };
    // Two digits, and no further than the policy allows.
    let seconds = rounded((value_ms / 1_000.0).max(0.001)).clamp(low_s, high_s);
    let longer = value_ms > deadline;
    let draft = draft(subject, step, deadline, seconds, quantile, &durations, interval, lost, limit, longer);
    Some(subject.propose(draft, tools))
}

#[expect(clippy::too_many_arguments, reason = "everything that was found out about one step")]
fn draft(
    subject: &Subject,
    step: &Step,
    deadline: f64,
    seconds: f64,
    quantile: f64,
    durations: &[Duration],
    interval: Option<Interval>,
    lost: Interval,
    limit: String,
    longer: bool,
) -> Draft {
    let name = &step.name;
    let n = durations.len() as u64;
    let censored = durations.iter().filter(|one| one.is_censored).count() as u64;
    let before = subject.failure_rate();
    let present: Vec<&Observed> = subject.present();
    let cut_now = present.iter().filter(|one| one.is_failed() && one.cause.as_deref() == Some(CAUSE)).count();
    let of_cause = if present.is_empty() { 0.0 } else { cut_now as f64 / present.len() as f64 };
    let effect = if longer {
        // Between none and all of those that were cut short end in the time that is added.
        Effect {
            metric: "failure_rate".to_owned(),
            before,
            expected: before - of_cause / 2.0,
            low: before - of_cause,
            high: before,
        }
    } else {
        let saved = (deadline - seconds * 1_000.0) * lost.value;
        let mean = durations.iter().map(|one| one.value).sum::<f64>() / n.max(1) as f64;
        Effect {
            metric: "cost_ms_per_item".to_owned(),
            before: mean,
            expected: mean - saved,
            low: mean - (deadline - seconds * 1_000.0) * lost.high,
            high: mean - (deadline - seconds * 1_000.0) * lost.low,
        }
    };
    let old = rounded(deadline / 1_000.0);
    let (found, told) = match interval {
        Some(interval) => (
            estimate(format!("{} quantile of the duration of {name}", percent(quantile)), "ms", interval),
            format!(
                "The {} quantile of the durations of those that end lies at {:.1} s",
                percent(quantile),
                interval.value / 1_000.0
            ),
        ),
        // Nobody saw how long those would have taken.
        None => (
            estimate(
                format!(
                    "share of runs of {name} that the longer deadline saves, between none and all of those cut"
                ),
                "share",
                Interval::new(lost.value / 2.0, 0.0, lost.value),
            ),
            format!(
                "That is more than the {} quantile leaves, so only a longer wait can tell",
                percent(quantile)
            ),
        ),
    };
    Draft {
        kind: ProposalKind::Timeout,
        step: Some(name.clone()),
        cause: Some(CAUSE.to_owned()),
        title: format!("give step {name} {seconds} s instead of {old} s"),
        reason: format!(
            "Of {n} runs of step `{name}` its deadline of {old} s ended {censored} [e:history]. {told} [e:history]."
        ),
        settings: vec![Setting { step: name.clone(), parameter: Parameter::Timeout, value: number(seconds) }],
        n,
        censored,
        estimate: found,
        counterfactual: estimate(format!("share of runs of {name} that {old} s cut short"), "share", lost),
        bound: limit,
        query: format!(
            "SELECT count() AS n FROM noetl_steps FINAL WHERE {} AND step = '{name}' AND run_ms > 0",
            subject.scope_of(subject.comparable(name))
        ),
        effect,
        risk: RiskLevel::Low,
        risk_note: if longer {
            "A call that hangs holds its worker longer; the canary compares both.".to_owned()
        } else {
            format!("{} of the runs are expected to take longer than the quantile.", percent(1.0 - quantile))
        },
    }
}

/// Whether nothing that lasted beyond half of the deadline ever ended by itself.
fn hangs(durations: &[Duration], deadline: f64) -> bool {
    let late = || durations.iter().filter(|one| one.value > deadline / 2.0);
    late().count() >= FEWEST && late().all(|one| one.is_censored)
}

/// How long the runs of a step took, those that a deadline cut short censored.
pub(crate) fn durations(subject: &Subject, step: &str, deadline_ms: f64) -> Vec<Duration> {
    subject.runs(step).iter().filter_map(|(_, run)| duration(run, deadline_ms)).collect()
}

fn duration(run: &StepRun, deadline: f64) -> Option<Duration> {
    if run.work_ms <= 0.0 || run.exited_ms.is_none() {
        return None;
    }
    let is_censored = run.is_failed && run.cause.as_deref() == Some(CAUSE);
    if run.is_failed && !is_censored {
        return None;
    }
    Some(Duration { value: if is_censored { run.work_ms.min(deadline) } else { run.work_ms }, is_censored })
}
