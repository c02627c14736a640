//! Programs to load, for `script` over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::secrets::TOKEN;
use crate::state::State;
use crate::tokens::bearer;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/scripts/greet.py", get(async || "def main(name):\n    return {'text': f'hello {name}'}\n"))
        .route("/scripts/broken.py", get(async || "def main(:\n    return 1\n"))
        .route("/scripts/total.sql", get(async || "SELECT {{ a }} + {{ b }} AS total"))
        .route("/scripts/private.py", any(private))
}

/// Only for a POST with the right token and header; the program says what came.
async fn private(method: Method, headers: HeaderMap, body: Bytes) -> Response {
    if bearer(&headers) != TOKEN {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let channel = headers.get("x-channel").and_then(|value| value.to_str().ok()).unwrap_or("none");
    format!("result = {{'method': '{method}', 'channel': '{channel}', 'bytes': {}}}\n", body.len())
        .into_response()
}
