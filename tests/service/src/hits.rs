//! Which requests came: what tests count, and `GET /_hits` for people.

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};

use crate::state::{State, lock};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    pub method: String,
    pub path: String,
    pub query: String,
}

#[derive(Debug, Default)]
pub(crate) struct Hits(Mutex<Vec<Hit>>);

impl Hits {
    pub(crate) fn count(&self, method_and_path: &str) -> usize {
        let (method, path) = method_and_path.split_once(' ').unwrap_or(("GET", method_and_path));
        lock(&self.0).iter().filter(|hit| hit.method == method && hit.path == path).count()
    }

    pub(crate) fn all(&self) -> Vec<Hit> {
        lock(&self.0).clone()
    }

    pub(crate) fn reset(&self) {
        lock(&self.0).clear();
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route("/_hits", get(list)).route("/_reset", post(reset))
}

/// Writes every request down before it is answered, so that a request that never gets an answer counts too.
pub(crate) async fn record(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with("/_") {
        let query = request.uri().query().unwrap_or_default().to_owned();
        lock(&state.hits.0).push(Hit { method: request.method().to_string(), path: path.to_owned(), query });
    }
    next.run(request).await
}

async fn list(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!({"hits": state.hits.all(), "effects": state.effects.all()}))
}

async fn reset(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    state.reset();
    Json(json!({"status": "ok"}))
}
