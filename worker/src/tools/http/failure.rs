//! What went wrong with a request, in the words of playbooks.md 8.4.

use std::error::Error as _;

use noetl_domain::Value;
use noetl_domain::error::TaskError;
use reqwest::{Method, StatusCode, Url};

use crate::fields;

/// An answer outside 200..299.
pub(super) fn status(
    status: StatusCode,
    method: &Method,
    url: &Url,
    headers: &Value,
    data: &Value,
) -> TaskError {
    let (kind, retryable) = match status.as_u16() {
        401 | 403 => ("auth", false),
        404 | 410 => ("not_found", false),
        408 => ("timeout", true),
        429 => ("rate_limit", true),
        500.. => ("server_error", true),
        _ => ("client_error", false),
    };
    let reason = status.canonical_reason().unwrap_or_default();
    let message = format!("HTTP {} response ({reason}) from {method} {}", status.as_u16(), shown(url));
    let mut details = serde_json::Map::new();
    if let Some(after) = headers.get("retry-after") {
        details.insert("retry_after".into(), fields::number(after).map_or(after.clone(), Value::from));
    }
    if !data.is_null() {
        details.insert("body".into(), excerpt(data));
    }
    TaskError {
        kind: kind.into(),
        code: Some(status.as_u16().to_string()),
        status_code: Some(status.as_u16()),
        message,
        retryable,
        source: "http".into(),
        details: Value::Object(details),
        ..TaskError::default()
    }
}

/// No answer at all.
pub(super) fn sending(error: &reqwest::Error, method: &Method, url: &Url) -> TaskError {
    let cause = root_cause(error);
    let place = match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.to_string(),
    };
    let (kind, code, message) = if error.is_connect() && !error.is_timeout() {
        ("connection", "TL008", format!("cannot connect to {place}: {cause}"))
    } else if error.is_timeout() {
        ("timeout", "EX002", format!("{method} {} took too long ({place}): {cause}", shown(url)))
    } else if error.is_redirect() || error.is_builder() {
        return TaskError {
            source: "http".into(),
            ..TaskError::new("config", format!("{method} {}: {cause}", shown(url)))
        };
    } else {
        ("connection", "TL008", format!("the connection to {place} broke: {cause}"))
    };
    let mut error = TaskError::new(kind, message).with_code(code).retryable();
    error.source = "http".into();
    error
}

/// The URL without its query, which may carry keys.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // A URL without a host cannot have a password either.
    let _ = url.set_password(None);
    url.to_string()
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.to_string();
    let mut next = error.source();
    while let Some(inner) = next {
        cause = inner.to_string();
        next = inner.source();
    }
    cause
}

/// Enough of a body to see what it says.
fn excerpt(data: &Value) -> Value {
    let text = fields::text(data);
    match text.char_indices().nth(2000) {
        Some((end, _)) => Value::String(format!("{}…", &text[..end])),
        None => data.clone(),
    }
}
