//! One endpoint that fails as asked.

use std::sync::Arc;

use axum::extract::{Query, State as Shared};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use serde::Deserialize;
use serde_json::json;

use crate::pages::assessment_page;
use crate::state::State;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route("/api/v1/errors", get(errors))
}

#[derive(Deserialize)]
struct Errors {
    error_type: Option<String>,
    page: Option<usize>,
    #[serde(rename = "pageSize")]
    page_size: Option<usize>,
}

const RETRY_AFTER: [(HeaderName, &str); 1] = [(header::RETRY_AFTER, "1")];

async fn errors(Shared(state): Shared<Arc<State>>, Query(query): Query<Errors>) -> Response {
    let say = |status: StatusCode, text: &str| {
        (status, Json(json!({"detail": text, "error": text}))).into_response()
    };
    match query.error_type.as_deref().unwrap_or_default() {
        "429" | "rate_limit" => {
            (RETRY_AFTER, say(StatusCode::TOO_MANY_REQUESTS, "too many requests")).into_response()
        }
        "503" => (RETRY_AFTER, say(StatusCode::SERVICE_UNAVAILABLE, "service unavailable")).into_response(),
        "500" => say(StatusCode::INTERNAL_SERVER_ERROR, "internal server error"),
        "401" | "auth" => say(StatusCode::UNAUTHORIZED, "unauthorized"),
        "403" => say(StatusCode::FORBIDDEN, "forbidden"),
        "404" => say(StatusCode::NOT_FOUND, "not found"),
        "timeout" => {
            tokio::time::sleep(state.options.timeout).await;
            say(StatusCode::GATEWAY_TIMEOUT, "timeout")
        }
        _ => Json(assessment_page(query.page.unwrap_or(1), query.page_size.unwrap_or(10))).into_response(),
    }
}
