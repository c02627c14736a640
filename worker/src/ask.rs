//! Requests of the worker's own: to token endpoints and secret providers, with failures told in one way.

use std::time::Duration;

use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

/// A provider that answers slower than this is not there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the request and reads a JSON object. `what` names what is asked for and where, and holds no secret.
pub(crate) async fn json(request: reqwest::RequestBuilder, what: &str) -> Result<Map, TaskError> {
    match request.timeout(PATIENCE).send().await {
        Ok(answer) => read(answer, what).await,
        Err(error) => Err(unreachable(what, error)),
    }
}

async fn read(answer: reqwest::Response, what: &str) -> Result<Map, TaskError> {
    let status = answer.status();
    if status.is_success() {
        return match answer.json().await {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(refused(what, "the answer is not a JSON object")),
            Err(error) if error.is_decode() => Err(refused(what, "the answer is not JSON")),
            Err(error) => Err(unreachable(what, error)),
        };
    }
    let code = status.as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    let reason = reason(&body).map(|reason| format!(" ({reason})")).unwrap_or_default();
    let says = format!("HTTP {code}{reason}");
    let is_missing = code == 404 || reason.contains("ResourceNotFound");
    let mut error = match code {
        _ if is_missing => coded(Code::SecretNotFound, format!("{what}: there is none, {says}")),
        400 | 401 | 403 => coded(Code::SecretRefused, format!("{what}: refused, {says}")),
        _ => refused(what, &says),
    };
    error.retryable = code == 429 || status.is_server_error();
    error.status_code = Some(code);
    Err(error)
}

/// The provider's own words, in the places where each of them puts them.
fn reason(body: &Value) -> Option<String> {
    let places =
        ["/error/message", "/error_description", "/errors/0", "/message", "/Message", "/__type", "/error"];
    let text = places.iter().find_map(|place| body.pointer(place)?.as_str())?;
    let kind = body.get("__type").and_then(Value::as_str).filter(|kind| *kind != text);
    let text: String = text.chars().take(300).collect();
    Some(kind.map_or_else(|| text.clone(), |kind| format!("{kind}: {text}")))
}

fn unreachable(what: &str, error: reqwest::Error) -> TaskError {
    let late = if error.is_timeout() { "it did not answer in time" } else { "it cannot be reached" };
    let mut cause: &dyn std::error::Error = &error.without_url();
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    coded(Code::Connection, format!("{what}: {late} ({cause})")).retryable()
}

pub(crate) fn refused(what: &str, reason: &str) -> TaskError {
    coded(Code::SecretRefused, format!("{what}: {reason}"))
}

pub(crate) fn coded(code: Code, message: String) -> TaskError {
    TaskError::new("auth", message).with_code(code.as_str())
}
