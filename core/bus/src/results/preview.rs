//! The first elements and fields of a large result, for people and for routing without loading.

use noetl_domain::{Map, Value};

const ELEMENTS: usize = 3;
const FIELDS: usize = 20;
const CHARACTERS: usize = 200;
const DEPTH: usize = 3;

/// A small value of the same shape: the first elements, the first fields, the start of each text.
pub(super) fn of(value: &Value) -> Value {
    cut(value, DEPTH)
}

fn cut(value: &Value, depth: usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => match text.char_indices().nth(CHARACTERS) {
            Some((end, _)) => Value::String(format!("{}…", &text[..end])),
            None => value.clone(),
        },
        Value::Array(items) if depth == 0 => Value::String(format!("[{} elements]", items.len())),
        Value::Array(items) => items.iter().take(ELEMENTS).map(|item| cut(item, depth - 1)).collect(),
        Value::Object(map) if depth == 0 => Value::String(format!("{{{} fields}}", map.len())),
        Value::Object(map) => Value::Object(
            map.iter().take(FIELDS).map(|(key, item)| (key.clone(), cut(item, depth - 1))).collect::<Map>(),
        ),
    }
}
