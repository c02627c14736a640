//! Steps in sequence that read nothing of each other can run side by side.
//!
//! The data flow says what a step reads; what it changes outside, nobody can see. So both steps must be safe to repeat,
//! which those that only read are.

use noetl_api::proposal::{Effect, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::{Arc, Join, Step};
use serde_json::json;

use super::observed::Observed;
use super::subject::{Draft, Findings, Refusal, Subject, estimate};
use crate::evidence::{routes_into, static_reads, writes_of};
use crate::statistics::{Duration, interval_of_mean, median, quantile_bound};

const FEWEST: usize = 20;
/// Share of an execution that must be saved.
const MATTERS: f64 = 0.10;

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    let mut found = Vec::new();
    for first in &subject.playbook.steps {
        if let Some(chain) = Chain::from(subject, first) {
            found.extend(of_chain(subject, &chain, tools));
        }
    }
    found
}

/// before → first → second → after, each the only way.
struct Chain<'p> {
    before: &'p Step,
    first: &'p Step,
    second: &'p Step,
    after: &'p Step,
}

impl<'p> Chain<'p> {
    fn from(subject: &'p Subject, first: &'p Step) -> Option<Self> {
        let playbook = &subject.playbook;
        let only = |step: &'p Step| match step.routes.arcs.as_slice() {
            [arc] if is_plain(step, arc) => playbook.step(&arc.to),
            _ => None,
        };
        let second = only(first)?;
        let after = only(second)?;
        let into = |step: &Step| routes_into(playbook, &step.name);
        let (into_first, into_second) = (into(first), into(second));
        let [(before, arc)] = into_first.as_slice() else { return None };
        let is_chain = into_second.len() == 1
            && into(after).len() == 1
            && is_plain(before, arc)
            && before.routes.arcs.len() == 1
            && after.join == Join::Barrier
            && [first, second].iter().all(|step| !step.body.is_empty())
            && ![first.name.as_str(), second.name.as_str()].contains(&after.name.as_str());
        is_chain.then_some(Self { before, first, second, after })
    }
}

fn is_plain(step: &Step, arc: &Arc) -> bool {
    arc.when.is_none()
        && arc.inputs.is_empty()
        && arc.sets.is_empty()
        && step.routes.otherwise.is_empty()
        && step.cases.is_empty()
        && step.guard.is_none()
}

fn of_chain(
    subject: &Subject,
    chain: &Chain<'_>,
    tools: &ToolSchemas,
) -> Option<Result<NewProposal, Refusal>> {
    let Chain { before, first, second, after } = chain;
    let reads = static_reads(&subject.playbook, second);
    let written = writes_of(first);
    if reads.iter().any(|name| *name == first.name || written.contains(name)) {
        return None;
    }
    let gains: Vec<(f64, f64)> =
        subject.present().into_iter().filter_map(|one| gain(one, first, second)).collect();
    if gains.len() < FEWEST {
        return None;
    }
    let saved: Vec<f64> = gains.iter().map(|(saved, _)| *saved).collect();
    let totals: Vec<f64> = gains.iter().map(|(_, total)| *total).collect();
    let (total, blocks) = (median(&totals), saved.iter().map(|one| vec![*one]).collect::<Vec<_>>());
    let interval = interval_of_mean(&blocks)?;
    let ended: Vec<Duration> =
        totals.iter().map(|value| Duration { value: *value, is_censored: false }).collect();
    let middle = quantile_bound(&ended, 0.5).filter(|middle| middle.high.is_finite())?;
    if interval.low < MATTERS * total {
        return None;
    }
    for step in [first, second] {
        if let Err(why) = super::idempotence::may_repeat(step) {
            let why = format!(
                "whether another order of {} and {} is safe is not known: {why}",
                first.name, second.name
            );
            return Some(Err(Refusal::of(ProposalKind::Parallelise, &first.name, why)));
        }
    }
    let (a, b) = (&first.name, &second.name);
    let set = |step: &str, targets: serde_json::Value| Setting {
        step: step.to_owned(),
        parameter: Parameter::Arcs,
        value: targets,
    };
    let draft = Draft {
        kind: ProposalKind::Parallelise,
        step: Some(a.clone()),
        cause: None,
        title: format!("run steps {a} and {b} side by side"),
        reason: format!(
            "Step `{b}` follows step `{a}` and reads nothing of it [e:playbook]. Over {} executions the shorter of the \
             two took {:.0} ms, which nobody would wait for [e:history].",
            gains.len(),
            interval.value
        ),
        settings: vec![
            set(&before.name, json!([a, b])),
            set(a, json!([after.name])),
        ],
        n: gains.len() as u64,
        censored: 0,
        estimate: estimate(format!("time saved by running {a} beside {b}"), "ms", interval),
        counterfactual: estimate("median duration of an execution", "ms", middle),
        bound: "the shorter of the two steps: no more can be saved".to_owned(),
        query: format!(
            "SELECT count(DISTINCT execution_id) AS n FROM noetl_steps FINAL WHERE {} AND version = {} AND step = '{b}' \
             AND status = 'COMPLETED'",
            subject.scope_of(subject.present()),
            subject.version
        ),
        effect: Effect {
            metric: "duration_ms".to_owned(),
            before: total,
            expected: total - interval.value,
            low: total - interval.high,
            high: total - interval.low,
        },
        risk: RiskLevel::High,
        risk_note: "What the steps do outside of NoETL may need their order, which no template shows; both only read or \
                    are marked idempotent, and the canary compares both orders."
            .to_owned(),
    };
    Some(subject.propose(draft, tools))
}

/// What one execution would have saved, and how long it took.
fn gain(one: &Observed, first: &Step, second: &Step) -> Option<(f64, f64)> {
    let took = |name: &str| {
        let run = one.steps.iter().find(|run| run.step == name && !run.is_failed)?;
        Some((run.exited_ms? - run.entered_ms) as f64)
    };
    Some((took(&first.name)?.min(took(&second.name)?), one.duration_ms())).filter(|_| !one.is_failed())
}
