//! Says back what it was sent, and answers with any status.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, patch, post, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use crate::state::State;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/get", get(echo))
        .route("/post", post(echo))
        .route("/put", put(echo))
        .route("/patch", patch(echo))
        .route("/delete", delete(echo))
        .route("/anything", any(echo))
        .route("/anything/{*rest}", any(echo))
        .route("/headers", get(async |headers: HeaderMap| Json(json!({"headers": named(&headers)}))))
        .route("/status/{code}", any(status))
        .route("/delay/{seconds}", any(delay))
        .route("/basic-auth/{user}/{password}", get(basic_auth))
        .route("/bearer", get(bearer))
        .route("/text", get(async || "plain text\n"))
        .route("/bytes/{count}", get(async |Path(count): Path<usize>| vec![7_u8; count.min(10_000_000)]))
        .route("/redirect/{times}", get(redirect))
}

fn named(headers: &HeaderMap) -> Map<String, Value> {
    let title = |name: &str| {
        name.split('-')
            .map(|part| {
                part.get(..1).map(str::to_uppercase).unwrap_or_default() + part.get(1..).unwrap_or_default()
            })
            .collect::<Vec<_>>()
            .join("-")
    };
    headers
        .iter()
        .map(|(name, value)| (title(name.as_str()), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect()
}

async fn echo(
    method: Method,
    uri: Uri,
    Query(args): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form: Map<String, Value> = if content_type.starts_with("application/x-www-form-urlencoded") {
        form_fields(&body)
    } else {
        Map::new()
    };
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1");
    Json(json!({
        "args": args,
        "data": if form.is_empty() { String::from_utf8_lossy(&body).into_owned() } else { String::new() },
        "form": form,
        "headers": named(&headers),
        "json": serde_json::from_slice::<Value>(&body).unwrap_or(Value::Null),
        "method": method.as_str(),
        "origin": "127.0.0.1",
        "url": format!("http://{host}{uri}"),
    }))
}

/// The query parser of axum reads form fields as well.
fn form_fields(body: &[u8]) -> Map<String, Value> {
    let Ok(uri) = format!("/?{}", String::from_utf8_lossy(body)).parse::<Uri>() else { return Map::new() };
    Query::<HashMap<String, String>>::try_from_uri(&uri)
        .map(|Query(fields)| fields.into_iter().map(|(key, value)| (key, json!(value))).collect())
        .unwrap_or_default()
}

async fn status(Path(code): Path<u16>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
    if matches!(code, 204 | 304) {
        return status.into_response();
    }
    (status, Json(json!({"status": code}))).into_response()
}

async fn delay(Path(seconds): Path<f64>) -> Json<Value> {
    tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 120.0))).await;
    Json(json!({"delay": seconds}))
}

async fn basic_auth(Path((user, password)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let expected = format!("Basic {}", BASE64.encode(format!("{user}:{password}")));
    let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    if given == Some(expected.as_bytes()) {
        Json(json!({"authenticated": true, "user": user})).into_response()
    } else {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"test\"")]).into_response()
    }
}

async fn bearer(headers: HeaderMap) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|text| text.strip_prefix("Bearer ")) {
        // The length proves that a token came, without saying it back.
        Some(token) => Json(json!({"authenticated": true, "length": token.len()})).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn redirect(Path(times): Path<u8>) -> Response {
    let target = if times > 1 { format!("/redirect/{}", times - 1) } else { "/get".to_owned() };
    (StatusCode::FOUND, [(header::LOCATION, target)]).into_response()
}
