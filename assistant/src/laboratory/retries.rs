//! Worlds in which calls fail and recover.

use noetl_api::proposal::{Estimate, NewProposal, ProposalKind};
use noetl_domain::event::Status;
use noetl_domain::lint::ToolSchemas;

use super::{Count, Figures, Regret, observed, subject};
use crate::proposal::{FAILURE_COSTS_MS, Failure, Series, StepRun, Try, attempts_of, look};
use crate::statistics::Random;

/// How calls recover.
#[derive(Clone, Copy, Debug)]
enum Recovery {
    /// After an exponential time with this mean in milliseconds.
    Exponential(f64),
    /// Most after the first mean, the rest after the second.
    TwoPhase { quick: f64, quick_ms: f64, slow_ms: f64 },
    /// Each attempt passes with this chance, but for a share that never does.
    Independent { chance: f64, permanent: f64 },
}

#[derive(Clone, Copy, Debug)]
struct World {
    name: &'static str,
    recovery: Recovery,
    /// Everything that fails within ten minutes recovers together.
    is_outage: bool,
    attempts: u32,
    waits: Waits,
    executions: usize,
}

/// Milliseconds before the first retry, and how much longer each next wait is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Waits {
    initial_ms: f64,
    growth: f64,
}

/// What a playbook says that says nothing of waits.
const USUAL: Waits = Waits { initial_ms: 1_000.0, growth: 2.0 };
/// Waits that are over before anything has passed.
const HASTY: Waits = Waits { initial_ms: 100.0, growth: 1.3 };

const FIRST_FAILS: f64 = 0.3;
const TRY_MS: f64 = 200.0;
const EXECUTIONS: usize = 300;
/// One execution every ten seconds.
const EVERY_MS: i64 = 10_000;

const WORLDS: [World; 9] = [
    World {
        name: "retry: exponential recovery",
        recovery: Recovery::Exponential(4_000.0),
        is_outage: false,
        attempts: 2,
        waits: USUAL,
        executions: EXECUTIONS,
    },
    World {
        name: "retry: two phases",
        recovery: Recovery::TwoPhase { quick: 0.6, quick_ms: 700.0, slow_ms: 15_000.0 },
        is_outage: false,
        attempts: 3,
        waits: USUAL,
        executions: EXECUTIONS,
    },
    World {
        name: "retry: 30 % permanent",
        recovery: Recovery::Independent { chance: 0.5, permanent: 0.3 },
        is_outage: false,
        attempts: 2,
        waits: USUAL,
        executions: EXECUTIONS,
    },
    World {
        name: "retry: nothing recovers",
        recovery: Recovery::Independent { chance: 0.5, permanent: 1.0 },
        is_outage: false,
        attempts: 5,
        waits: USUAL,
        executions: EXECUTIONS,
    },
    World {
        name: "retry: independent attempts",
        recovery: Recovery::Independent { chance: 0.5, permanent: 0.0 },
        is_outage: false,
        attempts: 2,
        waits: USUAL,
        executions: EXECUTIONS,
    },
    World {
        name: "retry: outages",
        recovery: Recovery::Exponential(6_000.0),
        is_outage: true,
        attempts: 3,
        waits: USUAL,
        executions: EXECUTIONS,
    },
    World {
        name: "retry: outages, a longer history",
        recovery: Recovery::Exponential(6_000.0),
        is_outage: true,
        attempts: 3,
        waits: USUAL,
        executions: 1_000,
    },
    World {
        name: "retry: waits too short",
        recovery: Recovery::Exponential(4_000.0),
        is_outage: false,
        attempts: 10,
        waits: HASTY,
        executions: EXECUTIONS,
    },
    World {
        name: "retry: rare recovery",
        recovery: Recovery::Independent { chance: 0.04, permanent: 0.0 },
        is_outage: false,
        attempts: 4,
        waits: USUAL,
        executions: EXECUTIONS,
    },
];

/// When, or whether, one failing call recovers.
#[derive(Clone, Copy, Debug)]
enum Fate {
    At(f64),
    Each(f64),
    Never,
}

