//! Rollouts: which arm an Execution belongs to, and what two arms say about a new version.
//!
//! The judge is pure and may be asked after every Execution. How often it is wrong when it is asked that often is
//! measured by the simulations below it, and told in docs/assistant.md.

mod posterior;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::id::ExecutionId;
use posterior::Posterior;

/// Durations that differ by less are the same to everybody who waits.
const SAME_MS: f64 = 100.0;
/// Both arms are taken to fail alike until so many executions of each say otherwise.
const DOUBT: f64 = 8.0;
/// Executions of each arm before anything is said about harm.
const LEAST_FOR_HARM: u64 = 8;

/// The arm of a Rollout that an Execution was given to; part of its first Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    #[serde(with = "text")]
    pub rollout: u64,
    pub arm: Arm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    Control,
    Canary,
}

impl Arm {
    /// By the hashed id modulo 100, so that who gets what depends on nothing that the playbook knows.
    pub fn of(execution: ExecutionId, share_percent: u32) -> Self {
        if mixed(execution.0) % 100 < u64::from(share_percent) { Self::Canary } else { Self::Control }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Canary => "canary",
        }
    }
}

/// The finaliser of splitmix64: ids that differ in one bit land anywhere.
fn mixed(id: u64) -> u64 {
    let mut mixed = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What ran in one arm. Cancelled Executions are nowhere in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub completed: u64,
    pub failed: u64,
    /// Of those that completed, in any order.
    pub durations_ms: Vec<f64>,
    /// How long those have run that have not ended.
    pub running_ms: Vec<f64>,
}

impl Tally {
    pub fn finished(&self) -> u64 {
        self.completed + self.failed
    }
}

/// What a Rollout is for: what has to get better before the new version is given to everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    #[default]
    FailureRate,
    Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Finished Executions that each arm needs before anything is promoted.
    pub min_executions: u64,
    /// Probability of harm that rolls back.
    pub harm_above: f64,
    /// Harm is a failure rate that is higher by this much.
    pub harm_margin: f64,
    /// Probability of benefit that promotes.
    pub benefit_above: f64,
    /// A median that is higher by this factor rolls back.
    pub slower_by: f64,
    /// Finished canary Executions after which a benefit that has not shown is given up.
    pub give_up_after: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            min_executions: 20,
            harm_above: 0.9,
            harm_margin: 0.07,
            benefit_above: 0.99,
            slower_by: 2.0,
            give_up_after: 1_000,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    #[default]
    Hold,
    Promote,
    RollBack,
}

impl Decision {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Promote => "promote",
            Self::RollBack => "roll_back",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    pub decision: Decision,
    /// With the numbers.
    pub why: String,
    pub p_harm: f64,
    pub p_benefit: f64,
}

/// Judges a new version by two arms that ran side by side.
pub fn judge(control: &Tally, canary: &Tally, goal: Goal, rules: &Rules) -> Verdict {
    let overdue = overdue(control, canary);
    let (bad, of) = (canary.failed + overdue, canary.finished() + overdue);
    let prior = Posterior::shared(control.failed + bad, control.finished() + of, DOUBT);
    let old = prior.seen(control.failed, control.finished());
    let new = prior.seen(bad, of);
    let (p_harm, p_benefit) = match goal {
        Goal::FailureRate => (new.above(&old, rules.harm_margin), old.above(&new, 0.0)),
        Goal::Duration => (new.above(&old, rules.harm_margin), faster(control, canary)),
    };
    let decide = |decision, why: String| Verdict { decision, why, p_harm, p_benefit };
    let hung = if overdue > 0 { format!(", {overdue} of them still running") } else { String::new() };
    let rates =
        format!("canary {bad} of {of} failed{hung}, control {} of {}", control.failed, control.finished());
    if control.finished().min(of) >= LEAST_FOR_HARM && p_harm > rules.harm_above {
        let points = rules.harm_margin * 100.0;
        return decide(
            Decision::RollBack,
            format!(
                "{rates}: more failures by over {points:.0} points with probability {p_harm:.3} (limit {})",
                rules.harm_above
            ),
        );
    }
    if let Some(why) = much_slower(control, canary, rules.slower_by) {
        return decide(Decision::RollBack, why);
    }
    let least = control.finished().min(canary.finished());
    if least < rules.min_executions {
        return decide(
            Decision::Hold,
            format!("{rates}; each arm needs {} finished executions", rules.min_executions),
        );
    }
    let what = match goal {
        Goal::FailureRate => "fewer failures",
        Goal::Duration => "less time",
    };
    let benefit = format!("{rates}: {what} with probability {p_benefit:.3}");
    // A version that is faster and fails more often has gained nothing.
    let unharmed = p_harm <= 0.5;
    if p_benefit > rules.benefit_above && unharmed {
        return decide(Decision::Promote, format!("{benefit} (limit {})", rules.benefit_above));
    }
    if canary.finished() >= rules.give_up_after {
        let why = format!("{benefit}; no benefit has shown in {} executions", canary.finished());
        return decide(Decision::RollBack, why);
    }
    decide(Decision::Hold, format!("{benefit}; {} is needed", rules.benefit_above))
}

