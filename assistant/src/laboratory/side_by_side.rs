//! Worlds in which throughput follows the Universal Scalability Law.

use noetl_api::proposal::ProposalKind;
use noetl_domain::event::Status;
use noetl_domain::lint::ToolSchemas;

use super::{Count, Figures, Regret, observed, subject};
use crate::proposal::{LoopRun, Observed, StepRun, look};
use crate::statistics::{Random, Scalability};

#[derive(Clone, Copy, Debug)]
struct World {
    name: &'static str,
    law: Scalability,
    /// Numbers that history has seen; the last one is in force.
    seen: [u32; 3],
}

const WORLDS: [World; 2] = [
    World {
        name: "concurrency: too few side by side",
        law: Scalability { alone: 10.0, contention: 0.02, coherence: 0.000_5 },
        seen: [2, 12, 6],
    },
    World {
        name: "concurrency: far past the best",
        law: Scalability { alone: 10.0, contention: 0.05, coherence: 0.02 },
        seen: [4, 8, 24],
    },
];

fn history(world: &World, now: u32, random: &mut Random) -> Vec<Observed> {
    (0..60)
        .map(|index| {
            let [a, b, _] = world.seen;
            let n = [a, b, now][index % 3];
            let throughput = world.law.throughput(f64::from(n)) * (1.0 + 0.05 * random.normal());
            let looped = LoopRun {
                elements: 200,
                iterations: 200,
                concurrency: n,
                wall_ms: 200.0 / throughput * 1_000.0,
                ..LoopRun::default()
            };
            let run = StepRun { work_ms: looped.wall_ms, looped: Some(looped), ..StepRun::default() };
            observed(index, index as i64 * 60_000, run, Status::Completed)
        })
        .collect()
}

fn keys(now: u32) -> String {
    format!(
        "    loop: {{ in: \"{{{{ workload.rows }}}}\", iterator: row, spec: {{ mode: parallel, max_in_flight: {now} }} }}\n"
    )
}

fn tuned(world: &World, now: u32, random: &mut Random) -> (bool, u32) {
    let subject = subject(&keys(now), history(world, now, random));
    let found = look(&subject, &ToolSchemas::new());
    let proposal = found.proposals.into_iter().find(|one| one.kind == ProposalKind::Concurrency);
    let changed = proposal.as_ref().and_then(|one| one.changes[0].after.as_u64());
    (proposal.is_some(), changed.map_or(now, |after| after as u32))
}

pub(super) fn measure(figures: &mut Figures, seed: u64, runs: usize) {
    for (at, world) in WORLDS.iter().enumerate() {
        let now = world.seen[2];
        let cost = |n: u32| 1.0 / world.law.throughput(f64::from(n));
        let oracle = (now.div_ceil(2)..=now * 2).map(cost).fold(f64::INFINITY, f64::min);
        let mut regret = Regret { world: world.name, runs, ..Regret::default() };
        let mut wrong = Count { what: world.name, of: runs, ..Count::default() };
        let best = world.law.best().round() as u32;
        for run in 0..runs {
            let mut random = Random::new(seed ^ ((at as u64 + 1_001) << 32) ^ run as u64);
            let (proposed, chosen) = tuned(world, now, &mut random);
            regret.before += (cost(now) - oracle) / oracle / runs as f64;
            regret.after += (cost(chosen) - oracle) / oracle / runs as f64;
            regret.proposed += usize::from(proposed);
            wrong.hits += usize::from(tuned(world, best, &mut random).0);
        }
        figures.regret.push(regret);
        figures.false_proposals.push(wrong);
    }
}
