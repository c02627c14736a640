//! Texts whose lines begin with what they are about: statements of banks, messages of hospitals, segments of EDI,
//! headers, files of keys.

use std::collections::BTreeSet;

use super::LOOKED_AT;

/// Heads that are told.
const TOLD: usize = 4;
/// Letters of a tag between two colons, and of the name of a segment.
const TAG: usize = 8;
const SEGMENT: usize = 4;
/// Letters of a key at most.
const KEY: usize = 40;

/// What became of the lines that the text had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It ends before its last lines.
    BreaksOff,
    /// Lines of these heads are gone.
    Lost(Vec<String>),
    /// The same heads in another order.
    Reordered,
}

pub(super) fn change(now: &str, before: &str) -> Option<Change> {
    let (new, old) = (heads(now)?, heads(before)?);
    let known: BTreeSet<&str> = new.iter().copied().collect();
    let mut lost: Vec<&str> = old.iter().copied().filter(|head| !known.contains(head)).collect();
    lost.dedup();
    if lost.is_empty() {
        let mut sorted = (new.clone(), old.clone());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        let is_one_each = known.len() == new.len();
        if new == old && last_is_shorter(now, before) {
            return Some(Change::BreaksOff);
        }
        return (is_one_each && sorted.0 == sorted.1 && new != old).then_some(Change::Reordered);
    }
    // A text that has hardly a head in common with the other is another sort of text.
    if lost.len() * 2 > old.len() {
        return None;
    }
    let is_start = old.starts_with(&new);
    Some(if is_start { Change::BreaksOff } else { Change::Lost(told(&lost)) })
}

/// Whether the last line has fewer fields than the one of the same head had.
fn last_is_shorter(now: &str, before: &str) -> bool {
    let fields = |text: &str| {
        // A tag between colons has no fields behind it.
        let last = text.lines().map(str::trim).rfind(|line| !line.is_empty() && !line.starts_with(':'))?;
        let mark = last[head(last)?.len()..].chars().next().filter(|mark| matches!(mark, '|' | '+' | '*'))?;
        Some(last.matches(mark).count())
    };
    fields(now).zip(fields(before)).is_some_and(|(now, before)| now < before)
}

fn told(lost: &[&str]) -> Vec<String> {
    lost.iter().take(TOLD).map(|head| (*head).to_owned()).collect()
}

/// The heads of the lines, where most lines have one and there are at least two.
fn heads(text: &str) -> Option<Vec<&str>> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty()).take(4 * LOOKED_AT);
    let found: Vec<&str> = lines().filter_map(head).collect();
    (found.len() > 1 && found.len() * 4 >= lines().count() * 3).then_some(found)
}

fn head(line: &str) -> Option<&str> {
    // `:62F:C261126EUR750,00`
    if let Some(tag) = line.strip_prefix(':').and_then(|rest| rest.split_once(':')).map(|(tag, _)| tag) {
        let is_tag = !tag.is_empty() && tag.len() <= TAG && tag.chars().all(char::is_alphanumeric);
        return is_tag.then_some(tag);
    }
    let end = line.find(|one: char| !(one.is_alphanumeric() || matches!(one, '_' | '-' | '.')))?;
    let (name, rest) = line.split_at(end);
    let has_letter = name.starts_with(char::is_alphabetic);
    let is_it = match rest.chars().next()? {
        // `PID|1||P-20`, `UNH+1+ORDERS`, `ST*850*0001`
        '|' | '+' | '*' => {
            name.len() <= SEGMENT && name.chars().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit())
        }
        // `Content-Type: text/plain`, `host=db`; an address is no key.
        ':' | '=' => name.len() <= KEY && !rest.starts_with("://"),
        _ => false,
    };
    (has_letter && is_it).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_lost_break_off_or_change_places() {
        let statement = ":20:S1\n:25:DE89\n:60F:C1000,00\n:61:250,00\n:62F:C750,00\n-";
        assert_eq!(change(":20:S2\n:25:DE89\n:60F:C750,00\n:61:2611", statement), Some(Change::BreaksOff));
        let without = ":20:S2\n:25:DE89\n:61:250,00\n:62F:C1,00\n-";
        assert_eq!(change(without, statement), Some(Change::Lost(vec!["60F".to_owned()])));
        assert_eq!(change(statement, statement), None);
        let message = "MSH|^~\\&|LAB\nPID|1||P-20\nOBX|1|NM";
        let other = "MSH|^~\\&|LAB\nOBX|1|NM\nPID|1||P-21";
        assert_eq!(change(other, message), Some(Change::Reordered));
        let whole = "MSH|^~\\&|LAB\nOBX|1|NM|GLU|5.4";
        assert_eq!(change("MSH|^~\\&|LAB\nOBX|1|NM|GL", whole), Some(Change::BreaksOff));
        assert_eq!(change(":20:A\n:1é:B", ":20:A\n:1é:B"), None);
        assert_eq!(change("sku;qty\na;1", "sku;qty\nb;2"), None, "a table has no heads");
        assert_eq!(change("host: a\nport: 1", "host: b\nport: 2\nuser: c"), Some(Change::BreaksOff));
        assert_eq!(change("Hello there\nall is well", "Hello there\nall is well"), None);
    }
}
