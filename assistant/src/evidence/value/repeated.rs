//! Values that occur again: the same element twice in a list, or what was found in one step found in the step before.

use std::collections::HashSet;

use noetl_domain::Value;

use super::{DEPTH, LOOKED_AT, join, type_of};

/// Elements among which a second one like it is looked for.
const AMONG: usize = 10_000;
/// Fields that name a record.
const NAMES: &[&str] = &["id", "key", "uuid", "sku", "number", "code", "isin", "email", "ref", "reference"];

/// An element that a list has twice, and its place: a number or a text, or a record of the same name.
pub(super) fn twice(value: &Value) -> Option<(String, String)> {
    inside(value, "", DEPTH)
}

fn inside(value: &Value, at: &str, depth: usize) -> Option<(String, String)> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Array(list) => {
            let found = again(list).map(|(index, text)| (join(at, &format!("[{index}]")), text));
            found.or_else(|| {
                let mut inner = list.iter().enumerate().take(LOOKED_AT);
                inner.find_map(|(index, value)| inside(value, &join(at, &format!("[{index}]")), depth))
            })
        }
        Value::Object(map) => map.iter().find_map(|(key, value)| inside(value, &join(at, key), depth)),
        Value::String(text) => again_in_rows(text).map(|name| (at.to_owned(), name)),
        _ => None,
    }
}

/// The first field of a row of values that a statement has twice: `('o1', 'Bern'), ('o1', 'Basel')`.
fn again_in_rows(text: &str) -> Option<String> {
    let mut seen = HashSet::new();
    let mut rows = text.split('(').skip(1).take(AMONG).filter_map(|rest| rest.split_once(')'));
    rows.find_map(|(row, _)| {
        let first = row.split(',').next()?.trim().trim_matches(['\'', '"']);
        (row.contains(',') && !first.is_empty() && !seen.insert(first)).then(|| first.to_owned())
    })
}

/// The first element that was there before.
fn again(list: &[Value]) -> Option<(usize, String)> {
    let mut seen = HashSet::new();
    list.iter().take(AMONG).enumerate().find_map(|(index, element)| {
        let name = name_of(element)?;
        (!name.is_empty() && !seen.insert(name.clone())).then_some((index, name))
    })
}

/// What tells an element from others: itself, the field that names a record, or all of the record.
fn name_of(element: &Value) -> Option<String> {
    match element {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // A row is called by its first field, where that is a text.
        Value::Array(row) => row.first().filter(|_| row.len() > 1)?.as_str().map(str::to_owned),
        Value::Object(map) => {
            let named = |name: &str| {
                let is_it = |key: &String| {
                    key.to_lowercase() == name || key.to_lowercase().ends_with(&format!("_{name}"))
                };
                map.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
            };
            match NAMES.iter().find_map(|name| named(name)) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(_) => None,
                // A record of one text is called by it.
                None => match map.values().collect::<Vec<_>>().as_slice() {
                    [] | [Value::Number(_)] => None,
                    [Value::String(text)] => Some(text.clone()),
                    _ => Some(element.to_string()),
                },
            }
        }
        _ => None,
    }
}

/// An element of a list that another list has as well: its place and what it is called.
pub(crate) fn shared(value: &Value, other: &Value) -> Option<(String, String)> {
    let names: HashSet<String> =
        lists(other, DEPTH).into_iter().flatten().take(AMONG).filter_map(name_of).collect();
    let mut of_lists = lists(value, DEPTH).into_iter();
    of_lists.find_map(|list| {
        let mut elements = list.iter().take(AMONG).enumerate();
        elements.find_map(|(index, element)| {
            let name = name_of(element).filter(|name| !name.is_empty() && names.contains(name))?;
            Some((format!("[{index}]"), name))
        })
    })
}

fn lists(value: &Value, depth: usize) -> Vec<&Vec<Value>> {
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    match value {
        Value::Array(list) => vec![list],
        Value::Object(map) => map.values().take(LOOKED_AT).flat_map(|inner| lists(inner, depth)).collect(),
        _ => Vec::new(),
    }
}

/// The one element, or the one field of a record, that is of another type than all its neighbours: its place, their type
/// and its own.
pub(super) fn odd_one(value: &Value, at: &str, depth: usize) -> Option<(String, &'static str, &'static str)> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Array(list) => odd_in(list, at).or_else(|| {
            let mut inner = list.iter().enumerate().take(LOOKED_AT);
            inner.find_map(|(index, value)| odd_one(value, &join(at, &format!("[{index}]")), depth))
        }),
        Value::Object(map) => map.iter().find_map(|(key, value)| odd_one(value, &join(at, key), depth)),
        _ => None,
    }
}

