//! Pages whose first request fails, and endpoints that fail a given number of times.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::pages::assessment_page;
use crate::state::{State, lock};

/// Requests so far, by page or by name.
#[derive(Debug, Default)]
pub(crate) struct Flaky(Mutex<HashMap<String, usize>>);

impl Flaky {
    /// Counts a request and says how many came before it.
    fn next(&self, key: String) -> usize {
        let mut seen = lock(&self.0);
        let count = seen.entry(key).or_default();
        *count += 1;
        *count - 1
    }

    pub(crate) fn reset(&self) {
        lock(&self.0).clear();
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/flaky", get(flaky))
        .route("/api/v1/flaky/reset", post(reset))
        .route("/unsteady/{name}", get(unsteady).post(unsteady))
        .route("/half", get(half))
}

#[derive(Deserialize)]
struct FlakyQuery {
    page: Option<usize>,
    #[serde(rename = "pageSize")]
    page_size: Option<usize>,
    fail_on: Option<String>,
}

async fn flaky(Shared(state): Shared<Arc<State>>, Query(query): Query<FlakyQuery>) -> Response {
    let page = query.page.unwrap_or(1);
    let listed = query.fail_on.unwrap_or_default();
    let listed =
        listed.split(',').filter_map(|text| text.trim().parse::<usize>().ok()).any(|fail| fail == page);
    if listed && state.flaky.next(format!("page {page}")) == 0 {
        let body = json!({"detail": format!("simulated failure for page {page}")});
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response();
    }
    Json(assessment_page(page, query.page_size.unwrap_or(10))).into_response()
}

async fn reset(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    state.flaky.reset();
    Json(json!({"status": "ok", "message": "counters cleared"}))
}

#[derive(Deserialize)]
struct Unsteady {
    /// Requests that fail before the first that succeeds.
    failures: Option<usize>,
    status: Option<u16>,
}

/// Fails `failures` times (by `name`), then answers with the number of the try.
async fn unsteady(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    Query(query): Query<Unsteady>,
) -> Response {
    let before = state.flaky.next(format!("name {name}"));
    if before < query.failures.unwrap_or(2) {
        let status = query.status.and_then(|code| StatusCode::from_u16(code).ok());
        let body = json!({"detail": format!("try {} of {name} fails", before + 1)});
        return (status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE), Json(body)).into_response();
    }
    Json(json!({"name": name, "try": before + 1, "ok": true})).into_response()
}

/// Fails every other request.
async fn half(Shared(state): Shared<Arc<State>>) -> Response {
    let before = state.flaky.next("half".to_owned());
    if before % 2 == 0 {
        let body = json!({"detail": "half of the requests fail"});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    Json(json!({"ok": true})).into_response()
}
