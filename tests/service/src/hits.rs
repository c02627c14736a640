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
pub(crate) struct Hits {
    all: Mutex<Vec<Hit>>,
    /// Tells whoever waits for a request.
    came: tokio::sync::Notify,
}

impl Hits {
    pub(crate) fn count(&self, method_and_path: &str) -> usize {
        let (method, path) = method_and_path.split_once(' ').unwrap_or(("GET", method_and_path));
        lock(&self.all).iter().filter(|hit| hit.method == method && hit.path == path).count()
    }

    /// Waits until a request came at all.
    pub(crate) async fn came(&self, method_and_path: &str) {
        loop {
            let next = self.came.notified();
            if self.count(method_and_path) > 0 {
                return;
            }
            next.await;
        }
    }

    pub(crate) fn all(&self) -> Vec<Hit> {
        lock(&self.all).clone()
    }

    pub(crate) fn reset(&self) {
        lock(&self.all).clear();
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
        let hit = Hit { method: request.method().to_string(), path: path.to_owned(), query };
        lock(&state.hits.all).push(hit);
        state.hits.came.notify_waiters();
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