fn odd_in(list: &[Value], at: &str) -> Option<(String, &'static str, &'static str)> {
    let alone = |values: Vec<(usize, &Value)>| {
        let types: Vec<(usize, &'static str)> = values
            .iter()
            .map(|(index, value)| (*index, type_of(value)))
            .filter(|(_, of)| *of != "null")
            .collect();
        let (index, odd) =
            types.iter().find(|(_, of)| types.iter().filter(|(_, other)| other == of).count() == 1)?;
        let others: Vec<&'static str> =
            types.iter().filter(|(at, _)| at != index).map(|(_, of)| *of).collect();
        let usual = *others.first()?;
        (others.len() > 1 && others.iter().all(|of| *of == usual)).then_some((*index, usual, *odd))
    };
    let plain: Vec<(usize, &Value)> = list.iter().enumerate().take(AMONG).collect();
    if let Some((index, usual, odd)) = alone(plain) {
        return Some((join(at, &format!("[{index}]")), usual, odd));
    }
    let keys = list.first()?.as_object()?.keys().take(LOOKED_AT);
    keys.into_iter().find_map(|key| {
        let of_key = list.iter().enumerate().take(AMONG);
        let of_key = of_key.filter_map(|(index, record)| Some((index, record.get(key)?))).collect();
        let (index, usual, odd) = alone(of_key)?;
        Some((join(at, &format!("[{index}].{key}")), usual, odd))
    })
}

/// How often a text or a number stands in a value.
pub(crate) fn count_of(value: &Value, text: &str, depth: usize) -> usize {
    let Some(depth) = depth.checked_sub(1) else { return 0 };
    match value {
        Value::String(found) => usize::from(found == text),
        Value::Number(found) => usize::from(found.to_string() == text),
        Value::Array(list) => list.iter().take(AMONG).map(|inner| count_of(inner, text, depth)).sum(),
        Value::Object(map) => map.values().map(|inner| count_of(inner, text, depth)).sum(),
        _ => 0,
    }
}

/// Where a text stands in a value, alone or with more around it.
pub(crate) fn place_of(value: &Value, text: &str, at: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::String(found) => found.contains(text).then(|| at.to_owned()),
        Value::Number(found) => (found.to_string() == text).then(|| at.to_owned()),
        Value::Array(list) => {
            let mut list = list.iter().take(AMONG).enumerate();
            list.find_map(|(index, inner)| place_of(inner, text, &join(at, &format!("[{index}]")), depth))
        }
        Value::Object(map) => {
            map.iter().find_map(|(key, inner)| place_of(inner, text, &join(at, key), depth))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_twice_is_found_with_its_place() {
        let found = |value: Value| twice(&value);
        assert_eq!(found(json!({"ids": [1, 2, 1]})), Some(("ids[2]".into(), "1".into())));
        let orders = json!([{"order_id": "a", "n": 1}, {"order_id": "b", "n": 1}, {"order_id": "a", "n": 2}]);
        assert_eq!(found(orders), Some(("[2]".into(), "a".into())));
        assert_eq!(found(json!([{"n": 1}, {"n": 1}])), None);
        let meters =
            json!([{"meter": "N-1", "kwh": 3}, {"meter": "S-1", "kwh": 4}, {"meter": "N-1", "kwh": 3}]);
        assert!(found(meters).is_some_and(|(at, _)| at == "[2]"));
        let (one, two) = (json!([{"no": "P1"}, {"no": "P2"}]), json!([{"no": "P3"}, {"no": "P1"}]));
        assert_eq!(shared(&two, &one), Some(("[1]".into(), "P1".into())));
        assert_eq!(shared(&json!([1, 2]), &json!([3])), None);
        assert_eq!(found(json!({"t": "('o1', 2), ('o1', 3)"})), Some(("t".into(), "o1".into())));
        assert_eq!(found(json!("('o1', 2), ('o2', 2)")), None);
        assert_eq!(found(json!([1, 2, 3, null, null, "", ""])), None);
        let odd = |value: Value| odd_one(&value, "", 5);
        let readings = json!({"readings": [{"c": 21.5}, {"c": "ERR"}, {"c": 19.0}]});
        assert_eq!(odd(readings), Some(("readings[1].c".into(), "number", "text")));
        assert_eq!(odd(json!([1, 2, "x", 4])), Some(("[2]".into(), "number", "text")));
        assert_eq!(odd(json!([1, "x"])), None);
        assert_eq!(odd(json!([{"c": 1, "n": "a"}, {"c": 2, "n": "b"}, {"c": null, "n": "c"}])), None);
        assert_eq!(count_of(&json!([{"rows": [{"id": 21}]}, {"rows": [{"id": 21}]}]), "21", 5), 2);
        assert_eq!(
            place_of(&json!({"a": [{"b": "on 2026-02-30"}]}), "2026-02-30", "", 5).as_deref(),
            Some("a[0].b")
        );
    }
}
