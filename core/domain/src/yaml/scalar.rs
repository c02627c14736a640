//! Scalars of the YAML 1.2 core schema, as people who came from YAML 1.1 parsers write them.
//!
//! `yes`, `no`, `on` and `off` stay text; infinities, which JSON cannot hold, stay text too.

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::Number;

use super::Data;

pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Data {
    if let Some(tag) = tag.filter(|tag| tag.is_yaml_core_schema()) {
        return match tag.suffix.as_str() {
            "int" => integer(text).map_or_else(|| keep(text), Data::Number),
            "float" => float(text).map_or_else(|| keep(text), Data::Number),
            "bool" => boolean(text).map_or_else(|| keep(text), Data::Bool),
            "null" => Data::Null,
            _ => keep(text),
        };
    }
    if style == ScalarStyle::Plain && tag.is_none() { plain(text) } else { keep(text) }
}

fn plain(text: &str) -> Data {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Data::Null;
    }
    if let Some(value) = boolean(text) {
        return Data::Bool(value);
    }
    match text.as_bytes()[0] {
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            integer(text).or_else(|| float(text)).map_or_else(|| keep(text), Data::Number)
        }
        _ => keep(text),
    }
}

fn keep(text: &str) -> Data {
    Data::String(text.to_owned())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(Number::from);
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plain = digits.strip_prefix('-').unwrap_or(digits);
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().map(Number::from).or_else(|_| digits.parse::<u64>().map(Number::from)).ok()
}

fn float(text: &str) -> Option<Number> {
    let digits = text.trim_start_matches(['+', '-']);
    let shape =
        digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !shape || text.len() - digits.len() > 1 || !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // `1e5` is a number in YAML 1.2; `.5` and `5.` are numbers in both versions.
    text.parse::<f64>().ok().and_then(Number::from_f64)
}
