//! Answers 429 to whoever asks too often.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Query, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use serde::Deserialize;
use serde_json::json;

use crate::pages::assessment_page;
use crate::state::{State, lock};

/// Allowed requests of the last second, by endpoint.
#[derive(Debug, Default)]
pub(crate) struct Windows(Mutex<HashMap<&'static str, VecDeque<Instant>>>);

impl Windows {
    /// Whether one more request is within `limit` in one second; a refused one does not count.
    pub(crate) fn admit(&self, endpoint: &'static str, limit: usize) -> bool {
        let now = Instant::now();
        let mut windows = lock(&self.0);
        let window = windows.entry(endpoint).or_default();
        while window.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            window.pop_front();
        }
        let admitted = window.len() < limit;
        if admitted {
            window.push_back(now);
        }
        admitted
    }

    pub(crate) fn reset(&self) {
        lock(&self.0).clear();
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route("/api/v1/rate-limited", get(rate_limited))
}

pub(crate) fn too_many() -> Response {
    let body = Json(json!({"detail": "rate limit exceeded"}));
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], body).into_response()
}

#[derive(Deserialize)]
struct RateLimited {
    page: Option<usize>,
    #[serde(rename = "pageSize")]
    page_size: Option<usize>,
    requests_per_second: Option<usize>,
}

async fn rate_limited(Shared(state): Shared<Arc<State>>, Query(query): Query<RateLimited>) -> Response {
    if !state.rate.admit("rate-limited", query.requests_per_second.unwrap_or(2)) {
        return too_many();
    }
    Json(assessment_page(query.page.unwrap_or(1), query.page_size.unwrap_or(10))).into_response()
}