/// Canary Executions that run longer than anything in the control arm took: they count as failed.
fn overdue(control: &Tally, canary: &Tally) -> u64 {
    let longest = control.durations_ms.iter().copied().fold(0.0, f64::max);
    if (control.durations_ms.len() as u64) < LEAST_FOR_HARM {
        return 0;
    }
    let limit = 3.0 * longest + SAME_MS;
    canary.running_ms.iter().filter(|age| **age > limit).count() as u64
}

/// Probability that the new version's typical duration is lower: by ranks, so no form of the distribution is assumed.
fn faster(control: &Tally, canary: &Tally) -> f64 {
    let (n, m) = (control.durations_ms.len() as f64, canary.durations_ms.len() as f64);
    if n < 1.0 || m < 1.0 {
        return 0.5;
    }
    let old = sorted(&control.durations_ms);
    // Mann and Whitney: how often a canary is faster than a control, ties by half.
    let wins: f64 = canary
        .durations_ms
        .iter()
        .map(|new| {
            let below = old.partition_point(|duration| duration < new) as f64;
            let until = old.partition_point(|duration| duration <= new) as f64;
            n - f64::midpoint(below, until)
        })
        .sum();
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    posterior::normal((wins - n * m / 2.0) / deviation)
}

/// Why the new version is much slower, when that is beyond doubt: the intervals of the medians are apart.
fn much_slower(control: &Tally, canary: &Tally, slower_by: f64) -> Option<String> {
    let old = sorted(&control.durations_ms);
    // What still runs takes at least as long as it has by now.
    let mut new = canary.durations_ms.clone();
    new.extend(&canary.running_ms);
    let new = sorted(&new);
    let (_, old_high) = median_bounds(&old)?;
    let (new_low, _) = median_bounds(&new)?;
    let limit = (old_high * slower_by).max(old_high + SAME_MS);
    (new_low > limit).then(|| {
        format!(
            "the canary's median is at least {new_low:.0} ms, the control's at most {old_high:.0} ms: slower by more \
             than a factor of {slower_by}"
        )
    })
}

/// The order statistics that hold the median in 95 of 100 cases; none for fewer than eight values.
pub fn median_bounds(sorted: &[f64]) -> Option<(f64, f64)> {
    let n = sorted.len();
    if n < 8 {
        return None;
    }
    let half = 1.96 * (n as f64).sqrt() / 2.0;
    let low = ((n as f64 / 2.0 - half).floor().max(0.0)) as usize;
    let high = ((n as f64 / 2.0 + half).ceil() as usize).min(n - 1);
    Some((sorted[low], sorted[high]))
}

pub fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    match n {
        0 => None,
        n if n % 2 == 1 => Some(sorted[n / 2]),
        n => Some(f64::midpoint(sorted[n / 2 - 1], sorted[n / 2])),
    }
}

pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// A failure rate with the interval that holds it in 95 of 100 cases (Beta(½,½) before anything is seen).
pub fn rate_with_interval(failed: u64, finished: u64) -> (f64, f64, f64) {
    let seen = Posterior::shared(0, 0, 0.0).seen(failed, finished);
    let rate = if finished == 0 { 0.0 } else { failed as f64 / finished as f64 };
    (rate, seen.quantile(0.025), seen.quantile(0.975))
}

/// Ids are text in JSON.
mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
