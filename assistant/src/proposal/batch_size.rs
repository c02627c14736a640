//! How many elements one call takes: T(b) = a + c·b, and poison elements that spoil a whole batch.

use noetl_api::proposal::{Effect, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::Step;

use super::observed::LoopRun;
use super::subject::{Draft, Findings, Refusal, Subject, estimate, number};
use crate::statistics::{Interval, Line, share, theil_sen};

/// A size within this of the best cost is as good, and the smallest of them is taken.
const NEAR: f64 = 1.02;
/// Cost that a change must save.
const MATTERS: f64 = 0.05;

/// What is known about batches of one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batches {
    pub(crate) line: Line,
    /// −ln(1 − q), where q is the share of elements that spoil their batch.
    pub(crate) lambda: f64,
}

impl Batches {
    /// Milliseconds for one good element in batches of `b`, a spoilt batch tried as a whole again.
    pub(crate) fn cost(&self, b: f64) -> f64 {
        let (a, c) = (self.line.intercept.value, self.line.slope.value);
        (a + c * b) / b * (self.lambda * b).exp()
    }

    /// The same with the ends that the line allows.
    pub(crate) fn cost_between(&self, b: f64) -> Interval {
        let at = |a: f64, c: f64| (a.max(0.0) + c.max(0.0) * b) / b * (self.lambda * b).exp();
        let (a, c) = (self.line.intercept, self.line.slope);
        Interval::new(self.cost(b), at(a.low, c.low), at(a.high, c.high))
    }

    /// b* = [−a + √(a² + 4ac/λ)] / (2c): the least of that; without poison the cost falls for ever.
    pub(crate) fn best(&self) -> f64 {
        let (a, c) = (self.line.intercept.value, self.line.slope.value.max(1e-9));
        if self.lambda <= 0.0 {
            return f64::INFINITY;
        }
        ((a * a + 4.0 * a * c / self.lambda).sqrt() - a) / (2.0 * c)
    }

    /// The size to propose inside [low, high]: the smallest within 2 % of the best cost there.
    pub(crate) fn choose(&self, low: u64, high: u64) -> u64 {
        let best = self.best().clamp(low as f64, high as f64);
        let least = self.cost(best) * NEAR;
        (low..=high).find(|b| self.cost(*b as f64) <= least).unwrap_or(high)
    }
}

/// The law of batches from their sizes and times; why not, when the data do not carry it.
pub(crate) fn estimate_batches(loops: &[&LoopRun], seed: u64) -> Result<Batches, String> {
    let points: Vec<(f64, f64)> = loops.iter().flat_map(|one| one.calls.iter().copied()).collect();
    let mut sizes: Vec<u64> = points.iter().map(|(size, _)| *size as u64).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() < 3 {
        return Err(format!("only {} sizes of batches were seen, and a line needs three", sizes.len()));
    }
    let line = theil_sen(&points, seed).ok_or("the sizes of its batches hardly differ")?;
    if line.intercept.low <= 0.0 {
        return Err("that a call costs anything beside its elements is not sure".to_owned());
    }
    if line.slope.value <= 0.0 {
        return Err("the time of a call does not grow with its elements".to_owned());
    }
    let calls: u64 = loops.iter().map(|one| one.iterations).sum();
    let failed: u64 = loops.iter().map(|one| one.failed).sum();
    let mean = points.iter().map(|(size, _)| size).sum::<f64>() / points.len().max(1) as f64;
    let spoilt = share(failed, calls).value.min(0.99);
    let lambda = -(1.0 - spoilt).ln() / mean.max(1.0);
    Ok(Batches { line, lambda })
}

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    subject.playbook.steps.iter().filter_map(|step| of_step(subject, step, tools)).collect()
}

