//! Exact values: every spelling in which a known secret may turn up, found in one pass.
//!
//! A value shorter than eight characters is only searched for between word boundaries, and not at all when it is
//! shorter than four, a common word, a short number, or letters alone: masking `demo` everywhere would destroy output
//! and protect nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::MASK;

#[derive(Clone, Debug, Default)]
pub(super) struct Exact {
    secrets: BTreeSet<String>,
    finder: Option<Arc<AhoCorasick>>,
}

/// Values from here on are searched for inside words, too.
const LONG: usize = 8;
const SHORTEST: usize = 4;

impl Exact {
    pub(super) fn learn(&mut self, values: &[&str]) {
        let before = self.secrets.len();
        for value in values {
            let value = value.trim();
            if worth_hiding(value) {
                self.secrets.insert(value.to_owned());
            }
            // A key file may be printed line by line.
            if value.contains('\n') {
                let lines = value
                    .lines()
                    .map(str::trim)
                    .filter(|line| line.len() >= 16 && !line.starts_with("-----"));
                self.secrets.extend(lines.map(str::to_owned));
            }
        }
        if self.secrets.len() != before {
            self.build();
        }
    }

    pub(super) fn extend(&mut self, other: &Self) {
        let before = self.secrets.len();
        self.secrets.extend(other.secrets.iter().cloned());
        if self.secrets.len() != before {
            self.build();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    fn build(&mut self) {
        let mut needles = BTreeSet::new();
        self.secrets.iter().for_each(|secret| spellings(secret, &mut needles));
        self.finder =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&needles).ok().map(Arc::new);
    }

    pub(super) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(finder) = &self.finder else { return Cow::Borrowed(text) };
        let mut out: Option<String> = None;
        let mut from = 0;
        for found in finder.find_iter(text) {
            let (start, end) = (found.start(), found.end());
            if end - start < LONG && !stands_alone(text, start, end) {
                continue;
            }
            let out = out.get_or_insert_with(String::new);
            out.push_str(&text[from..start]);
            out.push_str(MASK);
            from = end;
        }
        match out {
            Some(mut out) => {
                out.push_str(&text[from..]);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(text),
        }
    }
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !inside(text[..start].chars().next_back()) && !inside(text[end..].chars().next())
}

fn worth_hiding(value: &str) -> bool {
    const COMMON: &[&str] = &[
        "password",
        "username",
        "postgres",
        "localhost",
        "default",
        "undefined",
        "required",
        "disabled",
        "enabled",
        "production",
        "development",
        "staging",
        "127.0.0.1",
        "0.0.0.0",
        "changeme",
        "[redacted]",
    ];
    let lower = value.to_ascii_lowercase();
    if value.len() < SHORTEST || COMMON.contains(&lower.as_str()) || value.contains("{{") {
        return false;
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let letters = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    value.len() >= LONG || !(digits || letters)
}

fn spellings(secret: &str, needles: &mut BTreeSet<String>) {
    needles.insert(secret.to_owned());
    let json = serde_json::Value::from(secret).to_string();
    let escaped = &json[1..json.len() - 1];
    needles.insert(escaped.to_owned());
    // JSON inside JSON.
    needles.insert(escaped.replace('\\', "\\\\").replace('"', "\\\""));
    let encoded = percent(secret);
    needles.insert(encoded.to_lowercase());
    needles.insert(encoded.replace("%20", "+"));
    needles.insert(encoded);
    if secret.len() >= SHORTEST + 2 {
        for (before, skipped) in [(0, 0), (1, 2), (2, 3)] {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret.as_bytes());
            // Characters that hold bits of the secret alone; what follows it may change the last one.
            let whole = bytes.len() * 8 / 6;
            for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                let part = &text[skipped..whole];
                if part.len() >= LONG {
                    needles.insert(part.to_owned());
                }
            }
        }
    }
}

fn percent(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
