//! Waits between tries, placed where failures are known to pass.
//!
//! Beyond the last look the curve goes on as it went before it, within wide bounds; the canary tells.
//! Where trying again helps because time has passed, the first wait goes to a quantile of the time that failures take to
//! pass (a quarter, half, or four fifths of those that do), and the growth of the waits to what costs least over that
//! curve. Where each try has the same chance however long one waited, waits stay.

use super::curve::{BUCKETS_MS, Choice, Curve, Episode};
use crate::statistics::{Healing, Interval, Passed, Random, blocks, intervals_over_blocks};

/// Shares of the failures that pass, by which the first wait may end.
const QUANTILES: [f64; 3] = [0.25, 0.5, 0.8];
const GROWTHS: [f64; 5] = [1.0, 1.5, 2.0, 3.0, 4.0];
/// Failing calls below which waits are left alone.
const FEWEST: usize = 60;
/// How sure it must be that longer waits went well more often: two-sided 99 %.
const SURE: f64 = 2.576;
/// Of the cost as it is, what a change must save.
const WORTH_IT: f64 = 0.03;
/// Recoveries that a change must add, as a share of the failing calls.
const MORE: f64 = 0.02;
/// How recovery may go on beyond the last look, as a factor.
const SLOWEST: f64 = 0.36;
const FASTEST: f64 = 2.1;
/// Draws of jitter that stand for all.
const DRAWS: usize = 16;

/// How long is waited before each retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Waits {
    pub(crate) initial_ms: f64,
    pub(crate) multiplier: f64,
    /// None grows beyond this.
    pub(crate) most_ms: f64,
}

/// What the settings in force allow.
pub(crate) struct Room {
    pub(crate) now: Waits,
    pub(crate) attempts: u32,
    pub(crate) initial_ms: (f64, f64),
    pub(crate) multiplier: (f64, f64),
}

impl Waits {
    fn before(&self, retry: u32) -> f64 {
        (self.initial_ms * self.multiplier.powi(retry.saturating_sub(1) as i32)).min(self.most_ms)
    }
}

/// Waits that cost less than those in force; why they stay as they are.
pub(crate) fn better(curve: &Curve, room: &Room) -> Result<Choice, String> {
    let episodes = curve.all();
    if episodes.len() < FEWEST || room.attempts < 2 || room.now.initial_ms <= 0.0 {
        return Err(format!("{} failing calls are too few to move its waits", episodes.len()));
    }
    let surely = time_heals(episodes) / curve.design().sqrt();
    if surely < SURE {
        return Err("retries after longer waits went well no more often than others".to_owned());
    }
    let looks: Vec<Passed> = episodes.iter().map(passed).collect();
    let healing = Healing::of(&looks).ok_or("nothing ever passed")?;
    let present = Plan { waits: room.now, attempts: room.attempts, jitter: jitter(episodes, room.now) };
    let cost = |healing: &Healing, plan: &Plan| plan.cost(healing, curve.try_ms(), curve.value_ms());
    let now = cost(&healing, &present);
    let inside = |value: f64, (low, high): (f64, f64)| value.clamp(low, high);
    let candidates = QUANTILES.iter().flat_map(|share| {
        let initial_ms = inside(healing.quantile(*share) / present.jitter.max(0.1), room.initial_ms);
        GROWTHS.iter().map(move |growth| Waits {
            initial_ms,
            multiplier: inside(*growth, room.multiplier),
            most_ms: room.now.most_ms,
        })
    });
    let share = |plan: &Plan| plan.recovered(&healing, curve.try_ms());
    let best = candidates
        .map(|waits| Plan { waits, ..present })
        .filter(|plan| share(plan) >= share(&present) + MORE)
        .min_by(|a, b| cost(&healing, a).total_cmp(&cost(&healing, b)))
        .ok_or("no other waits let more of them pass")?;
    let then = cost(&healing, &best);
    if then > now * (1.0 - WORTH_IT) {
        return Err("its waits are as good as the recovery that was seen allows".to_owned());
    }
    // What one outage did to many counts once.
    let first = episodes.iter().map(|one| one.at_ms).min().unwrap_or(0);
    let groups = blocks(episodes.iter().map(|one| ((one.at_ms - first) / BUCKETS_MS, passed(one))));
    // Beyond what was looked at nobody knows how it goes on: it may slow down to a third, or double.
    let random = std::cell::RefCell::new(Random::new(0x601));
    let [saved, recovered, after] = intervals_over_blocks(&groups, 0xbac0, |drawn| {
        let factor = SLOWEST * (FASTEST / SLOWEST).powf(random.borrow_mut().uniform());
        let healing = Healing::of(drawn.iter().copied())?.going_on(factor);
        let (before, after) = (cost(&healing, &present), cost(&healing, &best));
        Some([before - after, best.recovered(&healing, curve.try_ms()), after])
    })
    .ok_or("too few outages were seen to say what other waits are worth")?;
    if saved.low <= 0.0 {
        return Err("that other waits cost less is not sure".to_owned());
    }
    let seconds = |ms: f64| ms / 1_000.0;
    Ok(Choice {
        attempts: room.attempts,
        waits: Some(best.waits),
        recovered: widened(recovered),
        why: format!(
            "Retries after longer waits went well more often, so that time heals rather than trying: a quarter of those \
             that pass has passed after {:.1} s, half after {:.1} s and four fifths after {:.1} s.",
            seconds(healing.quantile(0.25)),
            seconds(healing.quantile(0.5)),
            seconds(healing.quantile(0.8)),
        ),
        bound: "quantiles of the time to recovery, and the largest step".to_owned(),
        cost_before_ms: now,
        cost_after_ms: after,
    })
}

