//! From rendered text to values (playbooks.md 3.1, rule 3), and what counts as true (3.3).

use serde_json::Value as Json;

/// Reads text that a template made as the value it spells: JSON or Python literals, booleans, numbers, null.
///
/// A number is only taken when it prints back the same: `007`, `1.10` and `+47` stay text.
pub(super) fn coerce(text: String) -> Json {
    let trimmed = text.trim();
    let bracketed = (trimmed.starts_with('{') && trimmed.ends_with('}'))
        || (trimmed.starts_with('[') && trimmed.ends_with(']'));
    if bracketed {
        if let Ok(value) = serde_json::from_str(trimmed) {
            return value;
        }
        if let Some(value) = python_literal(trimmed) {
            return value;
        }
        return Json::String(text);
    }
    match trimmed.len() {
        4 if trimmed.eq_ignore_ascii_case("true") => Json::Bool(true),
        5 if trimmed.eq_ignore_ascii_case("false") => Json::Bool(false),
        4 if trimmed.eq_ignore_ascii_case("none") || trimmed.eq_ignore_ascii_case("null") => Json::Null,
        _ => number(trimmed).unwrap_or(Json::String(text)),
    }
}

/// The number that text spells, if it prints back the same.
pub(super) fn number(text: &str) -> Option<Json> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.bytes().next()?.is_ascii_digit() || text.len() > 40 {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return (number.to_string() == text).then(|| Json::from(number));
    }
    let number: f64 = text.parse().ok()?;
    let number = serde_json::Number::from_f64(number)?;
    (number.to_string() == text).then_some(Json::Number(number))
}

/// The server's rule for conditions.
pub(super) fn truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => truthy_text(text),
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
    }
}

pub(super) fn truthy_text(text: &str) -> bool {
    const FALSE: &[&str] = &["", "false", "0", "no", "none", "null", "off", "{}", "[]"];
    let text = text.trim();
    !FALSE.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A Python literal as text: `{'a': None, 'b': [True, 1.5, "x"]}`.
pub(super) fn python_literal(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text };
    let value = reader.value(64)?;
    reader.blank();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: char) -> bool {
        self.blank();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: u8) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        self.blank();
        match self.rest.chars().next()? {
            '{' => self.map(depth),
            '[' => self.list('[', ']', depth),
            '(' => self.list('(', ')', depth),
            '\'' | '"' => self.string().map(Json::String),
            _ => self.word(),
        }
    }

    fn list(&mut self, open: char, close: char, depth: u8) -> Option<Json> {
        self.eat(open);
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value(depth)?);
            if !self.eat(',') {
                return self.eat(close).then_some(Json::Array(items));
            }
        }
        Some(Json::Array(items))
    }

    fn map(&mut self, depth: u8) -> Option<Json> {
        self.eat('{');
        let mut map = crate::Map::new();
        while !self.eat('}') {
            let key = match self.value(depth)? {
                Json::String(key) => key,
                other => other.to_string(),
            };
            if !self.eat(':') {
                return None;
            }
            map.insert(key, self.value(depth)?);
            if !self.eat(',') {
                return self.eat('}').then_some(Json::Object(map));
            }
        }
        Some(Json::Object(map))
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, next)) = chars.next() {
            match next {
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    other => text.push(other),
                },
                _ if next == quote => {
                    self.rest = &self.rest[at + next.len_utf8()..];
                    return Some(text);
                }
                _ => text.push(next),
            }
        }
        None
    }

    fn word(&mut self) -> Option<Json> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_')))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(match word {
            "True" | "true" => Json::Bool(true),
            "False" | "false" => Json::Bool(false),
            "None" | "null" => Json::Null,
            _ => serde_json::from_str::<serde_json::Number>(word).map(Json::Number).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_becomes_the_value_it_spells() {
        for (text, value) in [
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("1.5", json!(1.5)),
            ("007", json!("007")),
            ("1.10", json!("1.10")),
            ("+47", json!("+47")),
            ("1e5", json!("1e5")),
            ("99999999999999999999", json!("99999999999999999999")),
            ("nan", json!("nan")),
            ("TRUE", json!(true)),
            ("none", json!(null)),
            ("", json!("")),
            (" [1, 2] ", json!([1, 2])),
            (
                "{'a': None, 'b': [True, 1.5, \"x'y\"], 'c': (1,)}",
                json!({"a": null, "b": [true, 1.5, "x'y"], "c": [1]}),
            ),
            ("{broken", json!("{broken")),
            ("{not json}", json!("{not json}")),
        ] {
            assert_eq!(coerce(text.to_owned()), value, "{text}");
        }
    }
}
