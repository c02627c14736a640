//! What one piece between delimiters is: a value of some kind, a word, or something to cut further.

use std::ops::Range;

use super::bytes::{DIGIT, DOT, HEX_LETTER, LETTER, SPECIAL, class, is, union};
use super::host::{is_host, is_host_of_port};
use super::kind::Kind;
use super::measure::measured;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    Value(Kind),
    Word,
    Numbered,
    /// No letter and no digit.
    Marks,
    /// Two pieces with `len` bytes of punctuation between them.
    Split {
        at: usize,
        len: usize,
    },
}

/// Where `scheme://…` lies in a chunk.
pub(super) fn url(chunk: &[u8]) -> Option<Range<usize>> {
    let colon = chunk.windows(3).position(|three| three == b"://")?;
    let scheme =
        chunk[..colon].iter().rev().take_while(|byte| is(**byte, LETTER | DIGIT) || **byte == b'+').count();
    if scheme == 0 {
        return None;
    }
    let mut end = colon + 3;
    while end < chunk.len()
        && !matches!(chunk[end], b'"' | b'\'' | b'<' | b'>' | b')' | b']' | b'}' | b'`' | b'|')
    {
        end += 1;
    }
    while matches!(chunk[end - 1], b'.' | b',' | b';' | b':') {
        end -= 1;
    }
    Some(colon - scheme..end.max(colon + 1))
}

pub(super) fn classify(text: &[u8]) -> Atom {
    let classes = union(text);
    if classes & (DIGIT | LETTER) == 0 {
        return if text.len() > 1 && text.contains(&b'/') && text[0] == b'.' {
            Atom::Value(Kind::Path)
        } else {
            Atom::Marks
        };
    }
    if classes & SPECIAL != 0 {
        return special(text, classes);
    }
    plain(text, classes)
}

/// Without `/ \ : @`.
fn plain(text: &[u8], classes: u8) -> Atom {
    if classes & DIGIT == 0 {
        return match text {
            _ if is_host(text) => Atom::Value(Kind::Host),
            _ if is_hex_without_digits(text) => Atom::Value(Kind::Hex),
            _ => Atom::Word,
        };
    }
    if classes & LETTER == 0 {
        return if is_ipv4(text) { Atom::Value(Kind::Ip) } else { Atom::Value(numeric(text)) };
    }
    if let Some(kind) = lettered(text, Census::of(text)) {
        return Atom::Value(kind);
    }
    if classes & DOT != 0 && is_host(text) {
        return Atom::Value(Kind::Host);
    }
    Atom::Numbered
}

/// What a text is made of, counted once.
#[derive(Clone, Copy, Default)]
pub(super) struct Census {
    pub(super) digits: usize,
    upper: usize,
    lower: usize,
    /// Letters behind `f`.
    pub(super) beyond_hex: usize,
}

impl Census {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut census = Self::default();
        for byte in text {
            let class = class(*byte);
            census.digits += usize::from(class & DIGIT != 0);
            census.beyond_hex += usize::from(class & (LETTER | HEX_LETTER) == LETTER);
            census.upper += usize::from(byte.is_ascii_uppercase());
            census.lower += usize::from(byte.is_ascii_lowercase());
        }
        census
    }
}

/// Digits with marks and no letters.
fn numeric(text: &[u8]) -> Kind {
    let colons = count(text, b':');
    let inner_dashes = text.iter().skip(1).filter(|byte| matches!(byte, b'-' | b'/')).count();
    if colons > 0 || inner_dashes == 2 { Kind::Time } else { Kind::Num }
}

/// Digits and letters.
fn lettered(text: &[u8], census: Census) -> Option<Kind> {
    let body = match text {
        [b'-' | b'+', body @ ..] => body,
        _ => text,
    };
    if let [b'0', b'x' | b'X', hex @ ..] = body
        && !hex.is_empty()
        && hex.iter().all(|byte| is(*byte, DIGIT | HEX_LETTER))
    {
        return Some(Kind::Hex);
    }
    if let Some(kind) = measured(body) {
        return Some(kind);
    }
    if is_timestamp(text) {
        return Some(Kind::Time);
    }
    if census.beyond_hex == 0 {
        if is_uuid(text) {
            return Some(Kind::Id);
        }
        if is_hex(text, census) {
            return Some(Kind::Hex);
        }
    }
    is_blob(text, census).then_some(Kind::Id)
}

/// With `/ \ : @` somewhere.
fn special(text: &[u8], classes: u8) -> Atom {
    if classes & LETTER == 0 {
        return digits_and_marks(text);
    }
    if is_path(text) {
        return path(text);
    }
    if is_timestamp(text) {
        return Atom::Value(Kind::Time);
    }
    if let Some(at) = text.iter().position(|byte| *byte == b'@') {
        return at_sign(text, at);
    }
    let colons = count(text, b':');
    if colons >= 2 && text.iter().all(|byte| is(*byte, DIGIT | HEX_LETTER) || matches!(byte, b':' | b'.')) {
        return Atom::Value(Kind::Ip);
    }
    if colons == 1
        && let Some(at) = text.iter().rposition(|byte| *byte == b':')
        && at + 1 < text.len()
        && text[at + 1..].iter().all(|byte| is(*byte, DIGIT))
        && is_host_of_port(&text[..at])
    {
        return Atom::Value(Kind::Socket);
    }
    split(text)
}

