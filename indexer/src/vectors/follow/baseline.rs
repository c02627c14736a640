//! What is usual for a step: how long it takes and how large its result is, learned as the log goes on.
//!
//! The numbers follow from the log alone, so a stretch that is read again gives the same ones.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::rows::{Ending, Ran};
use crate::vectors::point;

/// Steps whose usual is remembered; the half that ran longest ago goes when there are more.
const MOST: usize = 10_000;
/// Runs before anything is unusual.
const ENOUGH: u32 = 5;
/// How fast the usual follows a change: about the last twenty runs count.
const RATE: f32 = 0.05;
/// A sixth more or less is never far; deviations are of natural logarithms.
const LEAST_DEVIATION: f32 = 0.15;
/// Deviations that count in full.
const FAR: f32 = 3.0;
/// The mean absolute deviation of what is spread normally, to its standard deviation.
const TO_STANDARD: f32 = 1.25;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baselines {
    steps: HashMap<u64, Usual>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Usual {
    duration: Level,
    size: Level,
    /// Where in the feed it was learned last.
    touched: u64,
}

/// A running mean, and how far from it is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Level {
    seen: u32,
    mean: f32,
    deviation: f32,
}

impl Baselines {
    /// How far the duration and the size of a result are from what is usual, from -1 to 1.
    pub(crate) fn measure(&self, playbook: &str, ran: &Ran) -> (f32, f32) {
        let Some(usual) = self.steps.get(&key(playbook, ran)) else { return (0.0, 0.0) };
        (usual.duration.measure(log(ran.duration_ms)), usual.size.measure(log(ran.bytes as f64)))
    }

    /// Learns from the steps that completed; how long a failure took says nothing about the usual.
    pub(crate) fn learn(&mut self, playbook: &str, ran: &[Ran], position: u64) {
        for one in ran.iter().filter(|one| one.ending == Ending::Completed) {
            let usual = self.steps.entry(key(playbook, one)).or_default();
            usual.duration.learn(log(one.duration_ms));
            usual.size.learn(log(one.bytes as f64));
            usual.touched = position;
        }
        if self.steps.len() > MOST {
            let mut touched: Vec<u64> = self.steps.values().map(|usual| usual.touched).collect();
            let half = touched.len() / 2;
            let (_, &mut middle, _) = touched.select_nth_unstable(half);
            self.steps.retain(|_, usual| usual.touched > middle);
        }
    }
}

impl Level {
    fn scale(&self) -> f32 {
        (self.deviation * TO_STANDARD).max(LEAST_DEVIATION)
    }

    fn measure(&self, value: f32) -> f32 {
        if self.seen < ENOUGH {
            return 0.0;
        }
        ((value - self.mean) / self.scale()).clamp(-FAR, FAR) / FAR
    }

    fn learn(&mut self, value: f32) {
        self.seen = self.seen.saturating_add(1);
        let rate = (1.0 / self.seen as f32).max(RATE);
        let mut off = value - self.mean;
        if self.seen > ENOUGH {
            // One odd run does not move the usual; a change that stays does.
            let most = FAR * self.scale();
            off = off.clamp(-most, most);
        }
        self.mean += rate * off;
        if self.seen > 1 {
            self.deviation += rate * (off.abs() - self.deviation);
        }
    }
}

fn key(playbook: &str, ran: &Ran) -> u64 {
    point::id(&["baseline", playbook, &ran.step])
}

fn log(value: f64) -> f32 {
    value.max(0.0).ln_1p() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_run_does_not_move_the_usual_and_a_change_that_stays_does() {
        let mut level = Level::default();
        for value in [4.6_f32, 4.7, 4.5, 4.6, 4.65].into_iter().cycle().take(60) {
            level.learn(value);
        }
        let before = level;
        level.learn(12.0);
        assert!((level.mean - before.mean).abs() < 0.05, "{before:?} {level:?}");
        assert_eq!(before.measure(12.0), 1.0);
        for _ in 0..100 {
            level.learn(7.0);
        }
        assert!(level.measure(7.0).abs() < 0.2, "{level:?}");
    }

    #[test]
    fn what_is_kept_is_read_back_as_it_was() {
        let mut baselines = Baselines::default();
        for position in 1..=20_u32 {
            let duration_ms = f64::from(position).sqrt() * 37.7;
            let step = "load".into();
            let one =
                Ran { step, order: None, duration_ms, attempts: 1, bytes: 3, ending: Ending::Completed };
            baselines.learn("orders", &[one], position.into());
        }
        let text = serde_json::to_string(&baselines).unwrap();
        assert_eq!(serde_json::from_str::<Baselines>(&text).unwrap(), baselines);
    }
}
