//! Prints values as YAML that people like to read: block style, and block scalars for text of several lines.

use std::fmt::Write;

use saphyr_parser::ScalarStyle;

use super::{Data, scalar};
use crate::Value;

/// Maps and lists this short are written in one line.
const FLOW_WIDTH: usize = 80;
/// A longer key needs the `? ` form.
const SIMPLE_KEY: usize = 1000;

/// The value as a YAML document; reading it gives the value again.
pub fn print(value: &Value) -> String {
    let mut output = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut output),
        Value::Array(items) if !items.is_empty() => block(value, 0, &mut output),
        other => {
            output.push_str(&inline(other));
            output.push('\n');
        }
    }
    output
}

fn block(value: &Value, indent: usize, output: &mut String) {
    match value {
        Value::Object(map) => {
            for (index, (key, value)) in map.iter().enumerate() {
                // The first key stands behind the `- ` of its list.
                if index > 0 || at_line_start(output) {
                    pad(indent, output);
                }
                let key = text(key);
                if key.len() > SIMPLE_KEY {
                    let _ = write!(output, "? {key}\n{:indent$}:", "");
                } else {
                    let _ = write!(output, "{key}:");
                }
                child(value, indent + 2, output);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || at_line_start(output) {
                    pad(indent, output);
                }
                output.push('-');
                match item {
                    Value::Object(map) if !map.is_empty() && short(item, indent).is_none() => {
                        output.push(' ');
                        block(item, indent + 2, output);
                    }
                    _ => child(item, indent + 2, output),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => child(value, indent, output),
    }
}

/// What follows a `key:` or a `-`.
fn child(value: &Value, indent: usize, output: &mut String) {
    match value {
        Value::String(text) if is_block_text(text) => literal(text, indent, output),
        Value::Object(map) if !map.is_empty() => {
            if let Some(line) = short(value, indent) {
                let _ = writeln!(output, " {line}");
            } else {
                output.push('\n');
                block(value, indent, output);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            if let Some(line) = short(value, indent) {
                let _ = writeln!(output, " {line}");
            } else {
                output.push('\n');
                block(value, indent, output);
            }
        }
        other => {
            let _ = writeln!(output, " {}", inline(other));
        }
    }
}

fn at_line_start(output: &str) -> bool {
    output.is_empty() || output.ends_with('\n')
}

fn pad(indent: usize, output: &mut String) {
    let _ = write!(output, "{:indent$}", "");
}

/// The flow form of a small map or list that holds nothing but scalars.
fn short(value: &Value, indent: usize) -> Option<String> {
    let simple = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => !text.contains('\n'),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    };
    let (all_simple, count) = match value {
        Value::Array(items) => (items.iter().all(simple), items.len()),
        Value::Object(map) => {
            (map.iter().all(|(key, value)| simple(value) && !key.contains('\n')), map.len())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    if !all_simple || count > 4 {
        return None;
    }
    let line = inline(value);
    (indent + line.chars().count() < FLOW_WIDTH).then_some(line)
}

/// A value in one line.
pub fn flow(value: &Value) -> String {
    inline(value)
}

fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(string) => text(string),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| format!("{}: {}", text(key), inline(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Text of several lines that a literal block gives back unchanged.
fn is_block_text(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    text.contains('\n')
        && !first.trim().is_empty()
        && !first.starts_with([' ', '\t'])
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
}

fn literal(text: &str, indent: usize, output: &mut String) {
    let body = text.trim_end_matches('\n');
    let chomp = match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let _ = writeln!(output, " |{chomp}");
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if line.is_empty() {
            output.push('\n');
        } else {
            let _ = writeln!(output, "{:indent$}{line}", "");
        }
    }
}

fn text(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let printable = text.chars().all(is_printable);
    if printable && !text.contains(['"', '\\']) {
        return format!("\"{text}\"");
    }
    if printable {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            character if is_printable(character) => quoted.push(character),
            character if (character as u32) < 0x1_0000 => {
                let _ = write!(quoted, "\\u{:04x}", character as u32);
            }
            character => {
                let _ = write!(quoted, "\\U{:08x}", character as u32);
            }
        }
    }
    quoted.push('"');
    quoted
}

fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// Text that needs no quotes, for YAML 1.1 readers neither.
fn is_plain(text: &str) -> bool {
    let words = ["yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | ')' | '.'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " _-./+@()".contains(c))
        && !words.contains(&text.to_ascii_lowercase().as_str())
        && matches!(scalar::resolve(text, ScalarStyle::Plain, None), Data::String(_))
}