fn digits_and_marks(text: &[u8]) -> Atom {
    let body = text.strip_prefix(b"/").unwrap_or(text);
    if let Some(at) = body.iter().position(|byte| *byte == b':')
        && is_ipv4(&body[..at])
    {
        return Atom::Value(Kind::Socket);
    }
    if is_ipv4(body) || is_ipv4(body.split(|byte| *byte == b'/').next().unwrap_or_default()) {
        return Atom::Value(Kind::Ip);
    }
    if text.contains(&b'\\') {
        return split(text);
    }
    Atom::Value(if count(text, b':') >= 5 { Kind::Ip } else { numeric(text) })
}

fn is_path(text: &[u8]) -> bool {
    match text {
        [b'/', second, ..] | [b'.' | b'~', b'/', second, ..] => {
            is(*second, LETTER | DIGIT) || matches!(second, b'.' | b'_' | b'-')
        }
        [drive, b':', b'\\' | b'/', ..] if is(*drive, LETTER) => true,
        [b'\\', b'\\', ..] => true,
        _ => {
            let colon = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
            count(&text[..colon], b'/') >= 2 || count(&text[..colon], b'\\') >= 2
        }
    }
}

/// A path ends where `file:line` begins.
fn path(text: &[u8]) -> Atom {
    let from = if text.len() > 2 && text[1] == b':' { 2 } else { 0 };
    match text[from..].iter().position(|byte| *byte == b':') {
        Some(at) if from + at > 0 => {
            let body = text.strip_prefix(b"/").unwrap_or(text);
            let host = &body[..body.iter().position(|byte| *byte == b':').unwrap_or(body.len())];
            if from == 0 && (is_ipv4(host) || is_host(host)) {
                return Atom::Value(Kind::Socket);
            }
            Atom::Split { at: from + at, len: 1 }
        }
        _ => Atom::Value(Kind::Path),
    }
}

/// `user@host` is an address; `Type@1f2e3d` is a type and where it lies.
fn at_sign(text: &[u8], at: usize) -> Atom {
    let (left, right) = (&text[..at], &text[at + 1..]);
    if left.is_empty() || right.is_empty() {
        return Atom::Split { at, len: 1 };
    }
    let looks_hex = right.iter().all(|byte| is(*byte, DIGIT | HEX_LETTER)) && union(right) & DIGIT != 0;
    if looks_hex && right.len() >= 5 || right.starts_with(b"0x") {
        return Atom::Split { at, len: 1 };
    }
    Atom::Value(Kind::Email)
}

/// Cuts at the first run of `:`, else at the first `/` or `\`.
fn split(text: &[u8]) -> Atom {
    let position = |wanted: &dyn Fn(u8) -> bool| text.iter().position(|byte| wanted(*byte));
    let Some(at) = position(&|byte| byte == b':').or_else(|| position(&|byte| is(byte, SPECIAL))) else {
        return Atom::Word;
    };
    let len = text[at..].iter().take_while(|byte| **byte == text[at]).count();
    Atom::Split { at, len }
}

#[expect(clippy::naive_bytecount, reason = "words are short")]
pub(super) fn count(text: &[u8], wanted: u8) -> usize {
    text.iter().filter(|byte| **byte == wanted).count()
}

fn is_ipv4(text: &[u8]) -> bool {
    let mut parts = 0;
    for part in text.split(|byte| *byte == b'.') {
        if part.is_empty() || part.len() > 3 || part.iter().any(|byte| !is(*byte, DIGIT)) {
            return false;
        }
        parts += 1;
    }
    parts == 4
}

pub(super) fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => is(*byte, DIGIT | HEX_LETTER),
        })
}

/// Hexadecimal with a digit in it, long enough not to be a word; dashes may part it.
fn is_hex(text: &[u8], census: Census) -> bool {
    text.len() >= 6
        && census.digits >= 1
        && text.iter().all(|byte| is(*byte, DIGIT | HEX_LETTER) || *byte == b'-')
}

/// Seven letters from `a` to `f` are chance rather than a word, but for a few words.
pub(super) fn is_hex_without_digits(text: &[u8]) -> bool {
    text.len() >= 7
        && text.iter().all(|byte| is(*byte, HEX_LETTER))
        && !matches!(text, b"defaced" | b"effaced" | b"acceded" | b"feedbag" | b"cabbaged")
}

/// `2005-06-03T15:42:50Z`, `20261122T160001`, `2005-06-03-15.42.50.675872`
fn is_timestamp(text: &[u8]) -> bool {
    text.len() >= 12
        && is(text[0], DIGIT)
        && text
            .iter()
            .all(|byte| is(*byte, DIGIT) || matches!(byte, b'T' | b'Z' | b':' | b'-' | b'.' | b'+' | b','))
}

/// Long, without separators to speak of, and digits among letters of both cases: nobody wrote this by hand.
pub(super) fn is_blob(text: &[u8], census: Census) -> bool {
    let Census { digits, upper, lower, .. } = census;
    let marks = text.len() - (digits + upper + lower).min(text.len());
    text.len() >= 16
        && marks * 12 <= text.len()
        && digits * 6 >= text.len()
        && (upper == 0 || lower == 0 || upper * 8 >= lower)
}
