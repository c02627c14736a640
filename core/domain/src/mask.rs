//! Masking: what a run resolved as secret, or what looks like a secret, is replaced by `[REDACTED]`.
//!
//! Three ways find a secret: its exact value in any spelling ([`exact`]), the key it lies under ([`key`]), and its
//! look ([`pattern`]).
//! Results that later steps read are masked by exact value only ([`Masker::record`]), so that a token which one step
//! fetches still reaches the next; what people see is masked in all three ways ([`Masker::show`]).

mod exact;
mod key;
mod pattern;

use std::borrow::Cow;

pub use key::{is_secret_key, is_sensitive_field};

use crate::Value;
use crate::error::TaskError;
use crate::report::LogLine;

/// What stands in the place of a secret.
pub const MASK: &str = "[REDACTED]";

/// Values inside one another that are looked at; what lies deeper is masked as a whole.
const DEEPEST: usize = 128;

/// Knows the secrets of a run.
#[derive(Clone, Debug, Default)]
pub struct Masker {
    exact: exact::Exact,
}

impl Masker {
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns the secret fields of a credential or keychain entry: those whose key says so, and long values under
    /// unknown keys. Hosts, ports, user names and the like stay visible.
    pub fn learn_credential(&mut self, data: &crate::Map) {
        let mut found = Vec::new();
        collect(data, &mut found, DEEPEST);
        self.exact.learn(&found);
    }

    /// Learns every string inside a value that is secret as a whole, such as a token or a resolved secret.
    pub fn learn(&mut self, value: &Value) {
        let mut found = Vec::new();
        strings(value, &mut found, DEEPEST);
        self.exact.learn(&found);
    }

    /// Adds what another one knows.
    pub fn extend(&mut self, other: &Masker) {
        self.exact.extend(&other.exact);
    }

    pub fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    /// Masks exact values only: for results and variables that later steps read.
    pub fn record(&self, value: &mut Value) {
        if !self.exact.is_empty() {
            self.walk(value, DEEPEST, false);
        }
    }

    /// Masks by value, key and look: for logs, events and everything that people see.
    pub fn show(&self, value: &mut Value) {
        self.walk(value, DEEPEST, true);
    }

