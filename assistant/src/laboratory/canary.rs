//! A planted bad change under the canary's sequential test, looked at after every execution.

use noetl_domain::rollout::{Decision, Goal, Rules, Tally, judge};

use super::Rollback;
use crate::statistics::{Random, percentile};

/// Failures of the version in force, of the planted one, and what the policy gives to the canary.
const USUAL: f64 = 0.10;
const PLANTED: f64 = 0.50;
const SHARE: f64 = 0.5;
const IN_TIME: u64 = 100;
const PATIENCE: u64 = 1_000;

pub(super) fn measure(seed: u64, runs: usize) -> Rollback {
    let bad: Vec<Option<u64>> =
        (0..runs).map(|run| rolled_back(PLANTED, seed ^ (2_001 << 32) ^ run as u64)).collect();
    let same: Vec<Option<u64>> =
        (0..runs).map(|run| rolled_back(USUAL, seed ^ (2_002 << 32) ^ run as u64)).collect();
    let after: Vec<f64> = bad.iter().map(|at| at.unwrap_or(PATIENCE) as f64).collect();
    Rollback {
        runs,
        in_time: bad.iter().filter(|at| at.is_some_and(|at| at <= IN_TIME)).count(),
        median: percentile(&after, 0.5),
        p95: percentile(&after, 0.95),
        wrongly: same.iter().flatten().count(),
        wrongly_of: runs,
    }
}

/// After how many executions in both arms, if ever.
fn rolled_back(fails: f64, seed: u64) -> Option<u64> {
    let mut random = Random::new(seed);
    let (mut control, mut canary) = (Tally::default(), Tally::default());
    for at in 1..=PATIENCE {
        let is_canary = random.chance(SHARE);
        let failed = random.chance(if is_canary { fails } else { USUAL });
        let arm = if is_canary { &mut canary } else { &mut control };
        if failed {
            arm.failed += 1;
        } else {
            arm.completed += 1;
            arm.durations_ms.push(random.exponential(1_000.0));
        }
        match judge(&control, &canary, Goal::FailureRate, &Rules::default()).decision {
            Decision::RollBack => return Some(at),
            Decision::Promote => return None,
            Decision::Hold => {}
        }
    }
    None
}
