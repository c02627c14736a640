//! Attempts and the waits between them, for each step and cause.
//!
//! What is known: how often retry 1, 2, … went well (hazards), with Beta posteriors that lean on the step when data
//! are few. Attempts of one outage are not independent, so counts are deflated by the design effect of time buckets.
//! Where retrying ends is where another try is not worth its cost; a change is proposed only when its gain is sure.

mod backoff;
mod curve;
mod next_call;
mod when;

use noetl_api::proposal::{Effect, ProposalKind, RiskLevel};
use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::Step;

use super::observed::{Failure, Observed, Series};
use super::subject::{Draft, Findings, Refusal, Subject, estimate, number, percent, rounded};
use crate::statistics::{Interval, share};
use backoff::{Room, Waits};
pub(crate) use curve::{Choice, Curve, Episode, Verdict};

/// Failing series below which nothing is said.
const FEWEST: usize = 20;
/// Retried series without one recovery that "do not retry" needs.
const HOPELESS: f64 = 149.0;
/// The share that a cause needs among a step's failures to be treated as the only one.
const ALONE: f64 = 0.95;

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    let mut found = Vec::new();
    for step in &subject.playbook.steps {
        for cause in causes(subject, step) {
            found.extend(of_cause(subject, step, &cause, tools));
        }
    }
    found
}

/// Causes of first failures, those seen often enough.
fn causes(subject: &Subject, step: &Step) -> Vec<String> {
    let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for (_, first, _) in failing(subject, &step.name) {
        *counts.entry(first.cause.clone()).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count >= FEWEST).map(|(cause, _)| cause).collect()
}

/// Series whose first try failed, with that failure.
fn failing<'s>(subject: &'s Subject, step: &str) -> Vec<(&'s Observed, &'s Failure, &'s Series)> {
    let mut found = Vec::new();
    for (one, run) in subject.runs(step) {
        for series in &run.series {
            if let Some(first) = series.tries.first().and_then(|first| first.failure.as_ref()) {
                found.push((one, first, series));
            }
        }
    }
    found
}

/// The curve of recovery for each cause of a step's failures that was seen often enough.
pub(crate) fn curves(subject: &Subject, step: &Step) -> Vec<(String, Curve)> {
    let all = failing(subject, &step.name);
    let curve = |cause: String| {
        let own = all.iter().filter(|(_, first, _)| first.cause == cause);
        let episodes: Vec<Episode> = own.map(|(one, _, series)| Episode::of(one, series)).collect();
        let curve = Curve::of(&episodes, subject.terms.failure_costs_ms);
        (cause, curve)
    };
    causes(subject, step).into_iter().map(curve).collect()
}

fn of_cause(subject: &Subject, step: &Step, cause: &str, tools: &ToolSchemas) -> Findings {
    let all = failing(subject, &step.name);
    let own: Vec<_> = all.iter().filter(|(_, first, _)| first.cause == cause).copied().collect();
    let episodes: Vec<Episode> = own.iter().map(|(one, _, series)| Episode::of(one, series)).collect();
    let curve = Curve::of(&episodes, subject.terms.failure_costs_ms);
    let refuse = |why: String| vec![Err(Refusal::of(ProposalKind::Retry, &step.name, why))];
    let written = subject.current(&step.name, Parameter::MaxAttempts);
    let attempts = match &written {
        Value::Null => 1,
        Value::Number(number) => number.as_u64().unwrap_or(1).max(1) as u32,
        _ => return refuse(format!("its attempts for {cause} are a template already")),
    };
    if attempts == 1 && curve.most_retries() == 0 {
        return next_call::first_retry(subject, step, cause, &own, tools);
    }
    // A single number answers when nearly all failures have this cause; otherwise the attempts depend on the cause.
    let is_alone = own.len() as f64 >= ALONE * all.len() as f64;
    let limits = subject.terms.range(Parameter::MaxAttempts, f64::from(attempts));
    let choice = match (curve.choose(attempts, limits), better_waits(subject, step, &curve, attempts)) {
        // One change of a step at a time: the one that leaves less to pay.
        (Verdict::Change(choice), Ok(waits)) if is_alone && waits.costs(&curve) < choice.costs(&curve) => {
            waits
        }
        (Verdict::Change(choice), _) => choice,
        (Verdict::Keep(_), Ok(waits)) if is_alone => waits,
        (Verdict::Keep(why), Err(more)) => return refuse(format!("{cause}: {why}; {more}")),
        (Verdict::Keep(why), Ok(_)) => return refuse(format!("{cause}: {why}")),
    };
    if let Some(waits) = choice.waits {
        let settings = settings_of(subject, step, waits);
        return vec![
            subject.propose(draft(subject, step, cause, attempts, &curve, &choice, settings), tools),
        ];
    }
    // "Do not retry this cause" says nothing about others, seen or not.
    let condition = if is_alone && choice.attempts > 1 { None } else { when::condition(&own, &all) };
    if condition.is_none() && !(is_alone && choice.attempts > 1) {
        return refuse(format!("no field of its errors tells {cause} from the others"));
    }
    if choice.attempts > attempts
        && let Err(why) = may_repeat_for(step, cause)
    {
        return refuse(why);
    }
    let value = match &condition {
        None => number(f64::from(choice.attempts)),
        Some(condition) => {
            Value::from(format!("{{{{ {} if {condition} else {attempts} }}}}", choice.attempts))
        }
    };
    let settings = vec![Setting { step: step.name.clone(), parameter: Parameter::MaxAttempts, value }];
    vec![subject.propose(draft(subject, step, cause, attempts, &curve, &choice, settings), tools)]
}

