//! Values: what is wrong with one, by itself or beside the one of the last good run.

mod carried;
mod defect;
mod deviation;
mod heads;
mod nothing;
mod repeated;
mod text;

use noetl_domain::Value;
use noetl_domain::mask::Masker;

use super::said::Said;
pub(crate) use carried::{at_path, empty_inside, list_of, nothing_called, stands_in};
pub(crate) use defect::{Defect, Flaw};
pub(crate) use deviation::short_of;
use deviation::{counted, fewer, judges, named_value, other_form, other_scale, unusable};
use nothing::says_none;
pub(crate) use repeated::{count_of, place_of, shared};
use repeated::{odd_one, twice};
use text::{breaks_off, columns, head_alone, last_line_breaks_off, lost_elements};

/// Elements of a list that speak for the rest.
const LOOKED_AT: usize = 50;
const DEPTH: usize = 5;
/// A list this long in the last good run is one whose length means something.
const LONG: usize = 4;

/// What is wrong with a value, the most telling first. `before`: the same of the last good run.
pub(crate) fn compare(now: &Value, before: Option<&Value>, said: &Said) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if said.about_twice
        && let Some((at, text)) = twice(now)
        && before.and_then(twice).is_none()
    {
        return vec![Flaw { at, defect: Defect::Twice(text), deviates: before.is_some() }];
    }
    match before {
        Some(before) => {
            differ(now, before, "", DEPTH, &mut flaws);
            // Of the same type as before, and all the same the value that could not be converted.
            if said.about_conversion
                && let Some((at, defect)) = misformed(now, said, "", DEPTH)
                && misformed(before, said, "", DEPTH).is_none()
            {
                flaws.push(Flaw { at, defect, deviates: true });
            }
            if flaws.is_empty() && said.about_few {
                fewer(now, before, said, "", DEPTH, &mut flaws);
            }
            counted(said, &mut flaws);
            if flaws.is_empty() && judges(said) {
                named_value(now, before, said, "", DEPTH, &mut flaws);
            }
            if flaws.is_empty() && judges(said) && said.about_size {
                other_scale(now, before, "", DEPTH, &mut flaws);
            }
            if flaws.is_empty() && (said.about_length || said.about_form || said.about_conversion) {
                other_form(now, before, said, "", DEPTH, &mut flaws);
            }
            // The path of a file says nothing of what is in it.
            let may_differ = |(at, _): &(String, Defect)| now != before || names_a_file(now, at);
            if let Some((at, defect)) = unusable(now, said, "", DEPTH).filter(may_differ) {
                flaws.push(Flaw { at, defect, deviates: now != before });
            }
            if said.about_few && short_of(now).is_some() && short_of(before).is_none() {
                // Fewer than there are by its own account says more than fewer than before.
                flaws.retain(|flaw| !matches!(flaw.defect, Defect::Counted { .. } | Defect::Fewer { .. }));
                flaws.extend(short_of(now).map(|(at, defect)| Flaw { at, defect, deviates: true }));
            }
        }
        None => alone(now, said, &mut flaws),
    }
    // What says by itself that it is empty has lost nothing else.
    let is_empty = |flaw: &Flaw| matches!(flaw.defect, Defect::Nothing | Defect::Empty);
    if !flaws.is_empty()
        && !flaws.iter().any(is_empty)
        && let Some(words) = says_none(now)
        && before.and_then(says_none).is_none()
    {
        return vec![Flaw { at: String::new(), defect: Defect::SaysNone(words), deviates: before.is_some() }];
    }
    flaws.sort_by_key(|flaw| {
        let named = match &flaw.defect {
            Defect::Lacks(keys) => keys.iter().any(|key| said.names(key)),
            _ => flaw.at.rsplit('.').next().is_some_and(|last| said.names(last)),
        };
        (!named, flaw.at.matches('.').count())
    });
    flaws
}

/// Null, or a container or text without content.
pub(crate) fn is_nothing(value: &Value) -> bool {
    emptiness(value).is_some()
}

