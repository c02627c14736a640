//! What words say that no fixed phrase covers: what `curl` and its like say by number, a secret that is not set, and
//! the short codes of services (`invalid_auth`, `RATE_LIMITED`, `ThrottlingException`).

use super::{Cause, sentence, told, typed};
use crate::error::TaskError;

/// Bytes of a text that are looked at.
const READ: usize = 4 * 1024;

/// The cause that a short code of a service, or the name of an exception, stands for.
pub(super) fn code(text: &str) -> Option<Cause> {
    let text = start_of(text);
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    let tokens = text.split(|character: char| !is_part(character)).filter(|token| token.len() > 2);
    // A word of a sentence is no code, unless it is all there is.
    let alone = text.split_whitespace().count() <= 3;
    let codes = tokens.filter(|token| alone || looks_like_code(token)).map(spaced);
    let whole = alone.then(|| spaced(text));
    let spoken: Vec<String> = whole.into_iter().chain(codes).collect();
    let listed = spoken.iter().find_map(|spoken| {
        let has = |phrase: &str| format!(" {spoken} ").contains(&format!(" {phrase} "));
        CODES.iter().find(|(_, phrases)| phrases.iter().any(|phrase| has(phrase))).map(|(cause, _)| *cause)
    });
    listed.or_else(|| spoken.iter().find_map(|spoken| sentence::cause(spoken)))
}

fn looks_like_code(token: &str) -> bool {
    let inner_capital =
        token.chars().zip(token.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let is_shouted = token.len() >= 8 && token.chars().all(|one| one.is_ascii_uppercase() || one == '_');
    token.contains('_') || inner_capital || is_shouted
}

/// `RateLimitExceeded`, `rate_limit-exceeded` and `RATE_LIMIT_EXCEEDED` are one.
fn spaced(token: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for character in token.chars() {
        if !character.is_alphanumeric() {
            out.push(' ');
        } else if character.is_uppercase() && before.is_lowercase() {
            out.push(' ');
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_lowercase());
        }
        before = character;
    }
    let words: Vec<&str> =
        out.split_whitespace().filter(|word| !matches!(*word, "error" | "exception")).collect();
    words.join(" ")
}

/// `curl: (7) Failed to connect to …`: the number says more than the words.
pub(super) fn curl(text: &str) -> Option<Cause> {
    let text = start_of(text);
    let rest = text.split_once("curl: (")?.1;
    let number: u32 = rest.split(')').next()?.trim().parse().ok()?;
    Some(match number {
        3 | 4 | 26 => Cause::ToolConfig,
        5 | 6 => Cause::NetworkDns,
        7 => match super::phrase::fixed(text) {
            Some(cause) if cause.family() == "network" => cause,
            _ => Cause::NetworkRefused,
        },
        22 => return typed::of_status(told::status(rest)?, &TaskError::new("http", text)),
        23 => Cause::ResourceDisk,
        28 if text.contains("connect") => Cause::TimeoutConnect,
        28 => Cause::TimeoutResponse,
        35 | 51 | 53 | 54 | 58 | 59 | 60 | 66 | 77 | 80 | 82 | 83 | 90 | 91 => Cause::NetworkTls,
        9 | 67 => Cause::AuthUnauthenticated,
        18 | 52 | 55 | 56 | 92 => Cause::NetworkReset,
        63 => Cause::LimitTooLarge,
        78 => Cause::RequestNotFound,
        _ => return None,
    })
}

/// A secret that was looked for where secrets are kept, and is not there.
pub(super) fn not_set(text: &str) -> Option<Cause> {
    let text = start_of(text);
    let about = [
        "environment variable",
        "env var",
        "envvar",
        "umgebungsvariable",
        "secret",
        "credential",
        "keychain",
        "conn_id",
        "connection id",
    ];
    let gone = [
        " is not set",
        " does not exist",
        " not found",
        " is missing",
        " is not registered",
        " isn't defined",
        " is not defined",
        " must be set",
        " not provided",
        " nicht gesetzt",
        " is unset",
        " not configured",
    ];
    let place = about.iter().find_map(|word| text.find(word))?;
    gone.iter().any(|phrase| text[place..].contains(phrase)).then_some(Cause::AuthCredentialMissing)
}

