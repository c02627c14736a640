//! Secrets that travel as references: a marker in results and events, the value only on the worker.

use noetl_domain::{Map, Value};

const MARKER: &str = "$secret";

#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("the environment variable {0} is not set on the worker")]
    NotSet(String),
    #[error(
        "secret {name:?}: the provider {provider:?} is not part of this build; use env or a stored credential"
    )]
    Provider { provider: String, name: String },
}

/// `{"$secret": {"provider": …, "name": …}}`.
pub(crate) fn marker(provider: &str, name: &str) -> Value {
    serde_json::json!({ MARKER: { "provider": provider, "name": name } })
}

/// Fetches the value that a marker stands for.
pub(crate) fn fetch(provider: &str, name: &str) -> Result<String, SecretError> {
    match provider {
        "env" | "environment" if is_own(name) => Err(SecretError::NotSet(name.to_owned())),
        "env" | "environment" => std::env::var(name).map_err(|_| SecretError::NotSet(name.to_owned())),
        _ => Err(SecretError::Provider { provider: provider.to_owned(), name: name.to_owned() }),
    }
}

/// Whether a marker lies within reach of [`reveal`].
pub(crate) fn is_marked(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key(MARKER) || map.values().any(is_marked),
        Value::Array(items) => items.iter().any(is_marked),
        _ => false,
    }
}

/// Replaces every marker by its value and tells `found` about each; a secret that cannot be fetched stays a marker.
pub(crate) fn reveal(value: &mut Value, found: &mut impl FnMut(&str, &Value)) {
    let secret = match value {
        Value::Object(map) => opened(map),
        _ => None,
    };
    if let Some(secret) = secret {
        let marker = std::mem::replace(value, Value::String(secret.clone()));
        return found(&secret, &marker);
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|inner| reveal(inner, found)),
        Value::Array(items) => items.iter_mut().for_each(|inner| reveal(inner, found)),
        _ => {}
    }
}

fn opened(map: &Map) -> Option<String> {
    let inner = map.get(MARKER).filter(|_| map.len() == 1)?;
    fetch(inner.get("provider")?.as_str()?, inner.get("name")?.as_str()?).ok()
}

/// Keys of the platform itself, which are not for playbooks and their commands.
pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with("NOETL_")
        && ["KEY", "PASSWORD", "TOKEN", "SECRET"].iter().any(|part| name.contains(part))
}