/// Other waits with the attempts in force, where they are numbers that can be moved.
fn better_waits(subject: &Subject, step: &Step, curve: &Curve, attempts: u32) -> Result<Choice, String> {
    let seconds = |parameter: Parameter| subject.current(&step.name, parameter).as_f64();
    let (Some(initial), Some(multiplier), Some(most)) =
        (seconds(Parameter::InitialDelay), seconds(Parameter::Multiplier), seconds(Parameter::MaxDelay))
    else {
        return Err("its waits are no plain numbers".to_owned());
    };
    let (low, high) = subject.terms.range(Parameter::InitialDelay, initial);
    let room = Room {
        now: Waits { initial_ms: initial * 1_000.0, multiplier, most_ms: most * 1_000.0 },
        attempts,
        initial_ms: (low * 1_000.0, high * 1_000.0),
        multiplier: subject.terms.range(Parameter::Multiplier, multiplier),
    };
    backoff::better(curve, &room)
}

/// The waits as settings, those that change.
fn settings_of(subject: &Subject, step: &Step, waits: Waits) -> Vec<Setting> {
    [
        (Parameter::InitialDelay, rounded(waits.initial_ms / 1_000.0)),
        (Parameter::Multiplier, rounded(waits.multiplier)),
    ]
    .into_iter()
    .filter(|(parameter, value)| subject.current(&step.name, *parameter).as_f64() != Some(*value))
    .map(|(parameter, value)| Setting { step: step.name.clone(), parameter, value: number(value) })
    .collect()
}

fn may_repeat_for(step: &Step, cause: &str) -> Result<&'static str, String> {
    super::idempotence::may_repeat(step).map_err(|why| format!("{cause} might pass, but {why}"))
}