fn of_step(subject: &Subject, step: &Step, tools: &ToolSchemas) -> Option<Result<NewProposal, Refusal>> {
    let name = &step.name;
    let now = subject.current(name, Parameter::BatchSize).as_u64().filter(|size| *size > 0)?;
    let runs = subject.runs(name);
    let loops: Vec<&LoopRun> = runs.iter().filter_map(|(_, run)| run.looped.as_ref()).collect();
    let calls: usize = loops.iter().map(|one| one.calls.len()).sum();
    let refuse = |why: String| Some(Err(Refusal::of(ProposalKind::BatchSize, name, why)));
    if calls < 30 {
        return (calls > 0).then(|| {
            Err(Refusal::of(ProposalKind::BatchSize, name, format!("{calls} batches are too few")))
        });
    }
    let batches = match estimate_batches(&loops, subject.version.into()) {
        Ok(batches) => batches,
        Err(why) => return refuse(why),
    };
    // Never further than twice or half, nor than the deadline of a call allows.
    let (low, high) = subject.terms.range(Parameter::BatchSize, now as f64);
    let (low, mut high) = (low.ceil().max(1.0) as u64, high as u64);
    let mut bound = format!("the largest step and the policy: between {low} and {high}");
    if let Some(deadline) = subject.current(name, Parameter::Timeout).as_f64() {
        let allowed =
            ((deadline * 1_000.0 - batches.line.intercept.high) / batches.line.slope.high).max(1.0) as u64;
        if allowed < high {
            high = allowed.max(low);
            bound = format!("the deadline of {deadline} s allows {allowed} elements");
        }
    }
    let chosen = batches.choose(low, high);
    let (before, after) = (batches.cost(now as f64), batches.cost(chosen as f64));
    if chosen == now || after > before * (1.0 - MATTERS) {
        return refuse(format!("batches of {now} are within 5 % of the least cost"));
    }
    // The gain must hold at both ends of the fixed cost.
    let at = |a: f64, c: f64, b: f64| (a + c * b) / b * (batches.lambda * b).exp();
    let line = batches.line;
    let gains = [(line.intercept.low, line.slope.high), (line.intercept.high, line.slope.low)]
        .map(|(a, c)| at(a, c.max(0.0), chosen as f64) / at(a, c.max(0.0), now as f64));
    if gains.iter().any(|ratio| *ratio >= 1.0) {
        return refuse("that another size is cheaper is not sure".to_owned());
    }
    if chosen > low && chosen < high {
        "the least cost for a good element, the smallest size within 2 % of it".clone_into(&mut bound);
    }
    let (costs, now_costs) = (batches.cost_between(chosen as f64), batches.cost_between(now as f64));
    let draft = Draft {
        kind: ProposalKind::BatchSize,
        step: Some(name.clone()),
        cause: None,
        title: format!("take {chosen} elements at once instead of {now} in step {name}"),
        reason: format!(
            "A call of step `{name}` takes {:.0} ms and {:.2} ms more for each element, over {calls} batches \
             [e:history]. In batches of {chosen} an element costs {after:.2} ms instead of {before:.2} ms [e:history].",
            line.intercept.value, line.slope.value
        ),
        settings: vec![Setting {
            step: name.clone(),
            parameter: Parameter::BatchSize,
            value: number(chosen as f64),
        }],
        n: calls as u64,
        censored: 0,
        estimate: estimate(format!("cost of an element in batches of {chosen}"), "ms per item", costs),
        counterfactual: estimate(format!("cost of an element in batches of {now}"), "ms per item", now_costs),
        bound,
        query: format!(
            "SELECT sum(iterations) AS n FROM noetl_steps FINAL WHERE {} AND step = '{name}'",
            subject.scope_of(subject.comparable(name))
        ),
        effect: Effect {
            metric: "cost_ms_per_item".to_owned(),
            before,
            expected: costs.value,
            low: costs.low,
            high: costs.high,
        },
        risk: RiskLevel::Medium,
        risk_note:
            "A larger batch needs more memory, and one bad element spoils more; the canary compares both."
                .to_owned(),
    };
    Some(subject.propose(draft, tools))
}