impl World {
    /// What never passes has a cause that says so.
    fn cause(&self) -> &'static str {
        match self.recovery {
            Recovery::Independent { permanent, .. } if permanent >= 1.0 => "request.not_found",
            _ => "remote.unavailable",
        }
    }

    fn fate(&self, random: &mut Random) -> Fate {
        match self.recovery {
            Recovery::Exponential(mean) => Fate::At(random.exponential(mean)),
            Recovery::TwoPhase { quick, quick_ms, slow_ms } => {
                let mean = if random.chance(quick) { quick_ms } else { slow_ms };
                Fate::At(random.exponential(mean))
            }
            Recovery::Independent { permanent, .. } if random.chance(permanent) => Fate::Never,
            Recovery::Independent { chance, .. } => Fate::Each(chance),
        }
    }

    /// The tries of a call whose first one failed.
    fn series(&self, attempts: u32, waits: Waits, fate: Fate, random: &mut Random) -> Series {
        let failure = || {
            Some(Failure { cause: self.cause().to_owned(), kind: "http".to_owned(), ..Failure::default() })
        };
        let mut tries = vec![Try { wait_ms: 0.0, duration_ms: TRY_MS, failure: failure() }];
        let mut elapsed = 0.0;
        for k in 1..attempts {
            let grown = (waits.initial_ms * waits.growth.powi(k as i32 - 1)).min(60_000.0);
            let wait = grown * (0.5 + 0.5 * random.uniform());
            tries.last_mut().expect("one try").wait_ms = wait;
            elapsed += wait;
            let well = match fate {
                Fate::At(time) => elapsed >= time,
                Fate::Each(chance) => random.chance(chance),
                Fate::Never => false,
            };
            let failure = if well { None } else { failure() };
            tries.push(Try { wait_ms: 0.0, duration_ms: TRY_MS, failure });
            elapsed += TRY_MS;
            if well {
                break;
            }
        }
        Series { task: "call".to_owned(), tries }
    }

    fn history(&self, attempts: u32, random: &mut Random) -> Vec<crate::proposal::Observed> {
        let mut shared: Option<(i64, Fate)> = None;
        (0..self.executions)
            .map(|index| {
                let started = index as i64 * EVERY_MS;
                if !random.chance(FIRST_FAILS) {
                    let run = StepRun { work_ms: TRY_MS, ..StepRun::default() };
                    return observed(index, started, run, Status::Completed);
                }
                let window = started / 300_000;
                let fate = match shared {
                    Some((known, fate)) if self.is_outage && known == window => fate,
                    _ => self.fate(random),
                };
                shared = Some((window, fate));
                let series = self.series(attempts, self.waits, fate, random);
                let failed = !series.has_recovered();
                let run = StepRun {
                    work_ms: time(&series),
                    is_failed: failed,
                    cause: failed.then(|| self.cause().to_owned()),
                    series: vec![series],
                    ..StepRun::default()
                };
                observed(index, started, run, if failed { Status::Failed } else { Status::Completed })
            })
            .collect()
    }

    /// Mean cost and recovered share of a failing call with so many attempts, by brute force.
    fn truth(&self, attempts: u32, waits: Waits, calls: u32) -> (f64, f64) {
        let (mut cost, mut recovered) = (0.0, 0.0);
        let (n, seed) = (calls, 99_u64);
        for call in 0..n {
            // The same calls for every number of attempts, so that only the number makes the difference.
            let mut random = Random::new(seed.wrapping_add(u64::from(call).wrapping_mul(0x9e37_79b9)));
            let fate = self.fate(&mut random);
            let series = self.series(attempts, waits, fate, &mut random);
            cost += time(&series);
            if series.has_recovered() {
                recovered += 1.0;
            } else {
                cost += FAILURE_COSTS_MS;
            }
        }
        (cost / f64::from(n), recovered / f64::from(n))
    }
}

fn time(series: &Series) -> f64 {
    series.tries.iter().map(|one| one.wait_ms + one.duration_ms).sum()
}

fn keys(attempts: u32, waits: Waits) -> String {
    format!(
        "    retry: {{ max_attempts: {attempts}, initial_delay: {}, multiplier: {} }}\n",
        waits.initial_ms / 1_000.0,
        waits.growth
    )
}

