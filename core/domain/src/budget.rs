//! Retry budgets: how many tries after an error a host or a credential may get, so that retries cannot make an
//! outage worse. A token bucket in pure arithmetic: the moment comes in with every question.
//!
//! Every request adds a share of a token, time adds some too, and a retry takes one. A retry that finds none takes the
//! next that time will bring: it waits, behind those that asked before it. Past a bound it is refused.

use serde::{Deserialize, Serialize};

/// The numbers of every bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Retries per request.
    pub share: f64,
    /// Retries per second that are allowed however few the requests are.
    pub floor_per_second: f64,
    /// Retries saved up at most, and what a bucket starts with.
    pub burst: f64,
    /// Seconds a retry waits for the budget at most.
    pub longest_wait_seconds: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { share: 0.1, floor_per_second: 10.0, burst: 100.0, longest_wait_seconds: 30.0 }
    }
}

impl Limits {
    /// The key, least and most of each number.
    pub const BOUNDS: [(&'static str, f64, f64); 4] = [
        ("share", 0.0, 1.0),
        ("floor_per_second", 0.01, 1_000.0),
        ("burst", 1.0, 10_000.0),
        ("longest_wait_seconds", 0.0, 3_600.0),
    ];

    /// What is wrong with a number, as a sentence.
    pub fn check(&self) -> Result<(), String> {
        let written = [self.share, self.floor_per_second, self.burst, self.longest_wait_seconds];
        for ((key, least, most), value) in Self::BOUNDS.into_iter().zip(written) {
            // A number that is none is in no range.
            if !(least..=most).contains(&value) {
                return Err(format!("`{key}` is {value}, but must lie between {least} and {most}"));
            }
        }
        Ok(())
    }
}

/// What one host or one credential has used and has left, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// `host` or `credential`.
    pub kind: &'static str,
    /// A host with its port, or the name of a credential.
    pub name: String,
    /// Retries that may go out at once; below zero when some wait already.
    pub left: f64,
    /// Retries that went out, those that had to wait among them.
    pub retries: u64,
    pub delayed: u64,
    pub refused: u64,
}

/// What one host or one credential has left. Moments are seconds of a clock that never goes back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Below zero when retries wait for tokens of the future.
    tokens: f64,
    at: f64,
}

impl Bucket {
    pub fn full(limits: &Limits, now: f64) -> Self {
        Self { tokens: limits.burst, at: now }
    }

    /// Counts a request that is no retry.
    pub fn request(&mut self, limits: &Limits, now: f64) {
        self.refill(limits, now);
        self.tokens = (self.tokens + limits.share).min(limits.burst);
    }

    /// Seconds until a retry that asks now may go out, or `None` when that is too long. Takes nothing.
    pub fn wait(&mut self, limits: &Limits, now: f64) -> Option<f64> {
        self.refill(limits, now);
        let wait = ((1.0 - self.tokens) / limits.floor_per_second).max(0.0);
        (wait <= limits.longest_wait_seconds).then_some(wait)
    }

    /// Retries that may go out at once; below zero when some wait already.
    pub fn left(&mut self, limits: &Limits, now: f64) -> f64 {
        self.refill(limits, now);
        self.tokens
    }

    /// Takes the token of one retry.
    pub fn take(&mut self) {
        self.tokens -= 1.0;
    }

    /// Whether forgetting this bucket would change nothing.
    pub fn is_full(&mut self, limits: &Limits, now: f64) -> bool {
        self.refill(limits, now);
        self.tokens >= limits.burst
    }

    fn refill(&mut self, limits: &Limits, now: f64) {
        let passed = (now - self.at).max(0.0);
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * limits.floor_per_second).min(limits.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { share: 0.5, floor_per_second: 2.0, burst: 3.0, longest_wait_seconds: 1.0 };

    fn retry(bucket: &mut Bucket, now: f64) -> Option<f64> {
        let wait = bucket.wait(&LIMITS, now)?;
        bucket.take();
        Some(wait)
    }

    #[test]
    fn a_burst_goes_at_once_then_retries_queue_and_then_they_are_refused() {
        let mut bucket = Bucket::full(&LIMITS, 0.0);
        let waits: Vec<_> = (0..7).map(|_| retry(&mut bucket, 0.0)).collect();
        assert_eq!(waits, [Some(0.0), Some(0.0), Some(0.0), Some(0.5), Some(1.0), None, None]);
        assert!((bucket.tokens + 2.0).abs() < 1e-9);
    }

    #[test]
    fn time_and_requests_bring_tokens_up_to_the_burst() {
        let mut bucket = Bucket::full(&LIMITS, 0.0);
        for _ in 0..5 {
            retry(&mut bucket, 0.0);
        }
        assert_eq!(retry(&mut bucket, 0.5), Some(1.0), "half a second brought one");
        bucket.request(&LIMITS, 0.5);
        bucket.request(&LIMITS, 0.5);
        assert_eq!(retry(&mut bucket, 0.5), Some(1.0), "two requests brought one");
        assert!(bucket.is_full(&LIMITS, 100.0));
        let sent = (0..10).filter(|_| retry(&mut bucket, 100.0) == Some(0.0)).count();
        assert_eq!(sent, 3, "no more than the burst is saved up");
    }

    #[test]
    fn a_clock_that_stands_or_steps_back_brings_nothing() {
        let mut bucket = Bucket::full(&LIMITS, 10.0);
        retry(&mut bucket, 10.0);
        let known = bucket;
        bucket.wait(&LIMITS, 5.0);
        assert_eq!(bucket, known);
    }

    #[test]
    fn whatever_is_asked_retries_stay_below_the_budget() {
        let mut bucket = Bucket::full(&LIMITS, 0.0);
        let (mut requests, mut latest, mut sent) = (0_u32, 0.0_f64, 0_u32);
        for turn in 0..2_000_u32 {
            let now = f64::from(turn * turn % 97) / 97.0 + f64::from(turn) / 40.0;
            if turn % 3 == 0 {
                bucket.request(&LIMITS, now);
                requests += 1;
            } else if let Some(wait) = retry(&mut bucket, now) {
                latest = latest.max(now + wait);
                sent += 1;
            }
        }
        let most = LIMITS.burst + LIMITS.share * f64::from(requests) + LIMITS.floor_per_second * latest;
        assert!(sent > 50 && f64::from(sent) <= most, "{sent} of {most}");
    }

    #[test]
    fn numbers_out_of_bounds_are_named() {
        assert_eq!(Limits::default().check(), Ok(()));
        let wrong = Limits { floor_per_second: 0.0, ..Limits::default() };
        assert!(wrong.check().unwrap_err().contains("`floor_per_second` is 0"));
        assert!(Limits { share: f64::NAN, ..Limits::default() }.check().is_err());
    }
}
