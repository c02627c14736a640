//! Values that stand in other values: what a step read, found again in what the step before it read.

use noetl_domain::Value;

use super::{DEPTH, LOOKED_AT, is_nothing, join};

/// Characters of a text that is found again by more than chance.
const TELLING: usize = 3;

/// What stands at a place such as `rows[0].total`; the whole where the place is empty.
pub(crate) fn at_path<'v>(value: &'v Value, at: &str) -> Option<&'v Value> {
    let mut found = value;
    for part in at.split('.').filter(|part| !part.is_empty()) {
        let (name, indices) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        if !name.is_empty() {
            found = found.get(name)?;
        }
        for index in indices.split(['[', ']']).filter(|index| !index.is_empty()) {
            found = found.get(index.parse::<usize>().ok()?)?;
        }
    }
    Some(found)
}

/// Where a value stands in another as it is; never for one that stands anywhere, such as null or a small number.
pub(crate) fn stands_in(whole: &Value, part: &Value) -> Option<String> {
    let is_telling = match part {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => text.chars().count() >= TELLING,
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    if is_telling { place_of_value(whole, part, "", DEPTH + 2) } else { None }
}

fn place_of_value(whole: &Value, part: &Value, at: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if whole == part {
        return Some(at.to_owned());
    }
    match whole {
        Value::Object(map) => map
            .iter()
            .take(LOOKED_AT)
            .find_map(|(key, inner)| place_of_value(inner, part, &join(at, key), depth)),
        Value::Array(list) => {
            list.iter().take(LOOKED_AT).enumerate().find_map(|(index, inner)| {
                place_of_value(inner, part, &join(at, &format!("[{index}]")), depth)
            })
        }
        _ => None,
    }
}

/// Where the only list of so many elements stands.
pub(crate) fn list_of(value: &Value, length: usize) -> Option<String> {
    let mut found = Vec::new();
    lists_of(value, length, "", DEPTH, &mut found);
    (found.len() == 1).then(|| found.remove(0))
}

fn lists_of(value: &Value, length: usize, at: &str, depth: usize, found: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Array(list) if list.len() == length => found.push(at.to_owned()),
        Value::Object(map) => map
            .iter()
            .take(LOOKED_AT)
            .for_each(|(key, inner)| lists_of(inner, length, &join(at, key), depth, found)),
        _ => {}
    }
}

/// Where something of this name is null or empty inside a value.
pub(crate) fn nothing_called(value: &Value, name: &str, at: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Object(map) => map.iter().take(LOOKED_AT).find_map(|(key, inner)| {
            let at = join(at, key);
            if key == name && is_nothing(inner) { Some(at) } else { nothing_called(inner, name, &at, depth) }
        }),
        Value::Array(list) => {
            list.iter().take(LOOKED_AT).enumerate().find_map(|(index, inner)| {
                nothing_called(inner, name, &join(at, &format!("[{index}]")), depth)
            })
        }
        _ => None,
    }
}

/// Where the only empty list or text inside a value stands.
pub(crate) fn empty_inside(value: &Value, at: &str, depth: usize) -> Option<String> {
    let mut found = Vec::new();
    all_empty(value, at, depth, &mut found);
    (found.len() == 1).then(|| found.remove(0))
}

fn all_empty(value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let mut look = |key: &str, inner: &Value| {
        let at = join(at, key);
        let is_empty = match inner {
            Value::Array(list) => list.is_empty(),
            Value::String(text) => text.trim().is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if is_empty { found.push(at) } else { all_empty(inner, &at, depth, found) }
    };
    match value {
        Value::Object(map) => map.iter().take(LOOKED_AT).for_each(|(key, inner)| look(key, inner)),
        Value::Array(list) => {
            let inner = list.iter().take(LOOKED_AT).enumerate();
            inner.for_each(|(index, inner)| look(&format!("[{index}]"), inner));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_found_again_where_it_was_passed_on() {
        let whole = json!({"answer": {"errors": [1]}, "rows": [{"total": null, "name": "x"}], "n": 3});
        assert_eq!(at_path(&whole, "rows[0].name"), Some(&json!("x")));
        assert_eq!(at_path(&whole, ""), Some(&whole));
        assert_eq!(at_path(&whole, "rows[4].name"), None);
        assert_eq!(stands_in(&whole, &json!({"errors": [1]})).as_deref(), Some("answer"));
        assert_eq!(stands_in(&whole, &json!(3)), None, "a number stands anywhere");
        assert_eq!(nothing_called(&whole, "total", "", 5).as_deref(), Some("rows[0].total"));
        assert_eq!(nothing_called(&whole, "name", "", 5), None);
        let mills = json!({"north": [1], "south": [], "west": [2]});
        assert_eq!(empty_inside(&mills, "", 3).as_deref(), Some("south"));
        assert_eq!(empty_inside(&json!({"a": [], "b": []}), "", 3), None, "which one is not known");
    }
}