    /// Masks text by exact value and by look.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.exact.mask(text) {
            Cow::Borrowed(text) => pattern::mask(text),
            Cow::Owned(text) => Cow::Owned(pattern::mask(&text).into_owned()),
        }
    }

    pub fn error(&self, error: &mut TaskError) {
        self.own(&mut error.message);
        self.show(&mut error.details);
        error.notes.iter_mut().for_each(|note| self.own(note));
    }

    pub fn line(&self, line: &mut LogLine) {
        self.own(&mut line.text);
        self.show(&mut line.fields);
    }

    fn own(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.text(text) {
            *text = masked;
        }
    }

    fn walk(&self, value: &mut Value, depth: usize, everything: bool) {
        let Some(depth) = depth.checked_sub(1) else {
            *value = Value::String(MASK.to_owned());
            return;
        };
        match value {
            Value::String(text) if everything => self.own(text),
            Value::String(text) => {
                if let Cow::Owned(masked) = self.exact.mask(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, depth, everything)),
            Value::Object(map) => {
                for (name, value) in map.iter_mut() {
                    if everything && key::hides(name, value) {
                        *value = Value::String(MASK.to_owned());
                    } else {
                        self.walk(value, depth, everything);
                    }
                }
                self.keys(map);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A secret may even be a key.
    fn keys(&self, map: &mut crate::Map) {
        if map.keys().any(|key| matches!(self.exact.mask(key), Cow::Owned(_))) {
            *map = std::mem::take(map)
                .into_iter()
                .map(|(key, value)| (self.exact.mask(&key).into_owned(), value))
                .collect();
        }
    }
}

fn collect<'a>(data: &'a crate::Map, found: &mut Vec<&'a str>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for (name, value) in data {
        match value {
            Value::String(text) if key::is_sensitive_field(name, text) => found.push(text),
            Value::Object(inner) => collect(inner, found, depth),
            Value::Array(_) if key::is_secret_key(name) => strings(value, found, depth),
            _ => {}
        }
    }
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found, depth)),
        Value::Object(map) => map.values().for_each(|value| strings(value, found, depth)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn knowing(secrets: &[&str]) -> Masker {
        let mut masker = Masker::new();
        for secret in secrets {
            masker.learn(&json!(secret));
        }
        masker
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let masker = knowing(&["p@ss \"word\"/1"]);
        for text in [
            "it is p@ss \"word\"/1!",
            r#"{"k": "p@ss \"word\"/1"}"#,
            "?q=p%40ss%20%22word%22%2F1&x",
            "form=p%40ss+%22word%22%2F1",
            "cEBzcyAid29yZCIvMQ==",
            // base64 of `user:` and the secret, and of `ab` and the secret
            "dXNlcjpwQHNzICJ3b3JkIi8x",
            "YWJwQHNzICJ3b3JkIi8x",
        ] {
            let masked = masker.text(text);
            assert!(masked.contains(MASK), "{text} -> {masked}");
            assert!(!masked.contains("p@ss") && !masked.contains("p%40ss"), "{text} -> {masked}");
        }
        assert!(matches!(masker.text("nothing to see"), Cow::Borrowed(_)));
    }

    #[test]
    fn short_and_common_values_do_not_destroy_output() {
        let masker = knowing(&["abc", "demo", "postgres", "5432", "true", "hunter2", ""]);
        assert_eq!(masker.text("demo/path abc true 5432 postgres"), "demo/path abc true 5432 postgres");
        assert_eq!(masker.text("hunter2 xhunter2x"), "[REDACTED] xhunter2x");
    }

    #[test]
    fn credentials_teach_their_secret_fields_only() {
        let mut masker = Masker::new();
        let data = json!({"db_host": "db.internal.example", "db_port": "54321", "db_user": "reporting", "db_password": "x9-quiet",
            "client_email": "robot@example.com", "private_key": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----"});
        masker.learn_credential(data.as_object().unwrap());
        assert_eq!(
            masker.text("host=db.internal.example:54321 user=reporting secret x9-quiet MIIEvQIBADANBgkqhkiG robot@example.com"),
            "host=db.internal.example:54321 user=reporting secret [REDACTED] [REDACTED] robot@example.com"
        );
    }

    #[test]
    fn keys_are_matched_by_whole_words() {
        let mut value = json!({
            "password": "a", "dbPassword": "b", "api_key": "c", "X-Api-Key": "d", "Authorization": "e", "client_secret": "f",
            "access_token": "g", "pwd": 12345, "accessToken": {"value": "deep"},
            "author": "Ada", "token_count": 5, "max_tokens": "100", "authority": "x", "secretary": "y", "passenger": "z",
            "auth": "pg_local", "key": "k", "certificate_count": 2, "token_type": "bearer", "monkey": "m", "password_set": true,
            "empty": {"password": ""},
        });
        Masker::new().show(&mut value);
        assert_eq!(
            value,
            json!({
                "password": MASK, "dbPassword": MASK, "api_key": MASK, "X-Api-Key": MASK, "Authorization": MASK,
                "client_secret": MASK, "access_token": MASK, "pwd": MASK, "accessToken": MASK,
                "author": "Ada", "token_count": 5, "max_tokens": "100", "authority": "x", "secretary": "y", "passenger": "z",
                "auth": "pg_local", "key": "k", "certificate_count": 2, "token_type": "bearer", "monkey": "m",
                "password_set": true, "empty": {"password": ""},
            })
        );
    }

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        let masker = Masker::new();
        for (text, masked) in [
            ("Authorization: Bearer abc123def456ghi789", "Authorization: Bearer [REDACTED]"),
            ("Basic dXNlcjpwYXNz", "Basic [REDACTED]"),
            ("basic information about bearer instruments", "basic information about bearer instruments"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig-_1 end", "jwt [REDACTED] end"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "[REDACTED]"),
            ("postgres://demo:s3cret@localhost/db", "postgres://demo:[REDACTED]@localhost/db"),
            ("host=x password=s3cret dbname=y", "host=x password=[REDACTED] dbname=y"),
            (concat!("key sk", "-abcdefghij0123456789abcdefghij"), "key [REDACTED]"),
            ("xoxb-1234567890-abcdefghij", "[REDACTED]"),
            ("plain text stays", "plain text stays"),
        ] {
            assert_eq!(masker.text(text), masked);
        }
    }

    #[test]
    fn records_keep_what_later_steps_need() {
        let masker = knowing(&["very-secret-value"]);
        let mut value = json!({"access_token": "fetched-by-the-step", "echo": "got very-secret-value", "very-secret-value": 1});
        masker.record(&mut value);
        assert_eq!(
            value,
            json!({"access_token": "fetched-by-the-step", "echo": "got [REDACTED]", "[REDACTED]": 1})
        );
    }
}
