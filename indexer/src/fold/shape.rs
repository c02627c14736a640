//! The size and the shape of values: what is stored of bodies and inputs whatever the policy says.
//!
//! A shape is a hash of names and types; values that differ only in their particulars have the same one.

use std::hash::Hasher as _;
use std::io;

use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::{Map, Value};
use twox_hash::XxHash64;

/// Elements of a list that speak for the rest.
const LOOKED_AT: usize = 8;
/// Levels below which everything has the same shape.
const DEPTH: usize = 6;

/// Bytes of a value as JSON.
pub(crate) fn bytes_of(value: &Value) -> u64 {
    let mut count = Count(0);
    // Counting cannot fail, and neither can writing a JSON value as JSON.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

pub(crate) fn bytes(map: &Map) -> u64 {
    if map.is_empty() {
        return 0;
    }
    let mut count = Count(0);
    let _ = serde_json::to_writer(&mut count, map);
    count.0
}

pub(crate) fn stored_bytes(stored: &Stored) -> u64 {
    match stored {
        Stored::Ref(reference) => reference.bytes,
        Stored::Inline(Value::Null) => 0,
        Stored::Inline(value) => bytes_of(value),
    }
}

/// How many rows a result has: its length when it is a list, or holds rows.
pub(crate) fn rows(value: &Value, kind: ResultKind) -> u64 {
    let list = match value {
        Value::Array(list) => Some(list),
        Value::Object(map) if kind == ResultKind::Sql => map.get("rows").and_then(Value::as_array),
        Value::Object(map) => map.get("data").and_then(Value::as_array),
        _ => None,
    };
    list.map_or(0, |list| list.len() as u64)
}

pub(crate) fn stored_rows(stored: &Stored, kind: ResultKind) -> u64 {
    match stored {
        Stored::Inline(value) => rows(value, kind),
        Stored::Ref(_) => 0,
    }
}

pub(crate) fn of_stored(stored: &Stored) -> u64 {
    match stored {
        Stored::Inline(value) => of(value),
        Stored::Ref(_) => 0,
    }
}

/// The shape of a value; 0 for null.
pub(crate) fn of(value: &Value) -> u64 {
    if value.is_null() {
        return 0;
    }
    let mut hasher = XxHash64::with_seed(0);
    write(value, DEPTH, &mut hasher);
    hasher.finish()
}

pub(crate) fn of_map(map: &Map) -> u64 {
    if map.is_empty() {
        return 0;
    }
    let mut hasher = XxHash64::with_seed(0);
    write_map(map, DEPTH, &mut hasher);
    hasher.finish()
}

/// Tells two payloads apart without keeping either.
pub(crate) fn hash_of(map: &Map) -> u64 {
    if map.is_empty() {
        return 0;
    }
    let mut hasher = Hashing(XxHash64::with_seed(0));
    let _ = serde_json::to_writer(&mut hasher, map);
    hasher.0.finish()
}

fn write(value: &Value, depth: usize, hasher: &mut XxHash64) {
    match value {
        Value::Null => hasher.write(b"null"),
        Value::Bool(_) => hasher.write(b"bool"),
        Value::Number(_) => hasher.write(b"number"),
        Value::String(_) => hasher.write(b"text"),
        Value::Array(list) => {
            hasher.write(b"[");
            if depth > 0 {
                // A set, so that the order and number of elements do not matter.
                let mut shapes: Vec<u64> = list
                    .iter()
                    .take(LOOKED_AT)
                    .map(|element| {
                        let mut inner = XxHash64::with_seed(0);
                        write(element, depth - 1, &mut inner);
                        inner.finish()
                    })
                    .collect();
                shapes.sort_unstable();
                shapes.dedup();
                for shape in shapes {
                    hasher.write(&shape.to_le_bytes());
                }
            }
            hasher.write(b"]");
        }
        Value::Object(map) => write_map(map, depth, hasher),
    }
}

fn write_map(map: &Map, depth: usize, hasher: &mut XxHash64) {
    hasher.write(b"{");
    if depth > 0 {
        let mut names: Vec<&String> = map.keys().collect();
        names.sort_unstable();
        for name in names {
            hasher.write(name.as_bytes());
            hasher.write(b":");
            write(&map[name], depth - 1, hasher);
        }
    }
    hasher.write(b"}");
}

struct Count(u64);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Hashing(XxHash64);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shape_forgets_particulars_and_keeps_names_and_types() {
        let one = json!({"id": 1, "tags": ["a", "b"], "at": null});
        assert_eq!(of(&one), of(&json!({"at": null, "tags": ["c"], "id": 2})));
        assert_ne!(of(&one), of(&json!({"id": "1", "tags": ["a"], "at": null})));
        assert_ne!(of(&one), of(&json!({"id": 1, "tags": ["a"]})));
        assert_eq!(of(&json!([{"a": 1}, {"a": 2}])), of(&json!([{"a": 3}])));
        assert_eq!(of(&Value::Null), 0);
    }

    #[test]
    fn rows_are_counted_where_they_lie() {
        assert_eq!(rows(&json!([1, 2]), ResultKind::Plain), 2);
        assert_eq!(rows(&json!({"rows": [1]}), ResultKind::Sql), 1);
        assert_eq!(rows(&json!({"data": [1, 2, 3]}), ResultKind::Http), 3);
        assert_eq!(rows(&json!("text"), ResultKind::Plain), 0);
    }
}