/// Attempts and waits after one look, and what was stated of the present ones.
fn tuned(world: &World, attempts: u32, random: &mut Random) -> (Option<NewProposal>, u32, Waits) {
    let subject = subject(&keys(attempts, world.waits), world.history(attempts, random));
    let found = look(&subject, &ToolSchemas::new());
    let proposal = found.proposals.into_iter().find(|one| one.kind == ProposalKind::Retry);
    let change = |parameter: &str| {
        let changes = &proposal.as_ref()?.changes;
        changes.iter().find(|change| change.parameter == parameter).map(|change| change.after.clone())
    };
    let number = |parameter: &str| change(parameter).and_then(|after| after.as_f64());
    let waits = Waits {
        initial_ms: number("retry.initial_delay").map_or(world.waits.initial_ms, |seconds| seconds * 1_000.0),
        growth: number("retry.multiplier").unwrap_or(world.waits.growth),
    };
    let changed = change("retry.max_attempts").and_then(|after| attempts_of(&after));
    (proposal, changed.unwrap_or(attempts), waits)
}

pub(super) fn measure(figures: &mut Figures, seed: u64, runs: usize) {
    let mut now = Count { what: "share that the present attempts recover", ..Count::default() };
    let mut then = Count { what: "share that the proposed attempts recover", ..Count::default() };
    let mut moved = Count { what: "share that the proposed waits recover", ..Count::default() };
    // A laboratory of a few runs needs no finer truth than they can tell.
    let calls = if runs < 100 { 2_500 } else { 10_000 };
    for (at, world) in WORLDS.iter().enumerate() {
        let costs: Vec<(f64, f64)> =
            (1..=40).map(|attempts| world.truth(attempts, world.waits, calls)).collect();
        let cost = |attempts: u32| costs[attempts as usize - 1].0;
        let inside =
            (world.attempts.div_ceil(2)..=world.attempts * 2).map(cost).fold(f64::INFINITY, f64::min);
        // "Do not retry" may go down to one attempt at once; or the waits move, inside the largest step.
        let oracle = inside.min(cost(1)).min(best_waits(world, calls));
        let mut regret = Regret { world: world.name, runs, ..Regret::default() };
        for run in 0..runs {
            let mut random = Random::new(seed ^ ((at as u64 + 1) << 32) ^ run as u64);
            let (proposal, attempts, waits) = tuned(world, world.attempts, &mut random);
            let truth = if waits == world.waits {
                costs[attempts.min(40) as usize - 1]
            } else {
                world.truth(attempts, waits, calls)
            };
            regret.before += (cost(world.attempts) - oracle) / oracle / runs as f64;
            regret.after += (truth.0 - oracle) / oracle / runs as f64;
            let Some(proposal) = proposal else { continue };
            regret.proposed += 1;
            let holds = |estimate: &Estimate, truth: f64| estimate.low <= truth && truth <= estimate.high;
            now.of += 1;
            now.hits +=
                usize::from(holds(&proposal.grounds.counterfactual, costs[world.attempts as usize - 1].1));
            let estimated = if waits == world.waits { &mut then } else { &mut moved };
            estimated.of += 1;
            estimated.hits += usize::from(holds(&proposal.grounds.estimate, truth.1));
        }
        figures.regret.push(regret);
        // The same world, tried as often as is best: nothing is left to propose but waits that are better indeed.
        let best = (1..=40u32).min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(1);
        let mut wrong = Count { what: world.name, of: runs, ..Count::default() };
        for run in 0..runs {
            let mut random = Random::new(seed ^ ((at as u64 + 101) << 32) ^ run as u64);
            let (proposal, attempts, waits) = tuned(world, best, &mut random);
            let is_better = || waits != world.waits && world.truth(attempts, waits, calls).0 < cost(best);
            wrong.hits += usize::from(proposal.is_some() && !is_better());
        }
        figures.false_proposals.push(wrong);
    }
    figures.coverage.extend([now, then, moved]);
}

/// The least cost that other waits reach with the attempts in force.
fn best_waits(world: &World, calls: u32) -> f64 {
    let initial = [0.5, 0.7, 1.0, 1.4, 2.0].map(|factor| factor * world.waits.initial_ms);
    let growth = [1.0, 1.5, 2.0, 3.0, 4.0];
    let largest = (world.waits.growth / 2.0)..=(world.waits.growth * 2.0);
    let all = initial.iter().flat_map(|initial_ms| {
        growth.iter().map(move |growth| Waits { initial_ms: *initial_ms, growth: *growth })
    });
    all.filter(|waits| largest.contains(&waits.growth))
        .map(|waits| world.truth(world.attempts, waits, calls).0)
        .fold(f64::INFINITY, f64::min)
}
