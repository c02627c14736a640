//! Reads numbers and durations out of rendered fields, where authors write `30`, `"30"` and `"30s"` alike.

use noetl_domain::Value;

/// Seconds in `30`, `0.5`, `"30"`, `"500ms"`, `"30s"`, `"5m"`, `"2h"`.
pub fn seconds(value: &Value) -> Option<f64> {
    let text = match value {
        Value::Number(number) => return number.as_f64().filter(|seconds| *seconds >= 0.0),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => return None,
    };
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..split].trim().parse().ok()?;
    let unit = match text[split..].trim() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "ms" => 0.001,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86400.0,
        _ => return None,
    };
    Some(number * unit).filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

/// A whole number in `3`, `3.0`, `"3"`.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|float| float as i64))
        }
        _ => None,
    }
}

pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Text as a person would write it: strings bare, everything else as JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_in_every_spelling() {
        let cases = [
            (json!(30), Some(30.0)),
            (json!("0.5"), Some(0.5)),
            (json!("500ms"), Some(0.5)),
            (json!("5m"), Some(300.0)),
            (json!("soon"), None),
            (json!("-1"), None),
            (json!(null), None),
        ];
        for (written, expected) in cases {
            assert_eq!(seconds(&written), expected, "{written}");
        }
    }
}
