//! Keys that say that their value is secret, by the whole words in them (playbooks.md 12.5).

use crate::Value;

/// Words that make a key secret.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "pass",
    "secret",
    "secrets",
    "token",
    "tokens",
    "bearer",
    "apikey",
    "authorization",
    "privatekey",
    "pem",
    "cookie",
    "hmac",
];
/// Words before `key` that make a key secret: `api_key`, `X-Api-Key`, `secretKey`.
const BEFORE_KEY: &[&str] =
    &["api", "access", "secret", "private", "encryption", "signing", "ssh", "account", "master", "auth"];
/// What a key is about when these words end it: not the secret itself.
const ABOUT: &[&str] = &[
    "count",
    "counts",
    "limit",
    "limits",
    "total",
    "used",
    "usage",
    "type",
    "kind",
    "name",
    "id",
    "ids",
    "field",
    "url",
    "uri",
    "endpoint",
    "expires",
    "expiry",
    "expiration",
    "ttl",
    "length",
    "size",
    "at",
    "in",
    "ms",
    "seconds",
    "ref",
    "path",
    "file",
    "set",
    "present",
    "required",
    "valid",
    "policy",
    "hint",
    "header",
    "scope",
    "version",
    "status",
    "enabled",
];
const COUNTED: &[&str] = &[
    "max",
    "min",
    "total",
    "num",
    "number",
    "count",
    "prompt",
    "completion",
    "input",
    "output",
    "reasoning",
];

/// Fields of credentials that are no secret (playbooks.md 12.1).
const OPEN: &[&str] = &[
    "host",
    "hostname",
    "port",
    "user",
    "username",
    "login",
    "database",
    "dbname",
    "db",
    "name",
    "schema",
    "role",
    "warehouse",
    "account",
    "region",
    "endpoint",
    "url",
    "uri",
    "service",
    "type",
    "kind",
    "sslmode",
    "header",
    "email",
    "project",
    "client",
    "scope",
    "scopes",
    "domain",
    "bucket",
    "driver",
    "version",
    "algorithm",
    "audience",
    "provider",
    "description",
    "server",
    "address",
    "addr",
    "authority",
    "namespace",
    "mount",
    "subject",
];

pub(super) fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    let mut fresh = true;
    for c in key.chars() {
        if c.is_alphanumeric() {
            let hump =
                c.is_uppercase() && before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
            if fresh || hump {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase());
            }
            fresh = false;
        } else {
            fresh = true;
        }
        before = Some(c);
    }
    words
}

/// Whether the value under this key is secret, going by the key alone.
pub fn is_secret_key(key: &str) -> bool {
    let words = words(key);
    let is = |word: &String, list: &[&str]| list.contains(&word.as_str());
    if words.len() > 1 && words.last().is_some_and(|last| is(last, ABOUT)) {
        return false;
    }
    if words.iter().any(|word| word == "tokens") && words.iter().any(|word| is(word, COUNTED)) {
        return false;
    }
    let joined = key.to_ascii_lowercase();
    words.iter().any(|word| is(word, SECRET))
        || words.windows(2).any(|pair| is(&pair[0], BEFORE_KEY) && matches!(pair[1].as_str(), "key" | "keys"))
        || joined.contains("connection_string")
        || joined.contains("connectionstring")
}

/// Whether a field of a credential is secret: not when its key names something open, else when the key says so or
/// the value is long.
pub fn is_sensitive_field(key: &str, value: &str) -> bool {
    // Half of what opens HashiCorp's Vault is called an id.
    if is_secret_key(key) || key.eq_ignore_ascii_case("secret_id") {
        return true;
    }
    let words = words(key);
    let open = words.last().is_some_and(|last| OPEN.contains(&last.as_str()))
        || words.last().is_some_and(|last| last == "id") && words.first().is_none_or(|first| first != "key");
    !open && value.len() >= 8
}

pub(super) fn hides(key: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty() && is_secret_key(key),
        Value::Number(_) => {
            matches!(words(key).last().map(String::as_str), Some("password" | "passwd" | "pwd" | "pin"))
        }
        Value::Array(_) | Value::Object(_) => {
            // `secrets: {a: …}` hides as a whole; a list of names such as `tokens: [..]` too.
            is_secret_key(key)
        }
        Value::Null | Value::Bool(_) => false,
    }
}
