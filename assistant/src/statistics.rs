//! The statistics that choose numbers: pure, seeded, without a clock.
//!
//! What is estimated carries an interval; what data cannot tell gives None rather than a guess.

mod beta;
mod bootstrap;
mod drift;
mod hazard;
mod healing;
mod line;
mod quantile;
mod random;
mod scalability;
mod survival;

pub(crate) use beta::{Beta, share};
pub(crate) use bootstrap::{blocks, interval_of_mean, interval_over_blocks, intervals_over_blocks};
pub(crate) use drift::drifted;
pub(crate) use hazard::{Hazard, hazards};
pub(crate) use healing::{Healing, Passed};
pub(crate) use line::{Line, theil_sen};
pub(crate) use quantile::{claimable_quantile, median, percentile};
pub(crate) use random::Random;
pub(crate) use scalability::{Scalability, usl};
pub(crate) use survival::{Duration, quantile_bound};

/// A value with the interval that holds the truth in 95 of 100 cases.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Interval {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Interval {
    pub(crate) fn new(value: f64, low: f64, high: f64) -> Self {
        Self { value, low: low.min(value), high: high.max(value) }
    }

    #[cfg(test)]
    pub(crate) fn holds(self, truth: f64) -> bool {
        self.low <= truth && truth <= self.high
    }
}
