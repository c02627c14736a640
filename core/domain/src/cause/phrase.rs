//! What the words of an error say, where no field does.
//!
//! Phrases of operating systems, runtimes and libraries, in lower case; the first that occurs decides, so that the
//! narrower stand before the wider: `connect timed out` before `timed out`.
//! Words that a message may quote from its data do not appear here alone.

mod first;
mod outside;
mod table;

use super::{Cause, sentence, spoken, vendor};
use first::FIRST;
use outside::OUTSIDE;
use table::TABLE;

/// What the message says by number, the first phrase that it contains, else what one of its sentences is about.
pub(super) fn cause(message: &str) -> Option<Cause> {
    narrow(message).or_else(|| sentence::cause(&unquoted(message)))
}

/// What code that raised it cannot have meant of itself: the sentence is about another side, or about the machine.
pub(super) fn elsewhere(message: &str) -> Option<Cause> {
    let is_elsewhere = |cause: &Cause| {
        matches!(cause.family(), "auth" | "limit" | "network" | "timeout" | "remote" | "resource")
    };
    narrow(message).or_else(|| sentence::cause(&unquoted(message)).filter(is_elsewhere))
}

/// The same without sentences: what was seen word for word before.
pub(super) fn narrow(message: &str) -> Option<Cause> {
    let lower = unquoted(message);
    // What a shell says of a process that was ended by a signal.
    // `sh: line 1: 40121 Killed   ./bake`
    let of_shell =
        lower.contains("sh: line ") && [" killed ", " terminated "].iter().any(|word| lower.contains(word));
    if matches!(lower.trim(), "killed" | "terminated") || of_shell {
        return Some(Cause::ResourceKilled);
    }
    vendor::number(&lower)
        .or_else(|| spoken::curl(&lower))
        .or_else(|| fixed(&lower))
        .or_else(|| missing_object(&lower))
        .or_else(|| vendor::code(message))
        .or_else(|| spoken::not_set(&lower))
}

/// What the words say, whatever numbers stand beside them. The text is in lower case.
pub(super) fn worded(lower: &str) -> Option<Cause> {
    spoken::curl(lower)
        .or_else(|| fixed(lower))
        .or_else(|| missing_object(lower))
        .or_else(|| sentence::cause(lower))
}

/// Phrases that only say that no connection came about; why may stand behind them.
const WIDE: &[&str] = &["could not connect to server", "failed to connect to"];

/// The first phrase of the table in a text in lower case.
pub(super) fn fixed(message: &str) -> Option<Cause> {
    let mut all = FIRST.iter().chain(OUTSIDE).chain(TABLE);
    let (cause, phrase) = all.find_map(|(cause, phrases)| {
        phrases.iter().find(|phrase| holds(message, phrase)).map(|phrase| (*cause, *phrase))
    })?;
    if !WIDE.contains(&phrase) {
        return Some(cause);
    }
    let why = sentence::cause(message).filter(|why| {
        matches!(why.family(), "auth" | "limit") || matches!(why, Cause::NetworkDns | Cause::NetworkTls)
    });
    why.or(Some(cause))
}

/// Whether a phrase occurs; an errno only as a word: `modulenotfounderror` holds no `enotfound`.
fn holds(message: &str, phrase: &str) -> bool {
    let is_errno = phrase.starts_with('e') && !phrase.contains(' ') && phrase.len() <= 15;
    if !is_errno {
        return message.contains(phrase);
    }
    message.match_indices(phrase).any(|(at, _)| !message[..at].ends_with(|one: char| one.is_alphanumeric()))
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

/// What stands before a quotation that is the message itself: `msg="dial tcp: …"`, `"error": "access denied"`.
const SPEAKS: &[&str] = &[
    "msg",
    "message",
    "error",
    "err",
    "desc",
    "description",
    "detail",
    "details",
    "reason",
    "cause",
    "exception",
    "errmsg",
    "error_message",
    "errormessage",
    "error_description",
    "title",
    "stderr",
    "info",
    "fault",
    "warning",
];

/// Whether the quotation that begins here is what somebody says of an error, rather than a record.
fn is_speech(before: &str) -> bool {
    let before = before.trim_end();
    // Python's bytes.
    let before =
        before.strip_suffix('b').filter(|rest| rest.ends_with([' ', '('])).unwrap_or(before).trim_end();
    // The arguments of an exception, a number or a state and what it stands for: `(406, "PRECONDITION_FAILED - …")`,
    // `('22001', "[22001] …")`.
    if let Some(number) = before.strip_suffix(',') {
        let is_state =
            number.strip_suffix('\'').and_then(|text| text.rsplit_once("('")).is_some_and(|(_, state)| {
                state.len() == 5 && state.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if is_state {
            return true;
        }
        let head = number.trim_end_matches(|one: char| one.is_ascii_digit());
        return head.len() < number.len() && head.ends_with('(');
    }
    let Some(before) = before.strip_suffix(['=', ':']) else { return false };
    let before = before.trim_end().trim_end_matches(['"', '\'']).to_ascii_lowercase();
    SPEAKS.iter().any(|word| {
        before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|one: char| one.is_alphanumeric()))
    })
}

/// In lower case, without long quotations: a quoted record may contain any phrase.
pub(super) fn unquoted(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find('"') {
        let inside = &rest[start + 1..];
        let Some(end) = inside.find('"') else { break };
        out.push_str(&rest[..=start]);
        // A name may stay: `relation "orders" does not exist`. A sentence goes, unless it is the message itself.
        if !inside[..end].contains(' ') || is_speech(&out[..out.len() - 1]) {
            out.push_str(&inside[..end]);
        }
        out.push('"');
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    out.make_ascii_lowercase();
    out
}
