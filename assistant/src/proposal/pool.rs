//! Which pool, and so which hardware, runs a step: the cheapest whose durations meet the deadline.

use std::collections::BTreeMap;

use noetl_api::proposal::{Effect, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::Value;
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::Step;

use super::subject::{Draft, Findings, Refusal, Subject, estimate, percent};
use crate::statistics::{Duration, Interval, interval_of_mean, quantile_bound, share};

/// Runs of each pool that a comparison of 95 % quantiles needs.
const FEWEST: usize = 59;
const MATTERS: f64 = 0.10;

struct Seen {
    cost: Interval,
    slow: Interval,
    failing: Interval,
    runs: usize,
}

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    subject.playbook.steps.iter().filter_map(|step| of_step(subject, step, tools)).collect()
}

fn of_step(subject: &Subject, step: &Step, tools: &ToolSchemas) -> Option<Result<NewProposal, Refusal>> {
    let name = &step.name;
    let mut runs: BTreeMap<String, Vec<(f64, bool)>> = BTreeMap::new();
    for (one, run) in subject.runs(name) {
        let then = subject.versions.iter().find(|(version, _)| *version == one.version);
        let pool = then.and_then(|(_, playbook)| playbook.step(name)?.pool.clone());
        let items = run.looped.as_ref().map_or(1, |looped| looped.elements.max(1)) as f64;
        runs.entry(pool.unwrap_or_else(|| "default".to_owned()))
            .or_default()
            .push((run.work_ms / items, run.is_failed));
    }
    if runs.len() < 2 {
        // Another pool is only ever tried by somebody's canary.
        return None;
    }
    let refuse = |why: String| Some(Err(Refusal::of(ProposalKind::Pool, name, why)));
    let seen: BTreeMap<&String, Seen> =
        runs.iter().filter_map(|(pool, runs)| Some((pool, seen(runs)?))).collect();
    let now = step.pool.clone().unwrap_or_else(|| "default".to_owned());
    let Some(present) = seen.get(&now).filter(|_| seen.len() > 1) else {
        return refuse(format!("a comparison of pools needs {FEWEST} runs in each of two"));
    };
    let deadline = subject.current(name, Parameter::Timeout).as_f64().map_or(f64::INFINITY, |s| s * 1_000.0);
    let meets = |one: &Seen| one.slow.high <= deadline && one.failing.low <= present.failing.high;
    let best =
        seen.iter().filter(|(_, one)| meets(one)).min_by(|a, b| a.1.cost.value.total_cmp(&b.1.cost.value));
    let Some((pool, best)) = best.filter(|(pool, best)| {
        **pool != &now
            && best.cost.high < present.cost.low
            && best.cost.value < present.cost.value * (1.0 - MATTERS)
    }) else {
        return refuse(format!("no pool is surely cheaper than {now} and as reliable"));
    };
    let draft = Draft {
        kind: ProposalKind::Pool,
        step: Some(name.clone()),
        cause: None,
        title: format!("run step {name} in pool {pool} instead of {now}"),
        reason: format!(
            "An element of step `{name}` costs {:.1} ms in pool {pool} and {:.1} ms in pool {now} [e:history]; {} of its \
             runs there fail, and {} here [e:history].",
            best.cost.value,
            present.cost.value,
            percent(best.failing.value),
            percent(present.failing.value)
        ),
        settings: vec![Setting {
            step: name.clone(),
            parameter: Parameter::Pool,
            value: Value::from(pool.as_str()),
        }],
        n: (best.runs + present.runs) as u64,
        censored: 0,
        estimate: estimate(format!("cost of an element of {name} in {pool}"), "ms per item", best.cost),
        counterfactual: estimate(
            format!("cost of an element of {name} in {now}"),
            "ms per item",
            present.cost,
        ),
        bound: if deadline.is_finite() {
            "the deadline of the step".to_owned()
        } else {
            "the pools that were seen".to_owned()
        },
        query: format!(
            "SELECT pool, count() AS n FROM noetl_steps FINAL WHERE {} AND step = '{name}' GROUP BY pool",
            subject.scope_of(subject.comparable(name))
        ),
        effect: Effect {
            metric: "cost_ms_per_item".to_owned(),
            before: present.cost.value,
            expected: best.cost.value,
            low: best.cost.low,
            high: best.cost.high,
        },
        risk: RiskLevel::Medium,
        risk_note:
            "The pools may have differed in what they were given to do; the canary compares both at once."
                .to_owned(),
    };
    Some(subject.propose(draft, tools))
}

fn seen(runs: &[(f64, bool)]) -> Option<Seen> {
    if runs.len() < FEWEST {
        return None;
    }
    let costs: Vec<Vec<f64>> = runs.iter().map(|(cost, _)| vec![*cost]).collect();
    let durations: Vec<Duration> =
        runs.iter().map(|(cost, _)| Duration { value: *cost, is_censored: false }).collect();
    let failed = runs.iter().filter(|(_, failed)| *failed).count() as u64;
    Some(Seen {
        cost: interval_of_mean(&costs)?,
        slow: quantile_bound(&durations, 0.95)?,
        failing: share(failed, runs.len() as u64),
        runs: runs.len(),
    })
}
