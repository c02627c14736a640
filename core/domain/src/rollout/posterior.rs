//! What is believed of a failure rate: a Beta distribution, on a grid of angles.
//!
//! With x = sin²θ the density is smooth up to both ends, also for Beta(½,½), and needs no gamma function.

use std::f64::consts::FRAC_PI_2;

/// Points of the grid; it covers eight standard deviations to each side.
const POINTS: usize = 160;

/// Beta(bad, good).
#[derive(Clone, Copy, Debug)]
pub(super) struct Posterior {
    bad: f64,
    good: f64,
}

impl Posterior {
    /// What both arms share before they are told apart: Jeffreys' prior, and `doubt` executions that fail as often as
    /// all of them together.
    pub(super) fn shared(failed: u64, finished: u64, doubt: f64) -> Self {
        let rate = (failed as f64 + 0.5) / (finished as f64 + 1.0);
        Self { bad: 0.5 + doubt * rate, good: 0.5 + doubt * (1.0 - rate) }
    }

    pub(super) fn seen(&self, failed: u64, finished: u64) -> Self {
        Self { bad: self.bad + failed as f64, good: self.good + finished.saturating_sub(failed) as f64 }
    }

    /// Probability that this rate is above the other's by more than `margin`.
    pub(super) fn above(&self, other: &Self, margin: f64) -> f64 {
        let (mine, theirs) = (self.grid(), other.grid());
        let mut below = 0;
        let mut sum = 0.0;
        let mut probability = 0.0;
        for (rate, weight) in &mine {
            while below < theirs.len() && theirs[below].0 + margin < *rate {
                sum += theirs[below].1;
                below += 1;
            }
            // Half of the point that is being passed, so that two equal rates give one half.
            let passing = theirs.get(below).map_or(0.0, |(_, weight)| weight / 2.0);
            probability += weight * (sum + passing);
        }
        probability.clamp(0.0, 1.0)
    }

    pub(super) fn quantile(&self, share: f64) -> f64 {
        let mut sum = 0.0;
        for (rate, weight) in self.grid() {
            sum += weight;
            if sum >= share {
                return rate;
            }
        }
        1.0
    }

    /// Rates in ascending order, each with the probability that is near it.
    fn grid(&self) -> Vec<(f64, f64)> {
        let mean = self.bad / (self.bad + self.good);
        let middle = mean.sqrt().asin();
        let wide = 8.0 * 0.5 / (self.bad + self.good).sqrt();
        let (from, to) = ((middle - wide).max(0.0), (middle + wide).min(FRAC_PI_2));
        let step = (to - from) / POINTS as f64;
        let logs: Vec<(f64, f64)> = (0..POINTS)
            .map(|point| {
                let angle = from + (point as f64 + 0.5) * step;
                let (sine, cosine) = angle.sin_cos();
                let log = (2.0 * self.bad - 1.0) * sine.ln() + (2.0 * self.good - 1.0) * cosine.ln();
                (sine * sine, log)
            })
            .collect();
        let highest = logs.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<(f64, f64)> =
            logs.into_iter().map(|(rate, log)| (rate, (log - highest).exp())).collect();
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.into_iter().map(|(rate, weight)| (rate, weight / total)).collect()
    }
}

/// The standard normal distribution's probability below `z`, to seven digits (Abramowitz and Stegun 26.2.17).
pub(super) fn normal(z: f64) -> f64 {
    if !z.is_finite() {
        return 0.5;
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let tail = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429]
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * t)
        * (-z * z / 2.0).exp()
        / (2.0 * std::f64::consts::PI).sqrt();
    if z > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_agree_with_exact_ones() {
        // By 10^7 draws of each Beta.
        for ((bad, good), (other_bad, other_good), margin, expected) in [
            ((0.5, 0.5), (0.5, 0.5), 0.0, 0.5),
            ((5.5, 45.5), (20.5, 30.5), 0.0, 0.0002),
            ((20.5, 30.5), (5.5, 45.5), 0.05, 0.9984),
            ((0.5, 30.5), (10.5, 20.5), 0.0, 0.0),
        ] {
            let found =
                Posterior { bad, good }.above(&Posterior { bad: other_bad, good: other_good }, margin);
            assert!((found - expected).abs() < 0.004, "{bad}, {good}: {found} instead of {expected}");
        }
        assert!((normal(1.959_964) - 0.975).abs() < 1e-6);
        let (_, low, high) = super::super::rate_with_interval(5, 50);
        assert!((low - 0.039).abs() < 0.005 && (high - 0.206).abs() < 0.006, "{low} {high}");
    }
}
