//! The curve of recovery over retries, and the number of attempts that it asks for.

use super::super::observed::{Observed, Series};
use super::backoff::Waits;
use super::{FEWEST, HOPELESS};
use crate::statistics::{Beta, Hazard, Interval, Random, blocks, hazards, interval_of_mean, median};

/// Failures of one outage fall into one bucket: five minutes, or a tenth of a shorter history.
pub(super) const BUCKETS_MS: i64 = 300_000;
const BUCKETS: i64 = 10;
/// Recoveries that a change must add, as a share of the failing series.
const WORTH_IT: f64 = 0.02;
const DRAWS: usize = 400;
/// How the chance may go on from one retry to the next where none was seen.
const EXTREMES: (f64, f64) = (0.36, 2.1);

/// A call whose first try failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Episode {
    /// Unix milliseconds.
    pub(crate) at_ms: i64,
    pub(crate) retries: u32,
    pub(crate) recovered: bool,
    /// Waits before the retries.
    pub(crate) waits_ms: Vec<f64>,
    /// When each retry began, from the end of the first try.
    pub(crate) looks_ms: Vec<f64>,
    /// Work of all tries.
    pub(crate) work_ms: f64,
}

impl Episode {
    pub(crate) fn of(observed: &Observed, series: &Series) -> Self {
        let retries = series.tries.len().saturating_sub(1) as u32;
        let mut at = 0.0;
        let looks = series.tries.iter().zip(series.tries.iter().skip(1)).map(|(before, next)| {
            at += before.wait_ms;
            let look = at;
            at += next.duration_ms;
            look
        });
        let looks_ms = looks.collect();
        Self {
            at_ms: observed.started_ms,
            retries,
            recovered: series.has_recovered(),
            looks_ms,
            waits_ms: series.tries.iter().take(retries as usize).map(|one| one.wait_ms).collect(),
            work_ms: series.tries.iter().map(|one| one.duration_ms).sum(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// Why the present number stays.
    Keep(String),
    Change(Choice),
}

#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) attempts: u32,
    /// Other waits, with as many attempts as before: one change of a step at a time.
    pub(crate) waits: Option<Waits>,
    pub(crate) recovered: Interval,
    pub(crate) why: String,
    pub(crate) bound: String,
    /// Mean cost of a failing call now and then, its share of failed executions left out.
    pub(crate) cost_before_ms: f64,
    pub(crate) cost_after_ms: Interval,
}

impl Choice {
    /// What a failing call costs under it, a failed execution included.
    pub(super) fn costs(&self, curve: &Curve) -> f64 {
        match self.waits {
            // There it is included already.
            Some(_) => self.cost_after_ms.value,
            None => self.cost_after_ms.value + (1.0 - self.recovered.value) * curve.value_ms,
        }
    }
}

/// Everything known about one step and cause.
pub(crate) struct Curve {
    episodes: Vec<Episode>,
    hazards: Vec<Hazard>,
    /// Observations that count as one because an outage made them alike; at least 1.
    design: f64,
    try_ms: f64,
    value_ms: f64,
}

impl Curve {
    pub(crate) fn of(episodes: &[Episode], value_ms: f64) -> Self {
        let series: Vec<(u32, bool)> = episodes.iter().map(|one| (one.retries, one.recovered)).collect();
        let tries: Vec<f64> = episodes.iter().map(|one| one.work_ms / f64::from(one.retries + 1)).collect();
        Self {
            episodes: episodes.to_vec(),
            hazards: hazards(&series, None),
            design: design_effect(episodes),
            try_ms: median(&tries),
            value_ms,
        }
    }

    pub(crate) fn episodes(&self) -> usize {
        self.episodes.len()
    }

    pub(super) fn all(&self) -> &[Episode] {
        &self.episodes
    }

    pub(super) fn design(&self) -> f64 {
        self.design
    }

    pub(super) fn try_ms(&self) -> f64 {
        self.try_ms
    }

    pub(super) fn value_ms(&self) -> f64 {
        self.value_ms
    }

    pub(crate) fn censored(&self) -> usize {
        self.episodes.iter().filter(|one| !one.recovered).count()
    }

    pub(crate) fn most_retries(&self) -> usize {
        self.hazards.len()
    }

    /// The share that recovers as things are.
    pub(crate) fn recovered(&self) -> Interval {
        let hits = (self.episodes.len() - self.censored()) as f64;
        self.share(hits, self.episodes.len() as f64)
    }

    fn share(&self, hits: f64, of: f64) -> Interval {
        let law = Beta::of(hits / self.design, (of - hits) / self.design);
        Interval::new(hits / of.max(1.0), law.quantile(0.025), law.quantile(0.975))
    }

    /// The posterior of the hazard of retry `k`, from 1; beyond what was seen it goes on falling as it fell.
    fn law(&self, k: usize) -> Option<(Beta, f64)> {
        let last = self.hazards.len();
        let seen = self.hazards.get(k.min(last).checked_sub(1)?)?;
        let law = Beta { alpha: seen.law.alpha / self.design, beta: seen.law.beta / self.design };
        let beyond = k.saturating_sub(last);
        Some((law, self.decay().powi(beyond as i32)))
    }

    /// The upper bound of the hazard of retry `k`, which was seen: what the step says must not make it narrower than the
    /// retry's own counts do.
    fn upper(&self, k: usize) -> f64 {
        let Some(seen) = k.checked_sub(1).and_then(|at| self.hazards.get(at)) else { return 1.0 };
        let (hits, misses) = (seen.recovered as f64, (seen.at_risk - seen.recovered) as f64);
        let own = Beta::of(hits / self.design, misses / self.design).quantile(0.975);
        self.law(k).map_or(own, |(law, _)| law.quantile(0.975).max(own))
    }

    /// How much the chance falls from one retry to the next, where it was seen to fall.
    fn decay(&self) -> f64 {
        let [.., before, last] = self.hazards.as_slice() else { return 0.9 };
        (last.law.mean() / before.law.mean()).clamp(0.3, 0.95)
    }

    fn wait_ms(&self, k: usize) -> f64 {
        let seen: Vec<f64> =
            self.episodes.iter().filter_map(|one| one.waits_ms.get(k - 1).copied()).collect();
        if !seen.is_empty() {
            return median(&seen);
        }
        // Waits double, as they do by default.
        let last = self.hazards.len().max(1);
        let known: Vec<f64> =
            self.episodes.iter().filter_map(|one| one.waits_ms.get(last - 1).copied()).collect();
        median(&known) * 2f64.powi((k - last) as i32).min(60.0)
    }

    fn cost_ms(&self, k: usize) -> f64 {
        self.try_ms + self.wait_ms(k)
    }

    /// How many attempts, given how many there are now.
    pub(crate) fn choose(&self, attempts: u32, limits: (f64, f64)) -> Verdict {
        let n = self.episodes.len();
        if n < FEWEST {
            return Verdict::Keep(format!("{n} failures are too few"));
        }
        if self.hazards.is_empty() {
            return Verdict::Keep("nothing was retried yet".to_owned());
        }
        if let Some(choice) = self.hopeless(attempts) {
            return Verdict::Change(choice);
        }
        // The smallest retry that is surely not worth its cost ends the tries.
        for k in 1..=self.hazards.len() {
            if self.upper(k) * self.value_ms < self.cost_ms(k) && (k as u32) < attempts {
                return self.fewer(k as u32, attempts, limits.0.ceil() as u32);
            }
        }
        self.more(attempts, limits.1 as u32)
    }

    /// No recovery at all, seen often enough that more than 2 % is out of the question.
    fn hopeless(&self, attempts: u32) -> Option<Choice> {
        let retried = self.hazards.first()?.at_risk as f64 / self.design;
        if self.censored() < self.episodes.len() || retried < HOPELESS || attempts <= 1 {
            return None;
        }
        let recovered = self.share(0.0, self.episodes.len() as f64);
        Some(Choice {
            attempts: 1,
            waits: None,
            recovered: Interval::new(0.0, 0.0, recovered.high),
            why: format!(
                "Of {} that were tried again none ever passed, so a retry helps in fewer than 2 of 100 cases.",
                self.hazards.first()?.at_risk
            ),
            bound: format!(
                "the upper bound of recovery, {:.1} %, is below 2 % (149 are needed)",
                recovered.high * 100.0
            ),
            cost_before_ms: self.mean_cost(attempts),
            cost_after_ms: self.cost_by(1),
        })
    }

    fn fewer(&self, to: u32, attempts: u32, least: u32) -> Verdict {
        let chosen = to.max(least).max(1);
        if chosen >= attempts {
            return Verdict::Keep(format!("{attempts} attempts are as few as one step may go"));
        }
        let k = to as usize;
        let upper = self.upper(k);
        Verdict::Change(Choice {
            attempts: chosen,
            waits: None,
            recovered: self.recovered_by(chosen),
            why: format!(
                "Retry {to} passes in at most {:.1} % of the cases, which is worth less than the {:.1} s it costs.",
                upper * 100.0,
                self.cost_ms(k) / 1_000.0
            ),
            bound: if chosen > to {
                format!("the largest step from {attempts}, and the policy: at least {least} attempts")
            } else {
                format!(
                    "retry {to} is surely not worth its cost: the upper bound of its chance is {:.1} %",
                    upper * 100.0
                )
            },
            cost_before_ms: self.mean_cost(attempts),
            cost_after_ms: self.cost_by(chosen),
        })
    }

    fn more(&self, attempts: u32, most: u32) -> Verdict {
        let last = self.hazards.len();
        // Runs of other versions may have tried more often than is allowed now.
        let next = attempts as usize;
        let Some((law, factor)) = self.law(next) else {
            return Verdict::Keep("nothing is known about another retry".to_owned());
        };
        let (low, mean) = (law.quantile(0.025) * factor, law.mean() * factor);
        if low * self.value_ms <= self.cost_ms(next) {
            return Verdict::Keep(format!(
                "that retry {next} is worth its cost is not sure (its chance is at least {:.1} %)",
                low * 100.0
            ));
        }
        let mut chosen = attempts;
        let mut bound = format!("the largest step from {attempts}, and the policy: at most {most} attempts");
        let mut left = 1.0 - self.recovered_by(attempts).value;
        while chosen < most {
            let k = chosen as usize;
            let Some((law, factor)) = self.law(k) else { break };
            let chance = law.mean() * factor;
            if chance * self.value_ms <= self.cost_ms(k) {
                bound = format!("retry {k} would not be worth its cost any more");
                break;
            }
            // A whole attempt for a handful of series is not worth a new version.
            if left * chance < WORTH_IT / 4.0 {
                bound = format!("retry {k} would recover fewer than 1 of 200 failing calls");
                break;
            }
            left *= 1.0 - chance;
            chosen += 1;
        }
        let (now, then) = (self.recovered_by(attempts), self.recovered_by(chosen));
        if chosen == attempts || then.value - now.value < WORTH_IT {
            return Verdict::Keep(format!("{attempts} attempts recover nearly all that can be recovered"));
        }
        Verdict::Change(Choice {
            attempts: chosen,
            waits: None,
            recovered: then,
            why: format!(
                "Retry {last} still went well in {:.0} % of the cases that came to it, so that the next is expected \
                 to pass in {:.0} % (at least {:.0} %).",
                self.law(last).map_or(0.0, |(law, _)| law.mean()) * 100.0,
                mean * 100.0,
                low * 100.0
            ),
            bound,
            cost_before_ms: self.mean_cost(attempts),
            cost_after_ms: self.cost_by(chosen),
        })
    }

    /// The share that so many attempts recover, with an interval from draws of every hazard.
    pub(crate) fn recovered_by(&self, attempts: u32) -> Interval {
        let laws: Vec<(Beta, f64)> = (1..attempts as usize).filter_map(|k| self.law(k)).collect();
        let survive =
            |chances: &mut dyn Iterator<Item = f64>| chances.fold(1.0, |left, chance| left * (1.0 - chance));
        let value = 1.0 - survive(&mut laws.iter().map(|(law, factor)| law.mean() * factor));
        let mut random = Random::new(0x7e57);
        // Beyond what was seen nobody knows how the chance goes on: it may fall to a third with every retry, as where the
        // rest is permanent, or double, as where time heals and waits grow.
        let mut drawn: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let seen = laws.iter().take(self.hazards.len().max(1));
                let chances: Vec<f64> = seen.map(|(law, _)| law.draw(&mut random)).collect();
                let step = (EXTREMES.0.ln() + (EXTREMES.1 / EXTREMES.0).ln() * random.uniform()).exp();
                let chance = |at: usize| {
                    let beyond = (at + 1).saturating_sub(chances.len()) as i32;
                    (chances[at.min(chances.len() - 1)] * step.powi(beyond)).min(0.97)
                };
                1.0 - survive(&mut (0..laws.len()).map(chance))
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        let at = |share: f64| drawn[((DRAWS - 1) as f64 * share).round() as usize];
        Interval::new(value, at(0.025), at(0.975))
    }

    /// Mean time that a failing call takes with so many attempts.
    fn mean_cost(&self, attempts: u32) -> f64 {
        let (mut left, mut cost) = (1.0, self.try_ms);
        for k in 1..attempts as usize {
            let Some((law, factor)) = self.law(k) else { break };
            cost += left * self.cost_ms(k);
            left *= 1.0 - law.mean() * factor;
        }
        cost
    }

    /// The same with its interval: hazards drawn from their laws, and tries that do not all take as long.
    fn cost_by(&self, attempts: u32) -> Interval {
        let laws: Vec<(Beta, f64)> = (1..attempts as usize).filter_map(|k| self.law(k)).collect();
        let mut random = Random::new(0xc057);
        let mut drawn: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let (mut left, mut cost) = (1.0, self.try_ms);
                for (at, (law, factor)) in laws.iter().enumerate() {
                    cost += left * self.cost_ms(at + 1);
                    left *= 1.0 - law.draw(&mut random) * factor;
                }
                cost
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        let at = |share: f64| drawn[((DRAWS - 1) as f64 * share).round() as usize];
        let tries: Vec<Vec<f64>> =
            self.episodes.iter().map(|one| vec![one.work_ms / f64::from(one.retries + 1)]).collect();
        let spread = interval_of_mean(&tries).map_or(0.0, |mean| (mean.high - mean.low) / 2.0);
        Interval::new(self.mean_cost(attempts), at(0.025) - spread, at(0.975) + spread)
    }
}

/// How many observations count as one: the variance of bucket sums against that of single ones.
fn design_effect(episodes: &[Episode]) -> f64 {
    let n = episodes.len() as f64;
    let mean = episodes.iter().filter(|one| one.recovered).count() as f64 / n.max(1.0);
    let single = n * mean * (1.0 - mean);
    if single <= 0.0 {
        return 1.0;
    }
    let times = || episodes.iter().map(|one| one.at_ms);
    let first = times().min().unwrap_or(0);
    let bucket = ((times().max().unwrap_or(0) - first) / BUCKETS).clamp(1, BUCKETS_MS);
    let groups =
        blocks(episodes.iter().map(|one| ((one.at_ms - first) / bucket, f64::from(u8::from(one.recovered)))));
    if groups.len() < 2 {
        return 1.0;
    }
    let sums: f64 =
        groups.iter().map(|group| group.iter().map(|value| value - mean).sum::<f64>().powi(2)).sum();
    (sums / single).max(1.0)
}
