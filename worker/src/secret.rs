//! Secrets that travel as references: a marker in results and events, the value only on the worker.

use noetl_domain::{Map, Value};

use crate::provider::{Place, Providers};

const MARKER: &str = "$secret";

/// `{"$secret": {"provider": …, "name": …}}`, with the settings of its place beside them.
pub(crate) fn marker(place: &Place) -> Value {
    let mut inner = Map::new();
    inner.insert("provider".into(), place.provider.clone().into());
    inner.insert("name".into(), place.name.clone().into());
    inner.extend(place.settings.clone());
    serde_json::json!({ MARKER: inner })
}

/// Whether a marker lies within reach of [`reveal`].
pub(crate) fn is_marked(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key(MARKER) || map.values().any(is_marked),
        Value::Array(items) => items.iter().any(is_marked),
        _ => false,
    }
}

/// The places that markers inside the value name.
pub(crate) fn places(value: &Value, found: &mut Vec<Place>) {
    match value {
        Value::Object(map) => match place(map) {
            Some(place) => found.push(place),
            None => map.values().for_each(|inner| places(inner, found)),
        },
        Value::Array(items) => items.iter().for_each(|inner| places(inner, found)),
        _ => {}
    }
}

/// Replaces every marker by its value and tells `found` about each; a secret that is not at hand stays a marker.
pub(crate) fn reveal(value: &mut Value, providers: &Providers, found: &mut impl FnMut(&str, &Value)) {
    let secret = match value {
        Value::Object(map) => place(map).and_then(|place| providers.known(&place)),
        _ => None,
    };
    if let Some(secret) = secret {
        let marker = std::mem::replace(value, Value::String(secret.clone()));
        return found(&secret, &marker);
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|inner| reveal(inner, providers, found)),
        Value::Array(items) => items.iter_mut().for_each(|inner| reveal(inner, providers, found)),
        _ => {}
    }
}

fn place(map: &Map) -> Option<Place> {
    let inner = map.get(MARKER).filter(|_| map.len() == 1)?.as_object()?;
    Some(Place::new(inner.get("provider")?.as_str()?, inner.get("name")?.as_str()?, inner))
}

/// Keys of the platform itself, which are not for playbooks and their commands.
pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with("NOETL_")
        && ["KEY", "PASSWORD", "TOKEN", "SECRET"].iter().any(|part| name.contains(part))
}
