//! What an error complains of, looked for in a value: another unit, another form, a list without its other pages.

use noetl_domain::Value;

use super::super::in_band::plain;
use super::text::fewer_parts;
use super::{Defect, Flaw, LOOKED_AT, Said, join};

/// Exceptions that code raises after it judged a value, among them those of the author's own.
pub(super) fn judges(said: &Said) -> bool {
    !matches!(
        said.exception.as_str(),
        "KeyError"
            | "IndexError"
            | "AttributeError"
            | "NameError"
            | "TypeError"
            | "ZeroDivisionError"
            | "ImportError"
    )
}

/// How much larger or smaller a number is that was written in another unit.
const MAGNITUDE: f64 = 10.0;

/// An id may be any number.
fn is_name_of_a_record(key: &str) -> bool {
    let key = key.to_lowercase();
    key == "id"
        || key.ends_with("_id")
        || matches!(key.as_str(), "key" | "number" | "page" | "offset" | "cursor")
}

/// A number of another order of magnitude, or of another sign, than in the last good run.
pub(super) fn other_scale(now: &Value, before: &Value, at: &str, depth: usize, flaws: &mut Vec<Flaw>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match (now, before) {
        (Value::Number(now), Value::Number(before)) => {
            let (Some(new), Some(old)) = (now.as_f64(), before.as_f64()) else { return };
            let is_far = new != 0.0
                && old != 0.0
                && ((new / old).abs() >= MAGNITUDE
                    || (old / new).abs() >= MAGNITUDE
                    || new < 0.0 && old > 0.0);
            if is_far {
                let defect = Defect::Scale { before: before.to_string(), now: now.to_string() };
                flaws.push(Flaw { at: at.to_owned(), defect, deviates: true });
            }
        }
        (Value::Object(now), Value::Object(before)) => {
            for (key, value) in now.iter().take(LOOKED_AT).filter(|(key, _)| !is_name_of_a_record(key)) {
                if let Some(before) = before.get(key) {
                    other_scale(value, before, &join(at, key), depth, flaws);
                }
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            // Elements of one list are of one kind; all of them have to be far from all of the others.
            let numbers =
                |list: &[Value]| list.iter().filter_map(Value::as_f64).fold(f64::NEG_INFINITY, f64::max);
            if now.first().is_some_and(Value::is_number) && numbers(now) < numbers(before) * MAGNITUDE {
                return;
            }
            if let (Some(first), Some(earlier)) = (now.first(), before.first()) {
                other_scale(first, earlier, &join(at, "[0]"), depth, flaws);
            }
        }
        _ => {}
    }
}

/// A text that is longer than before, or whose digits and marks stand in another order.
pub(super) fn other_form(
    now: &Value,
    before: &Value,
    said: &Said,
    at: &str,
    depth: usize,
    flaws: &mut Vec<Flaw>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match (now, before) {
        (Value::String(now), Value::String(before)) => {
            let (new, old) = (form(now), form(before));
            if said.about_length && now.chars().count() > before.chars().count() {
                let defect = Defect::Longer { before: before.chars().count(), now: now.chars().count() };
                flaws.push(Flaw { at: at.to_owned(), defect, deviates: true });
            } else if (said.about_form || said.about_conversion)
                && old.contains('9')
                && new != old
                && !is_a_jumble(&old)
                && !is_a_jumble(&new)
            {
                let defect = Defect::Form { before: before.clone(), now: now.clone() };
                flaws.push(Flaw { at: at.to_owned(), defect, deviates: true });
            }
        }
        (Value::Object(now), Value::Object(before)) => {
            for (key, value) in now.iter().take(LOOKED_AT).filter(|(key, _)| !is_name_of_a_record(key)) {
                if let Some(before) = before.get(key) {
                    other_form(value, before, said, &join(at, key), depth, flaws);
                }
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            for (index, value) in now.iter().enumerate().take(LOOKED_AT) {
                // Rows of a table stand below its head: each has its like at the same place, where there is one.
                let Some(example) = before.get(index).or(before.last()) else { return };
                let known = flaws.len();
                other_form(value, example, said, &join(at, &format!("[{index}]")), depth, flaws);
                if flaws.len() > known {
                    return;
                }
            }
        }
        _ => {}
    }
}

/// Letters and digits without order, as in a hash or a token.
fn is_a_jumble(form: &str) -> bool {
    form.is_empty() || form.matches("a9").count() + form.matches("9a").count() > 3
}

/// Characters of a text whose form says anything.
const FORM: usize = 40;

/// `2026-11-27` is `9-9-9`, and `27 Nov 2026` is `9 a 9`; empty where a text is too long to have a form.
fn form(text: &str) -> String {
    let mut form = String::new();
    if text.len() > FORM {
        return form;
    }
    for one in text.trim().chars() {
        let sort = match one {
            one if one.is_ascii_digit() => '9',
            one if one.is_alphabetic() => 'a',
            one => one,
        };
        if !form.ends_with(sort) || !sort.is_alphanumeric() {
            form.push(sort);
        }
    }
    form
}

/// A text that an error of decoding speaks of, or a day that does not exist.
pub(super) fn unusable(value: &Value, said: &Said, at: &str, depth: usize) -> Option<(String, Defect)> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::String(text) if said.about_days && is_no_day(text) => {
            Some((at.to_owned(), Defect::NoSuchDay(text.clone())))
        }
        Value::String(text) if said.about_decoding && text.trim().len() > 3 => {
            Some((at.to_owned(), Defect::Unreadable))
        }
        Value::Object(map) => {
            map.iter().take(LOOKED_AT).find_map(|(key, value)| unusable(value, said, &join(at, key), depth))
        }
        Value::Array(list) => list
            .iter()
            .take(LOOKED_AT)
            .enumerate()
            .find_map(|(index, value)| unusable(value, said, &join(at, &format!("[{index}]")), depth)),
        _ => None,
    }
}