fn draft(
    subject: &Subject,
    step: &Step,
    cause: &str,
    attempts: u32,
    curve: &Curve,
    choice: &Choice,
    settings: Vec<Setting>,
) -> Draft {
    let name = &step.name;
    let more = choice.attempts > attempts;
    let n = curve.episodes() as u64;
    let meaning = cause.parse::<Cause>().map_or(String::new(), |cause| format!(" ({})", cause.meaning()));
    let title = if let Some(waits) = choice.waits {
        let (first, growth) = (rounded(waits.initial_ms / 1_000.0), rounded(waits.multiplier));
        format!(
            "wait {first} s before step {name} is tried again after {cause}, and {growth} times as long each time"
        )
    } else if choice.attempts == 1 {
        format!("do not retry {cause} in step {name}: it never passed")
    } else if more {
        format!("try step {name} {} times instead of {attempts} after {cause}", choice.attempts)
    } else {
        format!("try step {name} only {} times instead of {attempts} after {cause}", choice.attempts)
    };
    let now = curve.recovered();
    let reason = format!(
        "Of {n} calls of step `{name}` that failed first with {cause}{meaning}, {} went well within {attempts} \
         attempts [e:history]. {} The change applies to version {} of the playbook [e:playbook].",
        percent(now.value),
        choice.why,
        subject.version,
    );
    let counterfactual =
        estimate(format!("share of {cause} in {name} that {attempts} attempts recover"), "share", now);
    let with = if choice.waits.is_some() { " with these waits" } else { "" };
    let chosen = estimate(
        format!("share of {cause} in {name} that {} attempts recover{with}", choice.attempts),
        "share",
        choice.recovered,
    );
    let effect = effect(subject, name, cause, now, choice, more || choice.waits.is_some());
    Draft {
        kind: ProposalKind::Retry,
        step: Some(name.clone()),
        cause: Some(cause.to_owned()),
        title,
        reason,
        settings,
        n,
        censored: curve.censored() as u64,
        estimate: chosen,
        counterfactual,
        bound: choice.bound.clone(),
        query: query(subject, name, cause),
        effect,
        risk: if more { RiskLevel::Medium } else { RiskLevel::Low },
        risk_note: if choice.waits.is_some() {
            "Other waits change when a failing call is tried again, not how often; the canary compares both."
                .to_owned()
        } else if more {
            format!(
                "More attempts are more load on what fails, and longer failures. Guards: {}; the waits between \
                 attempts stay, and the canary compares both.",
                super::idempotence::may_repeat(step).unwrap_or("the step may be repeated")
            )
        } else {
            "A failure that would have passed later now ends the call; the canary compares both.".to_owned()
        },
    }
}

/// More attempts let fewer executions fail; fewer attempts let them fail sooner.
fn effect(subject: &Subject, step: &str, cause: &str, now: Interval, choice: &Choice, more: bool) -> Effect {
    if !more {
        let (before, after) = (choice.cost_before_ms, choice.cost_after_ms);
        return Effect {
            metric: "cost_ms_per_item".to_owned(),
            before,
            expected: after.value,
            low: after.low,
            high: after.high,
        };
    }
    let present = subject.present();
    let failed_so = present
        .iter()
        .filter(|one| one.is_failed())
        .filter(|one| one.steps.iter().any(|run| run.step == step && is_end(run.series.last(), cause)))
        .count();
    let before = subject.failure_rate();
    let of_cause = if present.is_empty() { 0.0 } else { failed_so as f64 / present.len() as f64 };
    // What is lost now is 1 - now; what is lost then is 1 - then.
    let left = |then: f64| {
        let lost = (1.0 - now.value).max(1e-9);
        before - of_cause * (1.0 - ((1.0 - then) / lost).clamp(0.0, 1.0))
    };
    Effect {
        metric: "failure_rate".to_owned(),
        before,
        expected: left(choice.recovered.value),
        low: left(choice.recovered.high),
        high: left(choice.recovered.low),
    }
}

fn is_end(series: Option<&Series>, cause: &str) -> bool {
    series
        .and_then(|series| series.tries.last())
        .and_then(|last| last.failure.as_ref())
        .is_some_and(|failure| failure.cause == cause)
}

/// Tries are rows of their own in the events (`call.try`); the first of each call that failed counts.
fn query(subject: &Subject, step: &str, cause: &str) -> String {
    let executions: Vec<&Observed> = subject.comparable(step);
    let mut versions: Vec<u32> = executions.iter().map(|one| one.version).collect();
    versions.sort_unstable();
    versions.dedup();
    let versions: Vec<String> = versions.iter().map(u32::to_string).collect();
    format!(
        "SELECT count() AS n FROM noetl_events FINAL WHERE {} AND version IN ({}) AND step = '{step}' AND \
         event_type = 'call.try' AND tries = 1 AND cause = '{cause}'",
        subject.scope_of(executions.iter().copied()),
        versions.join(", "),
    )
}

/// A share over the whole step, for causes of which nothing else is known.
pub(crate) fn observed_share(hits: usize, of: usize) -> Interval {
    share(hits as u64, of as u64)
}

#[cfg(test)]
mod tests;
