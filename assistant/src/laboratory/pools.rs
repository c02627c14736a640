//! Worlds in which a step ran in two pools.

use noetl_api::proposal::ProposalKind;
use noetl_domain::dialect;
use noetl_domain::event::Status;
use noetl_domain::lint::ToolSchemas;

use super::{Count, Figures, Regret, observed, subject};
use crate::proposal::{StepRun, look};
use crate::statistics::Random;

/// How long a run takes: the median in milliseconds, the spread of its logarithm, and how many fail.
#[derive(Clone, Copy, Debug)]
struct Pool {
    name: &'static str,
    median_ms: f64,
    spread: f64,
    fails: f64,
}

#[derive(Clone, Copy, Debug)]
struct World {
    name: &'static str,
    now: Pool,
    other: Pool,
    /// The step's deadline in seconds.
    deadline: f64,
    /// Whether the other pool is the better one.
    other_is_better: bool,
}

const BIG: Pool = Pool { name: "big", median_ms: 400.0, spread: 0.2, fails: 0.02 };
const RUNS: usize = 160;

const WORLDS: [World; 4] = [
    World {
        name: "pool: another is cheaper and in time",
        now: BIG,
        other: Pool { name: "small", median_ms: 280.0, spread: 0.25, fails: 0.02 },
        deadline: 2.0,
        other_is_better: true,
    },
    World {
        name: "pool: another is cheaper and too late",
        now: BIG,
        other: Pool { name: "small", median_ms: 200.0, spread: 0.8, fails: 0.02 },
        deadline: 0.65,
        other_is_better: false,
    },
    World {
        name: "pool: another is cheaper and fails",
        now: BIG,
        other: Pool { name: "small", median_ms: 280.0, spread: 0.25, fails: 0.25 },
        deadline: 2.0,
        other_is_better: false,
    },
    World {
        name: "pool: both are alike",
        now: BIG,
        other: Pool { name: "small", ..BIG },
        deadline: 2.0,
        other_is_better: false,
    },
];

impl Pool {
    /// The mean of what an element costs.
    fn cost(&self) -> f64 {
        self.median_ms * (self.spread * self.spread / 2.0).exp()
    }

    fn run(&self, random: &mut Random) -> StepRun {
        let is_failed = random.chance(self.fails);
        StepRun {
            work_ms: self.median_ms * (self.spread * random.normal()).exp(),
            is_failed,
            cause: is_failed.then(|| "remote.unavailable".to_owned()),
            ..StepRun::default()
        }
    }
}

/// The cost in force after one look, and whether the stated interval of it held the truth.
fn tuned(world: &World, random: &mut Random) -> (bool, f64, bool) {
    let keys = |pool: &str| format!("    pool: {pool}\n    timeout: {}\n", world.deadline);
    let history = (0..2 * RUNS)
        .map(|index| {
            let (pool, version) = if index % 2 == 0 { (&world.now, 2) } else { (&world.other, 1) };
            let run = pool.run(random);
            let status = if run.is_failed { Status::Failed } else { Status::Completed };
            let mut one = observed(index, index as i64 * 60_000, run, status);
            one.version = version;
            one
        })
        .collect();
    let mut subject = subject(&keys(world.now.name), history);
    let earlier = subject.text.replace(world.now.name, world.other.name);
    let earlier = dialect::read(&earlier).playbook.expect("the laboratory's playbook is good");
    subject.version = 2;
    subject.versions = vec![(1, earlier), (2, subject.playbook.clone())];
    let found = look(&subject, &ToolSchemas::new());
    match found.proposals.into_iter().find(|one| one.kind == ProposalKind::Pool) {
        Some(proposal) => {
            let (stated, truth) = (&proposal.grounds.estimate, world.other.cost());
            (true, truth, stated.low <= truth && truth <= stated.high)
        }
        None => (false, world.now.cost(), true),
    }
}

pub(super) fn measure(figures: &mut Figures, seed: u64, runs: usize) {
    let mut stated = Count { what: "cost of an element in another pool", ..Count::default() };
    for (at, world) in WORLDS.iter().enumerate() {
        let mut regret = Regret { world: world.name, runs, ..Regret::default() };
        let mut wrong = Count { what: world.name, of: runs, ..Count::default() };
        let oracle = if world.other_is_better { world.other.cost() } else { world.now.cost() };
        for run in 0..runs {
            let mut random = Random::new(seed ^ ((at as u64 + 1_101) << 32) ^ run as u64);
            let (proposed, cost, held) = tuned(world, &mut random);
            if world.other_is_better {
                regret.before += (world.now.cost() - oracle) / oracle / runs as f64;
                regret.after += (cost - oracle) / oracle / runs as f64;
                regret.proposed += usize::from(proposed);
                stated.of += usize::from(proposed);
                stated.hits += usize::from(proposed && held);
            } else {
                wrong.hits += usize::from(proposed);
            }
        }
        if world.other_is_better {
            figures.regret.push(regret);
        } else {
            figures.false_proposals.push(wrong);
        }
    }
    figures.coverage.push(stated);
}
