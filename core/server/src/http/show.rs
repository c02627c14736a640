//! How what we keep looks to callers: times as text, ids as text, both generations' field names.

pub(super) mod event;
pub(super) mod execution;

use chrono::{DateTime, SecondsFormat};
use noetl_domain::mask::Masker;
use noetl_domain::{Map, Value};

/// RFC 3339 with milliseconds.
pub(crate) fn time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}

pub(super) fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Hides what lies under a secret's key or looks like one. Exact values of credentials never get this far.
pub(super) fn masked(mut value: Value) -> Value {
    Masker::new().show(&mut value);
    value
}

pub(super) fn masked_map(map: &Map) -> Map {
    match masked(Value::Object(map.clone())) {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn masked_text(text: &str) -> String {
    Masker::new().text(text).into_owned()
}

/// `1 variable`, `2 variables`.
pub(super) fn count(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Seconds between two moments; the second one is now when it has not come.
pub(super) fn seconds(from_ms: i64, to_ms: Option<i64>) -> f64 {
    (to_ms.unwrap_or_else(now_ms) - from_ms).max(0) as f64 / 1000.0
}