/// Percentiles of resamples are somewhat too narrow for a share near its end.
fn widened(share: Interval) -> Interval {
    let wider = |edge: f64| share.value + (edge - share.value) * 1.15;
    Interval::new(share.value, wider(share.low).max(0.0), wider(share.high).min(1.0))
}

/// Between which of its looks a call found that the failure had passed.
fn passed(episode: &Episode) -> Passed {
    let last = episode.looks_ms.len();
    match (episode.recovered, last) {
        (true, 1) => Passed { after: 0.0, by: Some(episode.looks_ms[0]) },
        (true, last) if last > 1 => {
            Passed { after: episode.looks_ms[last - 2], by: Some(episode.looks_ms[last - 1]) }
        }
        _ => Passed { after: episode.looks_ms.last().copied().unwrap_or(0.0), by: None },
    }
}

/// How far the first waits stayed below what is written: jitter shortens them.
fn jitter(episodes: &[Episode], now: Waits) -> f64 {
    let first: Vec<f64> = episodes.iter().filter_map(|one| one.waits_ms.first().copied()).collect();
    let mean = first.iter().sum::<f64>() / first.len().max(1) as f64;
    (mean / now.initial_ms).clamp(0.1, 1.0)
}

/// The score of a slope in how retries went over the logarithm of the time since the look before, in deviations. What never passes
/// is tried most often and after the longest waits, which only lowers it.
fn time_heals(episodes: &[Episode]) -> f64 {
    let retries: Vec<(f64, f64)> = episodes
        .iter()
        .flat_map(|one| {
            let before = std::iter::once(0.0).chain(one.looks_ms.iter().copied());
            one.looks_ms.iter().zip(before).enumerate().filter(|(_, (look, before))| *look > before).map(
                |(at, (look, before))| {
                    let went_well = one.recovered && at + 1 == one.retries as usize;
                    ((look - before).ln(), f64::from(u8::from(went_well)))
                },
            )
        })
        .collect();
    let n = retries.len().max(1) as f64;
    let (x, y) =
        (retries.iter().map(|(x, _)| x).sum::<f64>() / n, retries.iter().map(|(_, y)| y).sum::<f64>() / n);
    let slope: f64 = retries.iter().map(|(wait, well)| (well - y) * (wait - x)).sum();
    let spread: f64 = retries.iter().map(|(wait, _)| (wait - x).powi(2)).sum();
    slope / (y * (1.0 - y) * spread).sqrt().max(1e-9)
}

/// So many attempts with such waits.
#[derive(Clone, Copy, Debug)]
struct Plan {
    waits: Waits,
    attempts: u32,
    /// Mean of what jitter leaves of a wait.
    jitter: f64,
}

impl Plan {
    /// When it looks again, for one draw of jitter.
    fn looks(&self, try_ms: f64, random: &mut Random) -> Vec<f64> {
        let mut at = 0.0;
        let spread = 2.0 * (1.0 - self.jitter);
        (1..self.attempts)
            .map(|retry| {
                at += self.waits.before(retry) * (1.0 - spread * random.uniform());
                let look = at;
                at += try_ms;
                look
            })
            .collect()
    }

    fn over_draws(&self, try_ms: f64, of: impl Fn(&[f64]) -> f64) -> f64 {
        let mut random = Random::new(0x77a1);
        (0..DRAWS).map(|_| of(&self.looks(try_ms, &mut random))).sum::<f64>() / DRAWS as f64
    }

    fn recovered(&self, healing: &Healing, try_ms: f64) -> f64 {
        self.over_draws(try_ms, |looks| looks.last().map_or(0.0, |last| healing.by(*last)))
    }

    /// Mean cost of a failing call: the time until it passes or is given up, and what a failed execution costs.
    fn cost(&self, healing: &Healing, try_ms: f64, value_ms: f64) -> f64 {
        self.over_draws(try_ms, |looks| {
            let (mut cost, mut before) = (try_ms, 0.0);
            for look in looks {
                let by = healing.by(*look);
                cost += (by - before) * (look + try_ms);
                before = by;
            }
            cost + (1.0 - before) * (looks.last().copied().unwrap_or(0.0) + try_ms + value_ms)
        })
    }
}
