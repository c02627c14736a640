//! Worlds in which steps take their time, and deadlines cut some of them short.

use noetl_api::proposal::ProposalKind;
use noetl_domain::event::Status;
use noetl_domain::lint::ToolSchemas;

use super::{Count, Figures, Regret, observed, subject};
use crate::proposal::{FAILURE_COSTS_MS, Observed, StepRun, look};
use crate::statistics::Random;

const EXECUTIONS: usize = 400;
const MEDIAN_MS: f64 = 2_000.0;
const SPREAD: f64 = 0.5;

/// Lognormal durations, cut at the deadline; `drift`: how much longer the last take than the first. One in `hangs`
/// never ends.
fn history(deadline_ms: f64, drift: f64, hangs: f64, random: &mut Random) -> Vec<Observed> {
    (0..EXECUTIONS)
        .map(|index| {
            let grown = 1.0 + drift * index as f64 / EXECUTIONS as f64;
            let hang = random.chance(hangs);
            let took =
                if hang { f64::INFINITY } else { MEDIAN_MS * grown * (SPREAD * random.normal()).exp() };
            let cut = took > deadline_ms;
            let run = StepRun {
                work_ms: took.min(deadline_ms),
                is_failed: cut,
                cause: cut.then(|| "timeout.step".to_owned()),
                ..StepRun::default()
            };
            observed(index, index as i64 * 10_000, run, if cut { Status::Failed } else { Status::Completed })
        })
        .collect()
}

fn keys(deadline_ms: f64) -> String {
    format!("    timeout: {}\n", deadline_ms / 1_000.0)
}

/// Mean cost of a call: its time, and what a failure costs, by brute force.
fn cost(deadline_ms: f64, hangs: f64) -> f64 {
    let mut random = Random::new(5);
    let n = 20_000;
    let one = |random: &mut Random| {
        let hang = random.chance(hangs);
        let took = if hang { f64::INFINITY } else { MEDIAN_MS * (SPREAD * random.normal()).exp() };
        if took > deadline_ms { deadline_ms + FAILURE_COSTS_MS } else { took }
    };
    (0..n).map(|_| one(&mut random)).sum::<f64>() / f64::from(n)
}

fn tuned(
    deadline_ms: f64,
    drift: f64,
    hangs: f64,
    random: &mut Random,
) -> (Option<noetl_api::proposal::NewProposal>, f64) {
    let subject = subject(&keys(deadline_ms), history(deadline_ms, drift, hangs, random));
    let found = look(&subject, &ToolSchemas::new());
    let proposal = found.proposals.into_iter().find(|one| one.kind == ProposalKind::Timeout);
    let changed = proposal.as_ref().and_then(|one| one.changes[0].after.as_f64());
    (proposal, changed.map_or(deadline_ms, |seconds| seconds * 1_000.0))
}

pub(super) fn measure(figures: &mut Figures, seed: u64, runs: usize) {
    let mut quantile = Count { what: "quantile of durations", ..Count::default() };
    // Too short for one in five; far too long for what hangs.
    for (name, deadline, hangs) in
        [("timeout: cuts 20 % short", 3_050.0, 0.0), ("timeout: waits long for what hangs", 120_000.0, 0.05)]
    {
        let choices = (0..=40).map(|at| cost(deadline * 2f64.powf(f64::from(at) / 20.0 - 1.0), hangs));
        let oracle = choices.fold(f64::INFINITY, f64::min);
        let mut regret = Regret { world: name, runs, ..Regret::default() };
        for run in 0..runs {
            let mut random = Random::new(seed ^ (501 << 32) ^ run as u64);
            let (proposal, chosen) = tuned(deadline, 0.0, hangs, &mut random);
            regret.before += (cost(deadline, hangs) - oracle) / oracle / runs as f64;
            regret.after += (cost(chosen, hangs) - oracle) / oracle / runs as f64;
            regret.proposed += usize::from(proposal.is_some());
        }
        figures.regret.push(regret);
    }
    // The interval itself, on durations that nothing cuts: the 99 % quantile of 400.
    let truth = MEDIAN_MS * (SPREAD * 2.326_348).exp();
    for run in 0..runs {
        let mut random = Random::new(seed ^ (601 << 32) ^ run as u64);
        let data: Vec<crate::statistics::Duration> = history(f64::INFINITY, 0.0, 0.0, &mut random)
            .iter()
            .map(|one| crate::statistics::Duration { value: one.steps[0].work_ms, is_censored: false })
            .collect();
        if let Some(found) = crate::statistics::quantile_bound(&data, 0.99) {
            quantile.of += 1;
            quantile.hits += usize::from(found.low <= truth && truth <= found.high);
        }
    }
    figures.coverage.push(quantile);
    let mut wrong = Count { what: "timeout: at the 99.5 % quantile", of: runs, ..Count::default() };
    let best = MEDIAN_MS * (SPREAD * 2.575_829).exp();
    for run in 0..runs {
        let mut random = Random::new(seed ^ (701 << 32) ^ run as u64);
        wrong.hits += usize::from(tuned(best, 0.0, 0.0, &mut random).0.is_some());
    }
    figures.false_proposals.push(wrong);
    let mut drift = Count { what: "drifting durations left alone", of: runs, ..Count::default() };
    for run in 0..runs {
        let mut random = Random::new(seed ^ (801 << 32) ^ run as u64);
        drift.hits += usize::from(tuned(4_000.0, 1.0, 0.0, &mut random).0.is_none());
    }
    figures.drift = drift;
}
