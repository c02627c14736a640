//! Insights: one file per question, each a function from the analytic store to an answer of `noetl_api::insight`.
//!
//! Numbers are computed in SQL over the hourly views where they can be; what SQL cannot say well is in [`statistics`].

mod anomalies;
mod bottlenecks;
mod clusters;
mod compare;
mod ended;
mod sql;
pub(crate) mod statistics;
mod stats;
mod status;

pub(crate) use anomalies::anomalies;
pub(crate) use bottlenecks::bottlenecks;
pub(crate) use clusters::clusters;
pub(crate) use compare::{Definitions, compare, known};
pub(crate) use ended::ended;
pub(crate) use sql::sql;
pub(crate) use stats::stats;
pub(crate) use status::status;

use chrono::{DateTime, SecondsFormat, Utc};
use noetl_api::insight::Quantiles;

/// A stretch of time; it ends now unless an end was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    pub(crate) from: DateTime<Utc>,
    pub(crate) now: DateTime<Utc>,
}

/// RFC 3339 with milliseconds.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) fn moment_of_ms(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map(moment).unwrap_or_default()
}

/// The beginning of the hour, Unix seconds.
pub(crate) fn hour_of(at: DateTime<Utc>) -> i64 {
    at.timestamp() - at.timestamp().rem_euclid(3600)
}

/// The end of the hour that holds the moment before this one, Unix seconds: views count whole hours.
pub(crate) fn end_of_hour(at: DateTime<Utc>) -> i64 {
    let last = at.timestamp() - 1;
    last - last.rem_euclid(3600) + 3600
}

/// As the views keep them: 0.25, 0.5, 0.75, 0.95, 0.99. Nothing observed is told as zeros.
pub(crate) fn quantiles(of: &[f64]) -> Quantiles {
    let at = |index: usize| of.get(index).copied().filter(|value| value.is_finite()).unwrap_or(0.0);
    Quantiles { p25: at(0), p50: at(1), p75: at(2), p95: at(3), p99: at(4) }
}

pub(crate) fn hex(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

/// The quantiles that every view keeps, as SQL writes them.
pub(crate) const LEVELS: &str = "0.25, 0.5, 0.75, 0.95, 0.99";