fn emptiness(value: &Value) -> Option<Defect> {
    match value {
        Value::Null => Some(Defect::Nothing),
        Value::String(text) if matches!(text.trim(), "None" | "null" | "undefined") => Some(Defect::Nothing),
        Value::String(text) if text.trim().is_empty() => Some(Defect::Empty),
        Value::Array(list) if list.is_empty() => Some(Defect::Empty),
        Value::Object(map) if map.is_empty() => Some(Defect::Empty),
        // What a database or a service says of nothing.
        Value::Object(map) if map.get("rows").and_then(Value::as_array).is_some_and(Vec::is_empty) => {
            Some(Defect::Empty)
        }
        _ => None,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn differ(now: &Value, before: &Value, at: &str, depth: usize, flaws: &mut Vec<Flaw>) {
    let mut found = |defect| flaws.push(Flaw { at: at.to_owned(), defect, deviates: true });
    if is_nothing(before) {
        return;
    }
    if let Some(defect) = emptiness(now) {
        found(defect);
        return;
    }
    if type_of(now) != type_of(before) {
        found(Defect::Type { before: type_of(before), now: type_of(now) });
        return;
    }
    match (now, before) {
        (Value::Number(now), Value::Number(before))
            if now.as_f64() == Some(0.0) && before.as_f64() != Some(0.0) =>
        {
            found(Defect::Zero);
        }
        (Value::String(now), Value::String(before)) => {
            let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
            let looks_json = |text: &str| text.trim_start().starts_with(['{', '[']);
            // Behind a mark of its own, as in `v1:{…}`.
            let inside = |text: &'_ str| text.find(['{', '[']).map(|at| is_json(&text[at..]));
            if !looks_json(before) && inside(before) == Some(true) && inside(now) == Some(false) {
                found(Defect::Cut);
            } else if looks_json(before) && is_json(before) && !is_json(now) {
                found(if looks_json(now) { Defect::Cut } else { Defect::NotJson });
            } else if last_line_breaks_off(now) && !last_line_breaks_off(before) {
                found(Defect::Cut);
            } else if let Some(lost) = lost_elements(now, before) {
                found(Defect::Elements(lost));
            } else if before.len() >= 64 && now.len() * 2 < before.len() {
                found(Defect::Cut);
            } else if let Some((mark, names)) = columns(before)
                && names.len() > 1
                && columns(now).is_none_or(|found| found != (mark, names.clone()))
            {
                // A head without a row is an empty table.
                let is_head = now.lines().filter(|line| !line.trim().is_empty()).count() == 1
                    && now.trim().split(mark).map(str::trim).eq(names.iter().copied());
                let count = columns(now).map_or(0, |(_, names)| names.len());
                found(if is_head {
                    Defect::Empty
                } else if breaks_off(now, mark, names.len()) {
                    Defect::Cut
                } else {
                    Defect::Columns { before: names.len(), now: count }
                });
            } else if let Some(change) = heads::change(now, before) {
                found(match change {
                    heads::Change::BreaksOff => Defect::Cut,
                    heads::Change::Lost(lost) => Defect::Elements(lost),
                    heads::Change::Reordered => Defect::Reordered,
                });
            } else if before.trim().parse::<f64>().is_ok() && now.trim().parse::<f64>().is_err() {
                found(Defect::Type { before: "number as text", now: "text" });
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            if before.len() >= LONG && now.len() * 2 < before.len() {
                found(Defect::Fewer { before: before.len(), now: now.len() });
            }
            if depth > 0
                && let Some(example) = before.iter().find(|element| !is_nothing(element))
            {
                for (index, element) in now.iter().take(LOOKED_AT).enumerate() {
                    let known = flaws.len();
                    differ(element, example, &join(at, &format!("[{index}]")), depth - 1, flaws);
                    if flaws.len() > known {
                        break;
                    }
                }
            }
        }
        (Value::Object(now), Value::Object(before)) => {
            let lost: Vec<String> = before
                .iter()
                .filter(|(key, _)| !now.contains_key(*key))
                .map(|(key, _)| key.clone())
                .collect();
            if !lost.is_empty() {
                found(Defect::Lacks(lost));
            }
            if depth > 0 {
                for (key, value) in now {
                    if let Some(before) = before.get(key) {
                        differ(value, before, &join(at, key), depth - 1, flaws);
                    }
                }
            }
        }
        _ => {}
    }
}

/// What is wrong with a value of which no earlier form is known.
fn alone(now: &Value, said: &Said, flaws: &mut Vec<Flaw>) {
    let mut found = |at: String, defect| flaws.push(Flaw { at, defect, deviates: false });
    if let Some(defect) = emptiness(now) {
        found(String::new(), defect);
        return;
    }
    match now {
        Value::Number(number) if number.as_f64() == Some(0.0) => found(String::new(), Defect::Zero),
        Value::Object(_) | Value::Array(_) if said.exception == "ZeroDivisionError" => {
            if let Some(at) = zero_inside(now, "", DEPTH) {
                found(at, Defect::Zero);
            }
        }
        Value::String(text)
            if said.exception == "JSONDecodeError" && serde_json::from_str::<Value>(text).is_err() =>
        {
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            let is_of_lines = lines.len() > 1 && serde_json::from_str::<Value>(lines[0]).is_ok();
            if !is_of_lines || last_line_breaks_off(text) {
                let looks_json = text.trim_start().starts_with(['{', '[']);
                found(String::new(), if looks_json { Defect::Cut } else { Defect::NotJson });
            }
        }
        _ => {}
    }
    if said.about_nothing
        && let Some(at) = head_alone(now, "", DEPTH)
    {
        found(at, Defect::Empty);
    }
    if said.about_conversion
        && let Some((at, defect)) = misformed(now, said, "", DEPTH)
    {
        found(at, defect);
    }
    if (said.about_form || said.about_conversion)
        && let Some((at, before, now)) = odd_one(now, "", DEPTH)
    {
        found(at, Defect::Type { before, now });
    }
    if let Some((at, defect)) = unusable(now, said, "", DEPTH) {
        found(at, defect);
    }
    if said.about_few
        && let Some((at, defect)) = short_of(now)
    {
        found(at, defect);
    }
    nothing_inside(now, "", DEPTH, &mut |at| found(at, Defect::Nothing));
    // What an error of emptiness complains of may be one of several lists.
    if said.about_emptiness
        && let Some(at) = empty_inside(now, "", DEPTH)
    {
        found(at, Defect::Empty);
    }
    for key in said.quoted.iter().filter(|key| said.about_name && is_name(key)) {
        if matches!(now, Value::Object(_) | Value::Array(_)) && !has_key(now, key, DEPTH) {
            found(String::new(), Defect::Unnamed(key.clone()));
        }
    }
}

/// Where a zero stands in a value, if only one does.
fn zero_inside(value: &Value, at: &str, depth: usize) -> Option<String> {
    fn all(value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Number(number) if number.as_f64() == Some(0.0) => found.push(at.to_owned()),
            Value::Object(map) => {
                map.iter().take(LOOKED_AT).for_each(|(key, inner)| all(inner, &join(at, key), depth, found));
            }
            Value::Array(list) => {
                let mut inner = list.iter().enumerate().take(LOOKED_AT);
                inner
                    .by_ref()
                    .for_each(|(index, inner)| all(inner, &join(at, &format!("[{index}]")), depth, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    all(value, at, depth, &mut found);
    (found.len() == 1).then(|| found.remove(0))
}

/// Whether what stands at a place is the path of a file.
fn names_a_file(value: &Value, at: &str) -> bool {
    let text = match value {
        Value::String(text) if at.is_empty() => Some(text.as_str()),
        Value::Object(map) => map.get(at).and_then(Value::as_str),
        _ => None,
    };
    text.is_some_and(|text| {
        text.len() < 300
            && text.contains(['/', '\\'])
            && !text.contains(char::is_whitespace)
            && !text.starts_with("http")
    })
}

/// The value that an error about form speaks of.
fn misformed(value: &Value, said: &Said, at: &str, depth: usize) -> Option<(String, Defect)> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::String(text) if said.names(text) => Some((at.to_owned(), Defect::Quoted(text.clone()))),
        Value::String(text)
            if said.names("str") && said.exception == "TypeError" && text.trim().parse::<f64>().is_ok() =>
        {
            Some((at.to_owned(), Defect::NumberAsText(text.clone())))
        }
        Value::Object(map) => {
            map.iter().take(LOOKED_AT).find_map(|(key, value)| misformed(value, said, &join(at, key), depth))
        }
        Value::Array(list) => list
            .iter()
            .take(LOOKED_AT)
            .enumerate()
            .find_map(|(index, value)| misformed(value, said, &join(at, &format!("[{index}]")), depth)),
        _ => None,
    }
}

/// The places inside a value that are null; a few of them.
fn nothing_inside(value: &Value, at: &str, depth: usize, found: &mut impl FnMut(String)) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let mut look = |key: &str, value: &Value| {
        let at = join(at, key);
        if value.is_null() { found(at) } else { nothing_inside(value, &at, depth, found) }
    };
    match value {
        Value::Object(map) => map.iter().take(LOOKED_AT).for_each(|(key, value)| look(key, value)),
        Value::Array(list) => {
            list.iter()
                .take(LOOKED_AT)
                .enumerate()
                .for_each(|(index, value)| look(&format!("[{index}]"), value));
        }
        _ => {}
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
}

pub(crate) fn has_key(value: &Value, key: &str, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        Value::Object(map) => map.contains_key(key) || map.values().any(|inner| has_key(inner, key, depth)),
        Value::Array(list) => list.iter().take(LOOKED_AT).any(|inner| has_key(inner, key, depth)),
        _ => false,
    }
}

fn join(at: &str, key: &str) -> String {
    match (at, key.starts_with('[')) {
        ("", _) => key.to_owned(),
        (at, true) => format!("{at}{key}"),
        (at, false) => format!("{at}.{key}"),
    }
}

/// A value in little room.
///
/// What looks like a secret is masked, as it is wherever people look.
pub(crate) fn short(value: &Value) -> String {
    let text = match value {
        Value::Array(list) if list.len() > 3 => format!("a list of {}", list.len()),
        Value::Object(map) if map.len() > 6 => {
            let keys: Vec<&str> = map.keys().take(6).map(String::as_str).collect();
            format!("an object with {} and {} more", keys.join(", "), map.len() - keys.len())
        }
        value => {
            let mut shown = value.clone();
            Masker::new().show(&mut shown);
            shown.to_string()
        }
    };
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first(now: &Value, before: Option<&Value>, said: &Said) -> Option<(String, Defect)> {
        compare(now, before, said).into_iter().next().map(|flaw| (flaw.at, flaw.defect))
    }

    #[test]
    fn a_value_is_measured_by_the_one_of_the_last_good_run() {
        let said = Said::default();
        let before = json!({"items": [{"id": 1, "price": 2.5}, {"id": 2, "price": 3.0}], "total": 2});
        assert_eq!(first(&before, Some(&before), &said), None);
        let lost = json!({"entries": [], "total": 2});
        assert_eq!(
            first(&lost, Some(&before), &said),
            Some((String::new(), Defect::Lacks(vec!["items".into()])))
        );
        let empty = json!({"items": [], "total": 0});
        assert_eq!(first(&empty, Some(&before), &said).unwrap(), ("items".into(), Defect::Empty));
        let text = json!({"items": [{"id": 1, "price": "2,50"}], "total": 2});
        assert_eq!(
            first(&text, Some(&before), &said).unwrap(),
            ("items[0].price".into(), Defect::Type { before: "number", now: "text" })
        );
        let many: Vec<u8> = vec![1; 40];
        assert_eq!(
            first(&json!([1, 1, 1]), Some(&json!(many)), &said).unwrap().1,
            Defect::Fewer { before: 40, now: 3 }
        );
        assert_eq!(first(&json!(null), Some(&json!(null)), &said), None, "it never was there");
        let table = |text: &str| json!({ "text": text });
        let before = table("sku;qty\na;3\nb;4\n");
        for (text, defect) in [
            ("sku,qty\na,3\nb,4\n", Defect::Columns { before: 2, now: 2 }),
            ("sku;qty\n", Defect::Empty),
            ("no table today", Defect::Columns { before: 2, now: 0 }),
        ] {
            assert_eq!(first(&table(text), Some(&before), &said), Some(("text".into(), defect)), "{text}");
        }
    }

    #[test]
    fn what_an_error_complains_of_is_looked_for_in_the_value() {
        let error = |exception: &str, message: &str| {
            Said::of(
                &noetl_domain::error::TaskError::new("python", message)
                    .with_code(exception)
                    .with_details(json!({ "exception": exception, "message": message })),
            )
        };
        for (exception, message, before, now, defect) in [
            (
                "AssertionError",
                "implausible amount 129000",
                json!({"price": 12.9, "id": 1}),
                json!({"price": 1290, "id": 900}),
                Defect::Scale { before: "12.9".into(), now: "1290".into() },
            ),
            (
                "ValueError",
                "time data does not match format '%Y-%m-%d'",
                json!({"day": "2026-11-27"}),
                json!({"day": "27 Nov 2026"}),
                Defect::Form { before: "2026-11-27".into(), now: "27 Nov 2026".into() },
            ),
            (
                "DataError",
                "value too long for type character varying(2)",
                json!({"country": "NO"}),
                json!({"country": "Norway"}),
                Defect::Longer { before: 2, now: 6 },
            ),
            (
                "ValueError",
                "unknown currency 'GBX'",
                json!({"currency": "GBP"}),
                json!({"currency": "GBX"}),
                Defect::Quoted("GBX".into()),
            ),
        ] {
            let found = first(&now, Some(&before), &error(exception, message));
            assert_eq!(found.map(|(_, defect)| defect), Some(defect), "{message}");
        }
        let said = error("ValueError", "day is out of range for month");
        assert_eq!(
            first(&json!("2026-02-30"), None, &said).unwrap().1,
            Defect::NoSuchDay("2026-02-30".into())
        );
        let said = error("AssertionError", "expected 120 rows, got 2");
        assert_eq!(
            first(&json!({"total": 120, "items": [1, 2]}), None, &said).unwrap().1,
            Defect::Short { said: 120, has: 2 }
        );
        // A token of another form is a token all the same.
        let said = error("ValueError", "malformed line");
        assert_eq!(first(&json!({"key": "x9y8z7q1"}), Some(&json!({"key": "abc123"})), &said), None);
    }
}
