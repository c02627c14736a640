//! What the words of an error say, where no field does.
//!
//! Phrases of operating systems, runtimes and libraries, in lower case; the first that occurs decides, so that the
//! narrower stand before the wider: `connect timed out` before `timed out`.
//! Words that a message may quote from its data do not appear here alone.

mod table;

use super::{Cause, spoken};
use table::TABLE;

/// The first phrase that the message contains, else what it says by number.
pub(super) fn cause(message: &str) -> Option<Cause> {
    let message = unquoted(message);
    fixed(&message).or_else(|| missing_object(&message)).or_else(|| spoken::cause(&message))
}

/// The first phrase of the table in a text in lower case.
pub(super) fn fixed(message: &str) -> Option<Cause> {
    let found = TABLE.iter().find(|(_, phrases)| phrases.iter().any(|phrase| message.contains(phrase)));
    found.map(|(cause, _)| *cause)
}

/// `relation "orders" does not exist`
fn missing_object(message: &str) -> Option<Cause> {
    let (before, _) = message.split_once(" does not exist")?;
    let sorts = ["relation ", "column ", "function ", "table ", "schema ", "type ", "database "];
    sorts.iter().any(|sort| before.contains(sort)).then_some(Cause::SqlUndefinedObject)
}

/// What a template's error is about.
pub(super) fn of_template(message: &str) -> Option<Cause> {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["syntax error", "unexpected end", "unexpected token", "does not parse"]) {
        return Some(Cause::TemplateSyntax);
    }
    if says(&[
        "undefined",
        "is not defined",
        "has no attribute",
        "unknown name",
        "not there",
        "no key",
        "has no key",
    ]) {
        return Some(Cause::TemplateUndefined);
    }
    None
}

/// In lower case, without long quotations: a quoted record may contain any phrase.
pub(super) fn unquoted(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find('"') {
        let inside = &rest[start + 1..];
        let Some(end) = inside.find('"') else { break };
        out.push_str(&rest[..=start]);
        // A name may stay: `relation "orders" does not exist`. A sentence goes.
        if !inside[..end].contains(' ') {
            out.push_str(&inside[..end]);
        }
        out.push('"');
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    out.make_ascii_lowercase();
    out
}
