//! What one service remembers between requests.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{concurrency, effects, faults, flaky, heavy, hits, rate, tokens};

/// Knobs that the public server reads from its environment.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Least and most time that `patient-records` takes.
    pub patient_delay: (Duration, Duration),
    /// Requests in one second that `patient-records` allows.
    pub patient_rate: usize,
    /// How long `error_type=timeout` keeps a client waiting.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            patient_delay: (Duration::ZERO, Duration::ZERO),
            patient_rate: 50,
            timeout: Duration::from_mins(1),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) hits: hits::Hits,
    pub(crate) faults: faults::Faults,
    pub(crate) flaky: flaky::Flaky,
    pub(crate) heavy: heavy::Heavy,
    pub(crate) rate: rate::Windows,
    pub(crate) concurrency: concurrency::Overlap,
    pub(crate) effects: effects::Effects,
    pub(crate) tokens: tokens::Issued,
}

impl State {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    pub(crate) fn reset(&self) {
        self.hits.reset();
        self.flaky.reset();
        self.heavy.reset();
        self.rate.reset();
        self.concurrency.reset();
        self.effects.reset();
    }
}

/// Locks, also after a panic elsewhere: counters stay readable for the test that reports it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
