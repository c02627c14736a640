//! Values and names as SQL text.

use noetl_domain::Value;

use super::Flavour;

/// A value as a literal. PostgreSQL gets every value as quoted text, which takes the type of its surroundings.
pub fn literal(value: &Value, flavour: Flavour) -> String {
    match (value, flavour) {
        (Value::Null, _) => "NULL".into(),
        (Value::Bool(truth), Flavour::Sqlite) => u8::from(*truth).to_string(),
        (Value::Number(number), Flavour::Sqlite) => number.to_string(),
        (Value::String(text), _) => quoted(text, flavour),
        (other, _) => quoted(&other.to_string(), flavour),
    }
}

/// Text as a literal that reads the same whatever `standard_conforming_strings` says.
pub fn quoted(text: &str, flavour: Flavour) -> String {
    if flavour == Flavour::Postgres && text.contains('\\') {
        return format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// A list as the text of a PostgreSQL array.
pub fn array_text(items: &[Value]) -> String {
    let mut text = String::from("{");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match item {
            Value::Null => text.push_str("NULL"),
            Value::Array(inner) => text.push_str(&array_text(inner)),
            Value::Bool(_) | Value::Number(_) => text.push_str(&item.to_string()),
            Value::String(_) | Value::Object(_) => {
                let written = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                text.push('"');
                text.push_str(&written.replace('\\', "\\\\").replace('"', "\\\""));
                text.push('"');
            }
        }
    }
    text.push('}');
    text
}

/// A table or column name as it may stand in a statement: parts are quoted where that changes nothing but safety.
///
/// A bare name with upper-case letters stays bare, because databases fold it and authors count on that.
pub fn name(written: &str) -> String {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut inside = false;
    for character in written.trim().chars() {
        match character {
            '"' => {
                inside = !inside;
                part.push('"');
            }
            '.' if !inside => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    parts.iter().map(|part| name_part(part)).collect::<Vec<_>>().join(".")
}

fn name_part(part: &str) -> String {
    let quoted = part.len() >= 2 && part.starts_with('"') && part.ends_with('"');
    if quoted && !part[1..part.len() - 1].replace("\"\"", "").contains('"') {
        return part.to_owned();
    }
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    let bare =
        part.starts_with(starts) && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if bare && part.contains(|c: char| c.is_ascii_uppercase()) {
        return part.to_owned();
    }
    format!("\"{}\"", part.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn literals_and_names_cannot_break_out() {
        for (value, postgres, sqlite) in [
            (json!(null), "NULL", "NULL"),
            (json!(1.5), "'1.5'", "1.5"),
            (json!(true), "'true'", "1"),
            (json!("it's"), "'it''s'", "'it''s'"),
            (json!("a\\'b"), "E'a\\\\''b'", "'a\\''b'"),
            (json!({ "k": "it's" }), "'{\"k\":\"it''s\"}'", "'{\"k\":\"it''s\"}'"),
        ] {
            assert_eq!(literal(&value, Flavour::Postgres), postgres);
            assert_eq!(literal(&value, Flavour::Sqlite), sqlite);
        }
        for (written, expected) in [
            ("users", "\"users\""),
            ("public.order", "\"public\".\"order\""),
            ("UserId", "UserId"),
            ("\"User Id\".x", "\"User Id\".\"x\""),
            ("a b", "\"a b\""),
            ("x\"; drop table y --", "\"x\"\"; drop table y --\""),
            ("\"x\"; drop\"", "\"\"\"x\"\"; drop\"\"\""),
        ] {
            assert_eq!(name(written), expected);
        }
        assert_eq!(
            array_text(&[json!(1), json!(null), json!("a\"b"), json!([true])]),
            "{1,NULL,\"a\\\"b\",{true}}"
        );
    }
}