/// `2026-02-30`, `2026-13-01`: of the form of a day, and none.
fn is_no_day(text: &str) -> bool {
    let mut parts = text.get(..10).unwrap_or_default().split('-').map(|part| part.parse::<u32>().ok());
    let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    day == 0 || day > days
}

/// Names of a field that counts what there is.
pub(super) const COUNTS: &[&str] = &[
    "total",
    "count",
    "totalcount",
    "totalresults",
    "totalrows",
    "totalitems",
    "numfound",
    "totalrecords",
    "recordcount",
    "rowcount",
    "totalelements",
    "expected",
];

/// A list that is shorter than the number beside it says: the other pages were not read.
pub(crate) fn short_of(value: &Value) -> Option<(String, Defect)> {
    const MORE: &[&str] = &[
        "hasmore",
        "hasnext",
        "hasnextpage",
        "more",
        "moreresults",
        "truncated",
        "istruncated",
        "incomplete",
        "partial",
        "incompleteresults",
        "ispartial",
        "timedout",
    ];
    let map = value.as_object()?;
    let said = map
        .iter()
        .filter(|(key, _)| COUNTS.contains(&plain(key).as_str()))
        .find_map(|(_, value)| usize::try_from(value.as_u64()?).ok());
    let mut lists = map.iter().filter_map(|(key, value)| Some((key, value.as_array()?)));
    let found = match (said, lists.next(), lists.next()) {
        (Some(said), Some((key, list)), None) if list.len() < said => {
            Some((key.clone(), Defect::Short { said, has: list.len() }))
        }
        _ => None,
    };
    let more = || {
        let (key, _) = map
            .iter()
            .find(|(key, value)| **value == Value::Bool(true) && MORE.contains(&plain(key).as_str()))?;
        Some((String::new(), Defect::More(key.clone())))
    };
    found.or_else(more).or_else(|| {
        map.iter().take(LOOKED_AT).find_map(|(key, value)| {
            let (at, defect) = short_of(value)?;
            Some((join(key, &at), defect))
        })
    })
}

/// A list, or a text of fields, with fewer parts than in the last good run, where one was asked for that is not there.
pub(super) fn fewer(now: &Value, before: &Value, said: &Said, at: &str, depth: usize, flaws: &mut Vec<Flaw>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match (now, before) {
        (Value::String(now), Value::String(before)) => {
            if said.exception != "AssertionError"
                && let Some((before, now)) = fewer_parts(now, before)
            {
                let defect = Defect::Columns { before, now };
                flaws.push(Flaw { at: at.to_owned(), defect, deviates: true });
            }
        }
        (Value::Object(now), Value::Object(before)) => {
            for (key, value) in now.iter().take(LOOKED_AT) {
                if let Some(before) = before.get(key) {
                    fewer(value, before, said, &join(at, key), depth, flaws);
                }
            }
        }
        (Value::Array(now), Value::Array(before)) if now.len() < before.len() => {
            let defect = Defect::Fewer { before: before.len(), now: now.len() };
            flaws.push(Flaw { at: at.to_owned(), defect, deviates: true });
        }
        _ => {}
    }
}

/// A list that lost elements is one of the wrong length where the error names both lengths.
pub(super) fn counted(said: &Said, flaws: &mut [Flaw]) {
    for flaw in flaws {
        if let Defect::Fewer { before, now } = flaw.defect
            && said.counts.contains(&before)
            && said.counts.contains(&now)
        {
            flaw.defect = Defect::Counted { before, now };
        }
    }
}

/// A number or a word inside that the error names, where the last good run had another.
pub(super) fn named_value(
    now: &Value,
    before: &Value,
    said: &Said,
    at: &str,
    depth: usize,
    flaws: &mut Vec<Flaw>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match (now, before) {
        (Value::Number(now), Value::Number(before)) if now != before => {
            let text = now.to_string();
            if said.numbers.contains(&text) {
                flaws.push(Flaw { at: at.to_owned(), defect: Defect::Named(text), deviates: true });
            }
        }
        (Value::String(now), Value::String(before)) if now != before && said.names(now.trim()) => {
            flaws.push(Flaw { at: at.to_owned(), defect: Defect::Quoted(now.clone()), deviates: true });
        }
        (Value::Object(now), Value::Object(before)) => {
            for (key, value) in now.iter().take(LOOKED_AT) {
                if let Some(before) = before.get(key) {
                    named_value(value, before, said, &join(at, key), depth, flaws);
                }
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            let is_named = |length: usize| said.counts.contains(&length);
            if now.len() != before.len() && is_named(now.len()) && is_named(before.len()) {
                let defect = Defect::Counted { before: before.len(), now: now.len() };
                flaws.push(Flaw { at: at.to_owned(), defect, deviates: true });
                return;
            }
            for (index, value) in now.iter().enumerate().take(LOOKED_AT) {
                if let Some(before) = before.get(index).or_else(|| before.first()) {
                    named_value(value, before, said, &join(at, &format!("[{index}]")), depth, flaws);
                }
            }
        }
        _ => {}
    }
}