fn start_of(text: &str) -> &str {
    let mut end = text.len().min(READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Words of codes, narrower before wider.
const CODES: &[(Cause, &[&str])] = &[
    (
        Cause::AuthTokenExpired,
        &[
            "token expired",
            "expired token",
            "session expired",
            "credentials expired",
            "id token expired",
            "token has expired",
        ],
    ),
    (
        Cause::LimitQuota,
        &[
            "quota",
            "quota exceeded",
            "daily limit exceeded",
            "monthly limit exceeded",
            "resource exhausted",
            "billing",
            "insufficient funds",
            "payment required",
            "usage limit",
        ],
    ),
    (
        Cause::LimitRate,
        &[
            "rate limited",
            "ratelimited",
            "rate limit",
            "rate limit exceeded",
            "throttled",
            "throttling",
            "too many requests",
            "request limit exceeded",
            "slow down",
            "rate exceeded",
        ],
    ),
    (Cause::LimitQuota, &["limit exceeded"]),
    (Cause::LimitTooLarge, &["too large", "too big", "too long", "size exceeded", "max size"]),
    (
        Cause::AuthUnauthenticated,
        &[
            "invalid auth",
            "not authed",
            "no auth",
            "unauthenticated",
            "unauthorized",
            "not authorized",
            "invalid token",
            "invalid api key",
            "invalid key",
            "bad credentials",
            "invalid credentials",
            "invalid client",
            "invalid grant",
            "invalid session id",
            "invalid signature",
            "signature does not match",
            "authentication",
            "authentication failed",
            "auth failed",
            "auth required",
            "login required",
            "login failed",
            "token revoked",
            "account inactive",
            "not logged in",
        ],
    ),
    (
        Cause::AuthForbidden,
        &[
            "access denied",
            "permission denied",
            "permission",
            "forbidden",
            "missing scope",
            "insufficient scope",
            "insufficient permissions",
            "insufficient privileges",
            "not permitted",
            "no permission",
            "not allowed",
        ],
    ),
    (
        Cause::RemoteUnavailable,
        &[
            "unavailable",
            "overloaded",
            "over capacity",
            "maintenance",
            "gateway timeout",
            "not ready",
            "busy",
        ],
    ),
    (Cause::TimeoutResponse, &["timeout", "timed out", "deadline exceeded", "time out"]),
    (Cause::RequestNotFound, &["not found", "no such key", "no such bucket", "does not exist", "gone"]),
    (Cause::RequestConflict, &["already exists", "conflict", "version mismatch"]),
    (
        Cause::RequestInvalid,
        &[
            "invalid argument",
            "invalid arguments",
            "invalid request",
            "bad request",
            "invalid parameter",
            "missing parameter",
            "missing argument",
            "validation",
            "validation failed",
            "unprocessable entity",
        ],
    ),
    (
        Cause::RemoteServerError,
        &[
            "internal",
            "internal server",
            "internal failure",
            "server",
            "server fault",
            "fatal",
            "soap server",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_curl_and_secrets_that_are_not_set_are_read() {
        for (text, expected) in [
            ("curl: (22) the requested url returned error: 403", Some(Cause::AuthForbidden)),
            (
                "curl: (7) failed to connect to 10.0.0.1 port 80: couldn't connect to server",
                Some(Cause::NetworkRefused),
            ),
            ("curl: (60) ssl certificate problem", Some(Cause::NetworkTls)),
            ("the environment variable API_KEY is not set on the worker", Some(Cause::AuthCredentialMissing)),
        ] {
            assert_eq!(curl(text).or_else(|| not_set(text)), expected, "{text}");
        }
    }

    #[test]
    fn codes_of_services_and_names_of_exceptions_are_read() {
        for (text, expected) in [
            ("invalid_auth", Some(Cause::AuthUnauthenticated)),
            ("RATE_LIMITED", Some(Cause::LimitRate)),
            ("ThrottlingException", Some(Cause::LimitRate)),
            ("TokenExpiredError", Some(Cause::AuthTokenExpired)),
            ("DEADLINE_EXCEEDED", Some(Cause::TimeoutResponse)),
            ("channel_not_found", Some(Cause::RequestNotFound)),
            ("soap:Server", Some(Cause::RemoteServerError)),
            ("the order was not found in the ledger of this month", None),
            ("ValidationError", Some(Cause::RequestInvalid)),
            ("PaymentError", None),
            ("missing_access_key", Some(Cause::AuthUnauthenticated)),
            ("INSUFFICIENT_CREDITS", Some(Cause::LimitQuota)),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
