//! PostgreSQL's text form of values, read and written by type.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use noetl_domain::Value;
use tokio_postgres::types::{Kind, Type};

use crate::sql::literal::array_text;
use crate::sql::shape::number_or_text;

/// A column's text as a JSON value; what has no JSON counterpart stays text.
pub(super) fn read(text: &str, column: Option<&Type>) -> Value {
    let Some(column) = column else { return text.into() };
    match column.kind() {
        Kind::Domain(base) => return read(text, Some(base)),
        Kind::Array(element) => return read_array(text, element).unwrap_or_else(|| text.into()),
        _ => {}
    }
    match *column {
        Type::BOOL => Value::Bool(text == "t"),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::NUMERIC => number_or_text(text),
        Type::FLOAT4 | Type::FLOAT8 => match text.parse::<f64>() {
            Ok(float) if float.is_finite() => {
                serde_json::Number::from_f64(float).map_or(Value::Null, Value::Number)
            }
            _ => text.into(),
        },
        Type::JSON | Type::JSONB => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => iso_time(text).into(),
        Type::BYTEA => bytes(text).map_or_else(|| text.into(), |bytes| STANDARD.encode(bytes).into()),
        _ => text.into(),
    }
}

/// A parameter as the text that the server reads as this type; None is NULL.
pub(super) fn write(value: &Value, parameter: &Type) -> Option<String> {
    let json = matches!(*parameter, Type::JSON | Type::JSONB);
    Some(match value {
        Value::Null if json => "null".into(),
        Value::Null => return None,
        Value::String(text) if json && serde_json::from_str::<Value>(text).is_err() => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if matches!(parameter.kind(), Kind::Array(_)) => array_text(items),
        other => other.to_string(),
    })
}

/// `2024-01-02 03:04:05.6+00` in the form of ISO 8601; `infinity` and dates before Christ stay as they are.
fn iso_time(text: &str) -> String {
    let Some((date, time)) = text.split_once(' ').filter(|_| !text.ends_with("BC")) else {
        return text.to_owned();
    };
    let short_offset = time.len() >= 3 && matches!(time.as_bytes()[time.len() - 3], b'+' | b'-');
    format!("{date}T{time}{}", if short_offset { ":00" } else { "" })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

/// `{1,NULL,"a \" b",{…}}`, perhaps with bounds before it (`[0:1]={1,2}`).
fn read_array(text: &str, element: &Type) -> Option<Value> {
    let body = if text.starts_with('[') { text.split_once('=')?.1 } else { text };
    let mut rest = body;
    let value = read_list(&mut rest, element, 0)?;
    rest.is_empty().then_some(value)
}

fn read_list(rest: &mut &str, element: &Type, depth: u32) -> Option<Value> {
    // PostgreSQL allows six dimensions.
    if depth > 6 {
        return None;
    }
    *rest = rest.strip_prefix('{')?;
    let mut items = Vec::new();
    // Only boxes are separated by something else.
    let separator = if *element == Type::BOX { ';' } else { ',' };
    loop {
        match rest.chars().next()? {
            '}' => {
                *rest = &rest[1..];
                return Some(Value::Array(items));
            }
            '{' => items.push(read_list(rest, element, depth + 1)?),
            '"' => {
                let mut text = String::new();
                let mut characters = rest.char_indices().skip(1);
                let end = loop {
                    match characters.next()? {
                        (_, '\\') => text.push(characters.next()?.1),
                        (end, '"') => break end,
                        (_, other) => text.push(other),
                    }
                };
                *rest = &rest[end + 1..];
                items.push(read(&text, Some(element)));
            }
            _ => {
                let end = rest.find([separator, '}'])?;
                let word = &rest[..end];
                items.push(if word == "NULL" { Value::Null } else { read(word, Some(element)) });
                *rest = &rest[end..];
            }
        }
        if let Some(after) = rest.strip_prefix(separator) {
            *rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arrays_and_times_are_read() {
        for (text, kind, expected) in [
            ("{}", Type::INT4_ARRAY, json!([])),
            ("{1,NULL,3}", Type::INT4_ARRAY, json!([1, null, 3])),
            ("[0:1]={1,2}", Type::INT4_ARRAY, json!([1, 2])),
            (r#"{{a,"b \"c\\,}"},{"NULL",ä}}"#, Type::TEXT_ARRAY, json!([["a", "b \"c\\,}"], ["NULL", "ä"]])),
            (r#"{"{\"a\": 1}"}"#, Type::JSONB_ARRAY, json!([{ "a": 1 }])),
            ("{1", Type::INT4_ARRAY, json!("{1")),
            ("2024-01-02 03:04:05.6+00", Type::TIMESTAMPTZ, json!("2024-01-02T03:04:05.6+00:00")),
            ("2024-01-02 03:04:05+05:30", Type::TIMESTAMPTZ, json!("2024-01-02T03:04:05+05:30")),
            ("2024-01-02 03:04:05", Type::TIMESTAMP, json!("2024-01-02T03:04:05")),
            ("infinity", Type::TIMESTAMP, json!("infinity")),
            ("\\x01ff", Type::BYTEA, json!("Af8=")),
            ("NaN", Type::FLOAT8, json!("NaN")),
        ] {
            assert_eq!(read(text, Some(&kind)), expected, "{text}");
        }
    }
}
