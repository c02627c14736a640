//! Texts that are tables, lines of JSON, or XML: whether they are whole, and what they have lost.

use std::collections::BTreeSet;

use noetl_domain::Value;

use super::{LOOKED_AT, join};

/// Columns of a head that stands alone, at least, and bytes of it at most.
const FEWEST_NAMES: usize = 2;
const LONGEST_HEAD: usize = 2_000;
/// Names of elements that are told.
const TOLD: usize = 4;

/// What parts the columns of a text that is a table, and their names: several lines of as many fields as the first.
pub(super) fn columns(text: &str) -> Option<(char, Vec<&str>)> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).take(20);
    let head = lines.next()?;
    let split = [',', ';', '\t', '|'].into_iter().max_by_key(|mark| head.matches(*mark).count())?;
    let count = head.matches(split).count();
    let is_head = |name: &str| !name.trim().is_empty() && name.trim().parse::<f64>().is_err();
    let mut rows = lines.peekable();
    rows.peek()?;
    (count > 0 && head.split(split).all(is_head) && rows.all(|row| row.matches(split).count() >= count))
        .then(|| (split, head.split(split).map(str::trim).collect()))
}

/// Whether a table is whole but for its last line, which has too few fields.
pub(super) fn breaks_off(text: &str, mark: char, fields: usize) -> bool {
    let count = |line: &str| line.matches(mark).count() + 1;
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.pop();
    lines.len() > 1
        && lines.iter().all(|line| count(line) == fields)
        && last.is_some_and(|last| count(last) < fields)
}

/// How many fields a line had before, and how many it has now, where it has fewer.
pub(super) fn fewer_parts(now: &str, before: &str) -> Option<(usize, usize)> {
    const MARKS: [char; 6] = [';', '|', '\t', ',', ':', '/'];
    let is_line = |text: &str| !text.trim().contains('\n');
    if !is_line(before) {
        return None;
    }
    let count = |text: &str, mark: char| text.lines().next().unwrap_or_default().matches(mark).count() + 1;
    let mark = MARKS.into_iter().find(|mark| before.contains(*mark))?;
    let (before, now) = (count(before, mark), count(now, mark));
    (now < before).then_some((before, now))
}

/// Where a value holds a text that is the head of a table and not one row.
pub(super) fn head_alone(value: &Value, at: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::String(text) => is_head_alone(text).then(|| at.to_owned()),
        Value::Object(map) => map
            .iter()
            .take(LOOKED_AT)
            // What a command complained of is no table.
            .filter(|(key, _)| key.as_str() != "stderr")
            .find_map(|(key, inner)| head_alone(inner, &join(at, key), depth)),
        _ => None,
    }
}

fn is_head_alone(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(head), None) = (lines.next(), lines.next()) else { return false };
    if head.len() > LONGEST_HEAD {
        return false;
    }
    let Some(mark) = [',', ';', '\t', '|'].into_iter().max_by_key(|mark| head.matches(*mark).count()) else {
        return false;
    };
    let names: Vec<&str> = head.split(mark).map(|name| name.trim_matches(['"', '\r', '\n'])).collect();
    let is_name = |name: &&str| {
        name.starts_with(char::is_alphabetic)
            // A sentence has spaces behind its commas.
            && name.chars().all(|one| one.is_alphanumeric() || matches!(one, '_' | '-' | '.' | '/' | '(' | ')' | '%' | '#'))
    };
    names.len() >= FEWEST_NAMES && names.iter().all(is_name)
}

/// Lines of JSON, whole but for the last one.
pub(super) fn last_line_breaks_off(text: &str) -> bool {
    let is_json = |line: &&str| serde_json::from_str::<Value>(line).is_ok();
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let Some(last) = lines.pop() else { return false };
    last.trim_start().starts_with(['{', '['])
        && !is_json(&last)
        && !lines.is_empty()
        && lines.iter().take(LOOKED_AT).all(is_json)
}

/// Names of elements that an XML text had before and has no more, a namespace being part of a name.
pub(super) fn lost_elements(now: &str, before: &str) -> Option<Vec<String>> {
    let (now, before) = (elements(now)?, elements(before)?);
    let lost: Vec<String> = before.difference(&now).take(TOLD).cloned().collect();
    (!lost.is_empty()).then_some(lost)
}

/// The names of elements in an XML text; none where it is no XML.
fn elements(text: &str) -> Option<BTreeSet<String>> {
    let text = text.trim_start();
    let is_html = text.get(..15).is_some_and(|start| {
        let start = start.to_lowercase();
        start.starts_with("<!doctype html") || start.starts_with("<html")
    });
    if !text.starts_with('<') || is_html {
        return None;
    }
    let mut space = String::new();
    let mut found = BTreeSet::new();
    for part in text.split('<').skip(1).take(10 * LOOKED_AT) {
        let tag = part.split('>').next().unwrap_or_default();
        if tag.starts_with(['?', '!', '/']) {
            continue;
        }
        let mut words = tag.trim_end_matches('/').split_whitespace();
        let Some(name) = words.next() else { continue };
        if let Some(default) = words.find_map(|word| word.strip_prefix("xmlns=")) {
            default.trim_matches(['"', '\'']).clone_into(&mut space);
        }
        found.insert(if space.is_empty() { name.to_owned() } else { format!("{{{space}}}{name}") });
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_head_without_rows_is_found_and_a_sentence_is_none() {
        for (text, is_head) in [
            ("store_id,sku,units,sold_on\n", true),
            ("ticket;kasse;betrag", true),
            ("store_id,sku\n1,2\n", false),
            ("Hello, world", false),
            ("1,2,3", false),
            ("plain", false),
        ] {
            assert_eq!(head_alone(&json!({ "text": text }), "", 3).is_some(), is_head, "{text}");
        }
    }

    #[test]
    fn a_last_line_may_break_off() {
        assert!(last_line_breaks_off("{\"a\":1}\n{\"a\":2,\"b"));
        assert!(!last_line_breaks_off("{\"a\":1}\n{\"a\":2}\n"));
        assert!(!last_line_breaks_off("{\"a\":1"));
    }

    #[test]
    fn elements_in_another_namespace_are_others() {
        let before = "<rates><rate code='USD'>1.08</rate></rates>";
        assert_eq!(lost_elements(before, before), None);
        let now = "<rates xmlns=\"urn:v2\"><rate code='USD'>1.08</rate></rates>";
        assert_eq!(lost_elements(now, before), Some(vec!["rate".to_owned(), "rates".to_owned()]));
        assert_eq!(lost_elements("<rates><kurs/></rates>", before), Some(vec!["rate".to_owned()]));
        assert_eq!(lost_elements("no markup", before), None);
    }
}
