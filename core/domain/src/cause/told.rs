//! A status that an error tells in its text, because an exception or a command has no field for it.
//!
//! `PermissionError: HTTP 401: token expired` is about a token, whatever class the author chose.
//! Only forms that name what the number is count: `expected 404 rows` is not a status.

use super::{Cause, phrase, typed};
use crate::error::TaskError;

/// The cause that a status in the text names: an HTTP status, or a SQLSTATE.
pub(super) fn cause(error: &TaskError) -> Option<Cause> {
    let text = phrase::unquoted(&error.message);
    status(&text)
        .and_then(|status| typed::of_status(status, error))
        .or_else(|| typed::of_sqlstate(&sqlstate(&text)?, &error.message))
}

/// What stands before a status.
const BEFORE: &[&str] = &[
    "http",
    "http/1.0",
    "http/1.1",
    "http/2",
    "http/2.0",
    "http/3",
    "http error",
    "http status",
    "http code",
    "http response",
    "httperror",
    "status",
    "status code",
    "status_code",
    "statuscode",
    "http_status",
    "httpstatus",
    "returned error",
    "error code",
    "response code",
    "response status",
    "responded with",
    "answered with",
    "answered",
    "server returned",
    "api returned",
    "upstream returned",
    "responded",
    "replied with",
];

/// What stands behind one.
const BEHIND: &[&str] = &[
    "client error",
    "server error",
    "get http",
    "post http",
    "put http",
    "patch http",
    "delete http",
    "head http",
];

/// The words that belong to a status.
const REASONS: &[(u16, &str)] = &[
    (400, "bad request"),
    (401, "unauthorized"),
    (401, "unauthorised"),
    (402, "payment required"),
    (403, "forbidden"),
    (404, "not found"),
    (405, "method not allowed"),
    (407, "proxy authentication required"),
    (408, "request timeout"),
    (409, "conflict"),
    (410, "gone"),
    (412, "precondition failed"),
    (413, "payload too large"),
    (413, "request entity too large"),
    (413, "content too large"),
    (415, "unsupported media type"),
    (422, "unprocessable"),
    (423, "locked"),
    (429, "too many requests"),
    (431, "request header fields too large"),
    (500, "internal server error"),
    (501, "not implemented"),
    (502, "bad gateway"),
    (503, "service unavailable"),
    (503, "service temporarily unavailable"),
    (504, "gateway timeout"),
    (504, "gateway time-out"),
];

/// The first status of a failure in a text in lower case.
pub(super) fn status(text: &str) -> Option<u16> {
    let digits = |byte: u8| byte.is_ascii_digit();
    let mut at = 0;
    while let Some(start) = text[at..].bytes().position(digits).map(|found| at + found) {
        let length = text[start..].bytes().take_while(|byte| digits(*byte)).count();
        at = start + length;
        let (left, right) = (text[..start].bytes().next_back(), text[at..].bytes().next());
        // A full stop ends a sentence; before a number it is a part of it.
        let alone = length == 3 && is_edge(left) && (right == Some(b'.') || is_edge(right));
        let Some(status) = text[start..at].parse().ok().filter(|status| alone && (400..600).contains(status))
        else {
            continue;
        };
        let (before, behind) = (&text[..start], text[at..].trim_start_matches([' ', ':', '-', ',', '(']));
        if is_named(before)
            || BEHIND.iter().any(|words| behind.starts_with(words))
            || begins_a_clause(before)
                && REASONS.iter().any(|(of, words)| *of == status && behind.starts_with(words))
        {
            return Some(status);
        }
    }
    None
}

/// A number that is a part of another word or number is no status.
fn is_edge(byte: Option<u8>) -> bool {
    byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_' | b'/' | b'%'))
}

fn is_named(before: &str) -> bool {
    let before = before.trim_end_matches([' ', ':', '=', '(', '[', '#']);
    BEFORE.iter().any(|words| {
        before.strip_suffix(words).is_some_and(|rest| {
            rest.bytes().next_back().is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'/')
        })
    })
}

/// `order 404 not found` is about an order.
fn begins_a_clause(before: &str) -> bool {
    let before = before.trim_end();
    before.is_empty()
        || before.ends_with([':', '(', '[', '-', ',', ';', '>', '"'])
        || ["got", "returned", "answered", "with", "error", "was"].iter().any(|word| before.ends_with(word))
}

/// `(SQLSTATE 40P01)`, `sqlstate=40001`, `SQLSTATE[42S02]`.
fn sqlstate(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("sqlstate")?;
    let behind = behind.trim_start_matches([' ', ':', '=', '[', '(', '\'', '"']);
    let state: String = behind.chars().take_while(char::is_ascii_alphanumeric).collect();
    (state.len() == 5).then(|| state.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_by_what_stands_around_it() {
        let check = |text: &str, expected: Option<u16>| assert_eq!(status(text), expected, "{text}");
        check("http 401: token expired", Some(401));
        check("http/1.1 503 service unavailable", Some(503));
        check("got status code: 429 from the api", Some(429));
        check("response(status_code=500)", Some(500));
        check("the requested url returned error: 403", Some(403));
        check("503 service unavailable", Some(503));
        check("401 client error: unauthorized for url: https://x", Some(401));
        check("expected http 200, got http 502.", Some(502));
        check("request failed with status code 503", Some(503));
        check("the upload got 429 too many requests", Some(429));
        check("2026-11-27 09:00:00 error 404: not found.", Some(404));
        // Numbers that are something else.
        check("expected 404 rows", None);
        check("order 404 not found", None);
        check("http 200 with a bad body", None);
        check("http 4010", None);
        check("https://x/http/404", None);
        check("version 1.500 internal server error", None);
        check("expected 500 rows, got 404", None);
        check("listening on 127.0.0.1:500", None);
    }

    #[test]
    fn a_sqlstate_is_known_by_its_name() {
        assert_eq!(sqlstate("failed (sqlstate 40p01)").as_deref(), Some("40P01"));
        assert_eq!(sqlstate("sqlstate[42s02]: base table").as_deref(), Some("42S02"));
        assert_eq!(sqlstate("sqlstate=400"), None);
        assert_eq!(sqlstate("the state 40001"), None);
    }
}
