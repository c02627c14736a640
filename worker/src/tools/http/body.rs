//! What goes into a request and what comes out of an answer.

use base64::Engine as _;
use futures::StreamExt as _;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};

use super::{Input, wrong};
use crate::fields;

pub(super) fn headers(
    mut request: RequestBuilder,
    headers: Option<&Map>,
) -> Result<RequestBuilder, TaskError> {
    for (name, value) in headers.into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        request = header(request, name, &fields::text(value))?;
    }
    Ok(request)
}

pub(super) fn header(request: RequestBuilder, name: &str, value: &str) -> Result<RequestBuilder, TaskError> {
    let name =
        HeaderName::try_from(name.trim()).map_err(|_| wrong(format!("{name:?} is not a header name")))?;
    let mut value = HeaderValue::try_from(value.trim())
        .map_err(|_| wrong(format!("header {name} has a value with control characters")))?;
    value.set_sensitive(name == "authorization");
    Ok(request.header(name, value))
}

/// `params`, and `data` where it means the query.
pub(super) fn query(request: RequestBuilder, input: &Input, method: &Method) -> RequestBuilder {
    let from_data = match &input.data {
        Some(Value::Object(data)) if is_split(data) => data.get("query").and_then(Value::as_object),
        Some(Value::Object(data)) if has_no_body(method) => Some(data),
        _ => None,
    };
    let pairs = pairs(input.params.iter().chain(from_data).flatten());
    if pairs.is_empty() { request } else { request.query(&pairs) }
}

/// The first of `json`, `form`, `body`, `payload`, `data` that is there.
pub(super) fn body(request: RequestBuilder, input: &Input, method: &Method) -> RequestBuilder {
    let given = |value: &Option<Value>| value.clone().filter(|value| !value.is_null());
    let urlencoded = has_header(input, "content-type", "application/x-www-form-urlencoded");
    if let Some(form) = given(&input.form) {
        return send_form(request, &form);
    }
    let is_json = given(&input.json).is_some();
    let from_data = || match &input.data {
        Some(Value::Object(data)) if is_split(data) => data.get("body").cloned(),
        Some(Value::Object(_)) if has_no_body(method) => None,
        other => other.clone(),
    };
    let content = given(&input.json)
        .or_else(|| given(&input.body))
        .or_else(|| given(&input.payload))
        .or_else(|| from_data().filter(|value| !value.is_null()));
    match content {
        None => request,
        Some(Value::Object(map)) if urlencoded => send_form(request, &Value::Object(map)),
        Some(Value::String(text)) if !is_json => request.body(text),
        Some(value) if has_any(input, "content-type") => request.body(value.to_string()),
        Some(value) => request.json(&value),
    }
}

fn send_form(request: RequestBuilder, form: &Value) -> RequestBuilder {
    match form {
        Value::Object(map) => request.form(&pairs(map.iter())),
        other => {
            request.header("content-type", "application/x-www-form-urlencoded").body(fields::text(other))
        }
    }
}

/// Names with their values as text; nulls are left out, lists repeat the name.
fn pairs<'a>(map: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<(&'a str, String)> {
    let mut pairs = Vec::new();
    for (name, value) in map {
        match value {
            Value::Null => {}
            Value::Array(items) => pairs.extend(items.iter().map(|item| (name.as_str(), fields::text(item)))),
            other => pairs.push((name.as_str(), fields::text(other))),
        }
    }
    pairs
}

fn is_split(data: &Map) -> bool {
    !data.is_empty() && data.keys().all(|key| key == "query" || key == "body")
}

fn has_no_body(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::DELETE)
}

fn has_any(input: &Input, name: &str) -> bool {
    input.headers.iter().flatten().any(|(written, _)| written.eq_ignore_ascii_case(name))
}

fn has_header(input: &Input, name: &str, start: &str) -> bool {
    let headers = input.headers.iter().flatten();
    headers
        .filter(|(written, _)| written.eq_ignore_ascii_case(name))
        .any(|(_, value)| fields::text(value).trim().to_ascii_lowercase().starts_with(start))
}

pub(super) fn read_headers(headers: &HeaderMap) -> Map {
    let mut read = Map::new();
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match read.get_mut(name.as_str()) {
            Some(Value::String(known)) => {
                known.push_str(", ");
                known.push_str(&text);
            }
            _ => {
                read.insert(name.as_str().to_owned(), Value::String(text));
            }
        }
    }
    read
}

#[derive(Debug)]
pub(super) enum ReadError {
    TooLarge,
    Transport(reqwest::Error),
}

/// Reads an answer to its end, or to the limit.
pub(super) async fn read(answer: Response, limit: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(ReadError::Transport)?;
        if bytes.len() + chunk.len() > limit {
            return Err(ReadError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// JSON where the answer says so or plainly is, else text, else base64.
pub(super) fn decode(bytes: &[u8], wanted: Option<&str>, content_type: Option<&Value>) -> Value {
    let binary = || Value::String(base64::engine::general_purpose::STANDARD.encode(bytes));
    let text = || String::from_utf8(bytes.to_vec()).map_or_else(|_| binary(), Value::String);
    let content_type = content_type.and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    match wanted.map(str::to_ascii_lowercase).as_deref() {
        Some("text") => return Value::String(String::from_utf8_lossy(bytes).into_owned()),
        Some("binary" | "bytes") => return binary(),
        _ if bytes.is_empty() => return Value::Null,
        Some("json") => return serde_json::from_slice(bytes).unwrap_or_else(|_| text()),
        _ => {}
    }
    let looks_like_json = content_type.contains("json")
        || (!content_type.contains("html") && matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')));
    match looks_like_json.then(|| serde_json::from_slice(bytes)) {
        Some(Ok(value)) => value,
        _ => text(),
    }
}
