//! What stands for many measured times.

use std::time::Duration;

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    quantile(times, 0.5)
}

pub(crate) fn quantile(times: &mut [Duration], at: f64) -> Duration {
    times.sort_unstable();
    let index = ((times.len() as f64 - 1.0) * at).round() as usize;
    times.get(index).copied().unwrap_or_default()
}
