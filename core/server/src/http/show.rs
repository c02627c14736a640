//! How what we keep looks to callers: times as text, ids as text, both generations' field names.

pub(super) mod event;
pub(super) mod execution;

use chrono::{DateTime, SecondsFormat};

/// RFC 3339 with milliseconds.
pub(super) fn time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}

pub(super) fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Seconds between two moments; the second one is now when it has not come.
pub(super) fn seconds(from_ms: i64, to_ms: Option<i64>) -> f64 {
    (to_ms.unwrap_or_else(now_ms) - from_ms).max(0) as f64 / 1000.0
}
