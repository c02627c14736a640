//! How many elements of a loop are worked on side by side: the Universal Scalability Law.

use noetl_api::proposal::{Effect, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::{LoopMode, Step};

use super::subject::{Draft, Findings, Refusal, Subject, estimate, number, percent};
use crate::statistics::{Interval, Scalability, interval_over_blocks, usl};

/// Never further than this times the largest number that was seen.
const BEYOND: f64 = 1.5;
const MATTERS: f64 = 0.10;
pub(crate) const FEWEST: usize = 12;

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    let parallel =
        |step: &&Step| step.looped.as_ref().is_some_and(|looped| looped.mode == LoopMode::Parallel);
    subject.playbook.steps.iter().filter(parallel).filter_map(|step| of_step(subject, step, tools)).collect()
}

/// The number to work with, given what was seen and what it is now.
pub(crate) fn choose(law: Scalability, seen: f64, (low, high): (f64, f64)) -> f64 {
    law.best().min(BEYOND * seen).clamp(low.ceil(), high).round().max(1.0)
}

/// What ran side by side, and the throughput, for each loop of a step.
pub(crate) fn points(subject: &Subject, step: &str) -> Vec<(f64, f64)> {
    let runs = subject.runs(step);
    let loops = runs.iter().filter_map(|(_, run)| run.looped.as_ref());
    // A loop shorter than its width never ran that many side by side.
    let whole = loops.filter(|one| one.wall_ms > 0.0 && one.iterations >= u64::from(one.concurrency).max(2));
    whole.map(|one| (f64::from(one.concurrency), one.iterations as f64 / one.wall_ms * 1_000.0)).collect()
}

/// Something that follows from the law, with the interval that other samples of the loops give it.
pub(crate) fn over(
    points: &[(f64, f64)],
    seed: u64,
    statistic: &dyn Fn(Scalability) -> f64,
) -> Option<Interval> {
    let blocks: Vec<Vec<(f64, f64)>> = points.iter().map(|point| vec![*point]).collect();
    interval_over_blocks(&blocks, seed, |sample| {
        usl(&sample.iter().map(|point| **point).collect::<Vec<_>>()).map(statistic)
    })
}

fn of_step(subject: &Subject, step: &Step, tools: &ToolSchemas) -> Option<Result<NewProposal, Refusal>> {
    let name = &step.name;
    let now = subject.current(name, Parameter::MaxInFlight).as_f64().unwrap_or(8.0);
    let points = points(subject, name);
    if points.len() < FEWEST {
        return None;
    }
    let refuse = |why: String| Some(Err(Refusal::of(ProposalKind::Concurrency, name, why)));
    let Some(law) = usl(&points) else {
        return refuse(
            "what ran side by side has not varied threefold, so that nothing is known about other numbers"
                .to_owned(),
        );
    };
    let seen = points.iter().map(|(n, _)| *n).fold(0.0, f64::max);
    let limits = subject.terms.range(Parameter::MaxInFlight, now);
    let chosen = choose(law, seen, limits);
    let gain = |law: Scalability| law.throughput(chosen) / law.throughput(now) - 1.0;
    let over = |statistic: &dyn Fn(Scalability) -> f64| over(&points, subject.version.into(), statistic);
    let interval = over(&gain);
    let Some(interval) =
        interval.filter(|interval| chosen != now && interval.value >= MATTERS && interval.low > 0.0)
    else {
        return refuse(format!("{now} side by side are within 10 % of the best that is known"));
    };
    let before = law.throughput(now);
    let (Some(throughput), Some(present)) =
        (over(&|law| law.throughput(chosen)), over(&|law| law.throughput(now)))
    else {
        return refuse("its throughput varies too much".to_owned());
    };
    let bound = if chosen >= limits.1.floor() || chosen <= limits.0.ceil() {
        "the largest step, and the policy".to_owned()
    } else if chosen >= (BEYOND * seen).floor() {
        format!("1.5 times the largest number that was seen, {seen}")
    } else {
        "the best of the fitted law".to_owned()
    };
    let cost = 1_000.0 / before;
    let draft = Draft {
        kind: ProposalKind::Concurrency,
        step: Some(name.clone()),
        cause: None,
        title: format!("work on {chosen} elements side by side instead of {now} in step {name}"),
        reason: format!(
            "Over {} loops of step `{name}` throughput follows a law with its best at {:.0} side by side [e:history]; \
             {chosen} are expected to do {} more than {now} [e:history].",
            points.len(),
            law.best().min(9_999.0),
            percent(interval.value)
        ),
        settings: vec![Setting { step: name.clone(), parameter: Parameter::MaxInFlight, value: number(chosen) }],
        n: points.len() as u64,
        censored: 0,
        estimate: estimate(format!("throughput of {name} with {chosen} side by side"), "items per s", throughput),
        counterfactual: estimate(
            format!("throughput of {name} with {now} side by side"),
            "items per s",
            present,
        ),
        bound,
        query: format!(
            "SELECT count() AS n FROM noetl_steps FINAL WHERE {} AND step = '{name}' AND iterations > 1",
            subject.scope_of(subject.comparable(name))
        ),
        effect: Effect {
            metric: "cost_ms_per_item".to_owned(),
            before: cost,
            expected: cost / (1.0 + interval.value),
            low: cost / (1.0 + interval.high),
            high: cost / (1.0 + interval.low),
        },
        risk: RiskLevel::Medium,
        risk_note: "More side by side is more load on the other side, which may answer with limits; the canary compares both."
            .to_owned(),
    };
    Some(subject.propose(draft, tools))
}
