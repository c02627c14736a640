//! Worlds in which a call takes many elements: T(b) = a + c·b, and poison elements that spoil a batch.

use noetl_api::proposal::ProposalKind;
use noetl_domain::event::Status;
use noetl_domain::lint::ToolSchemas;

use super::{Count, Figures, Regret, observed, subject};
use crate::proposal::{LoopRun, Observed, StepRun, look};
use crate::statistics::Random;

#[derive(Clone, Copy, Debug)]
struct World {
    name: &'static str,
    a: f64,
    c: f64,
    poison: f64,
    now: u64,
}

const WORLDS: [World; 3] = [
    World { name: "batch size: costly calls", a: 400.0, c: 4.0, poison: 0.0005, now: 20 },
    World { name: "batch size: poison elements", a: 100.0, c: 5.0, poison: 0.01, now: 60 },
    World { name: "batch size: cheap calls", a: 5.0, c: 5.0, poison: 0.001, now: 40 },
];

impl World {
    fn cost(&self, b: u64) -> f64 {
        let (b, lambda) = (b as f64, -(1.0 - self.poison).ln());
        (self.a + self.c * b) / b * (lambda * b).exp()
    }

    fn best(&self) -> u64 {
        (1..=1_000).min_by(|x, y| self.cost(*x).total_cmp(&self.cost(*y))).unwrap_or(1)
    }

    /// Sixty loops; collections of different lengths end in smaller batches.
    fn history(&self, now: u64, random: &mut Random) -> Vec<Observed> {
        (0..60)
            .map(|index| {
                let elements = now * 3 + random.below(now as usize * 2) as u64 + 1;
                let mut looped = LoopRun { elements, concurrency: 1, ..LoopRun::default() };
                let mut left = elements;
                while left > 0 {
                    let size = left.min(now);
                    left -= size;
                    let took = (self.a + self.c * size as f64) * (1.0 + 0.1 * random.normal());
                    looped.calls.push((size as f64, took.max(0.1)));
                    looped.iterations += 1;
                    let spoilt = (0..size).any(|_| random.chance(self.poison));
                    looped.failed += u64::from(spoilt);
                }
                let work_ms: f64 = looped.calls.iter().map(|(_, took)| took).sum();
                looped.wall_ms = work_ms;
                let run = StepRun { work_ms, looped: Some(looped), ..StepRun::default() };
                observed(index, index as i64 * 60_000, run, Status::Completed)
            })
            .collect()
    }
}

fn keys(now: u64) -> String {
    format!("    loop: {{ in: \"{{{{ workload.rows }}}}\", iterator: row, chunk: {now} }}\n")
}

fn tuned(world: &World, now: u64, random: &mut Random) -> (Option<noetl_api::proposal::NewProposal>, u64) {
    let subject = subject(&keys(now), world.history(now, random));
    let found = look(&subject, &ToolSchemas::new());
    let proposal = found.proposals.into_iter().find(|one| one.kind == ProposalKind::BatchSize);
    let changed = proposal.as_ref().and_then(|one| one.changes[0].after.as_u64());
    (proposal, changed.unwrap_or(now))
}

pub(super) fn measure(figures: &mut Figures, seed: u64, runs: usize) {
    let mut slope = Count { what: "cost of an element (c)", ..Count::default() };
    for (at, world) in WORLDS.iter().enumerate() {
        let bounds = (world.now / 2).max(1)..=world.now * 2;
        let oracle = bounds.map(|b| world.cost(b)).fold(f64::INFINITY, f64::min);
        let mut regret = Regret { world: world.name, runs, ..Regret::default() };
        for run in 0..runs {
            let mut random = Random::new(seed ^ ((at as u64 + 901) << 32) ^ run as u64);
            let history = world.history(world.now, &mut random);
            let loops: Vec<&LoopRun> =
                history.iter().filter_map(|one| one.steps[0].looped.as_ref()).collect();
            let points: Vec<(f64, f64)> = loops.iter().flat_map(|one| one.calls.iter().copied()).collect();
            if let Some(line) = crate::statistics::theil_sen(&points, run as u64) {
                slope.of += 1;
                slope.hits += usize::from(line.slope.low <= world.c && world.c <= line.slope.high);
            }
            let mut random = Random::new(seed ^ ((at as u64 + 901) << 32) ^ run as u64);
            let (proposal, chosen) = tuned(world, world.now, &mut random);
            regret.before += (world.cost(world.now) - oracle) / oracle / runs as f64;
            regret.after += (world.cost(chosen) - oracle) / oracle / runs as f64;
            regret.proposed += usize::from(proposal.is_some());
        }
        figures.regret.push(regret);
        let mut wrong = Count { what: world.name, of: runs, ..Count::default() };
        for run in 0..runs {
            let mut random = Random::new(seed ^ ((at as u64 + 951) << 32) ^ run as u64);
            wrong.hits += usize::from(tuned(world, world.best(), &mut random).0.is_some());
        }
        figures.false_proposals.push(wrong);
    }
    figures.coverage.push(slope);
}
