//! Puts values into statements: `:name` from a mapping, `$1` from a list.

use noetl_domain::{Map, Value};

use super::Flavour;
use super::literal::literal;
use super::scan::{Piece, scan};

/// Replaces `:name` where `values` has the name; quoted text, comments and casts stay as they are.
pub fn bind_named(statement: &str, values: &Map, flavour: Flavour) -> String {
    replace(statement, flavour, |piece, text| match piece {
        Piece::Named if text.starts_with(':') => values.get(&text[1..]).map(|value| literal(value, flavour)),
        _ => None,
    })
}

/// Replaces `$1`, `?1` and, in order, bare `?` with what `write` makes of the value's position (from 0); None leaves it.
pub fn bind_positional(
    statement: &str,
    flavour: Flavour,
    mut write: impl FnMut(usize) -> Option<String>,
) -> String {
    let mut last = 0;
    replace(statement, flavour, |piece, text| match piece {
        Piece::Positional => {
            last = position(text, last);
            write(last.checked_sub(1)?)
        }
        _ => None,
    })
}

/// The highest position of a statement, from 1.
pub fn positions(statement: &str, flavour: Flavour) -> usize {
    let mut last = 0;
    scan(statement, flavour)
        .into_iter()
        .filter(|(piece, _)| *piece == Piece::Positional)
        .map(|(_, range)| {
            last = position(&statement[range], last);
            last
        })
        .max()
        .unwrap_or(0)
}

fn position(text: &str, last: usize) -> usize {
    text[1..].parse().unwrap_or(last + 1)
}

/// `params` as the author wrote them.
#[derive(Clone, Debug, PartialEq)]
pub enum Params {
    None,
    Positional(Vec<Value>),
    Named(Map),
}

impl From<Value> for Params {
    fn from(written: Value) -> Self {
        match written {
            Value::Null => Self::None,
            Value::Array(values) if values.is_empty() => Self::None,
            Value::Array(values) => Self::Positional(values),
            Value::Object(values) => Self::Named(values),
            single => Self::Positional(vec![single]),
        }
    }
}

fn replace(statement: &str, flavour: Flavour, mut with: impl FnMut(Piece, &str) -> Option<String>) -> String {
    let mut text = String::with_capacity(statement.len());
    for (piece, range) in scan(statement, flavour) {
        let written = &statement[range];
        match with(piece, written) {
            Some(new) => {
                // A literal must not grow together with a word before it.
                if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    text.push(' ');
                }
                text.push_str(&new);
            }
            None => text.push_str(written),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_found_only_in_code() {
        let values = json!({ "id": 5, "name": "it's", "doc": { "a": [1] } });
        let values = values.as_object().unwrap();
        let cases = [
            ("select :id, ':id', a::text, x[1:id] -- :id", "select '5', ':id', a::text, x[1'5'] -- :id"),
            (
                "insert into t values (:name,:doc::jsonb,:other)",
                "insert into t values ('it''s','{\"a\":[1]}'::jsonb,:other)",
            ),
        ];
        // The slice shows the limit: a name in a slice is a placeholder too when it has a value.
        for (written, expected) in cases {
            assert_eq!(bind_named(written, values, Flavour::Postgres), expected.replace("[1'5']", "[1 '5']"));
        }
        let bound = bind_positional("select $1,'$1',$$ $1 $$,$2 limit$1", Flavour::Postgres, |at| {
            ["'a'", "'b'"].get(at).map(|text| (*text).to_owned())
        });
        assert_eq!(bound, "select 'a','$1',$$ $1 $$,'b' limit$1", "limit$1 is one name to PostgreSQL");
        assert_eq!(positions("select $2, '$9'", Flavour::Postgres), 2);
        let bound = bind_positional("select ?, ?3, ?, '?'", Flavour::Sqlite, |at| Some(at.to_string()));
        assert_eq!(bound, "select 0, 2, 3, '?'");
        assert_eq!(positions("select ?, ?", Flavour::Sqlite), 2);
    }
}
