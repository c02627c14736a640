//! Counts how many probes overlap, to prove that work runs side by side.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State as Shared};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::state::{State, lock};

#[derive(Clone, Debug, Default, Serialize)]
struct Counters {
    started: u64,
    completed: u64,
    active: u64,
    max_active: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Overlap(Mutex<Counters>);

impl Overlap {
    pub(crate) fn reset(&self) {
        *lock(&self.0) = Counters::default();
    }
}

/// Leaves the probe also when its client went away.
struct Inside<'a>(&'a Overlap, bool);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut counters = lock(&self.0.0);
        counters.active = counters.active.saturating_sub(1);
        counters.completed += u64::from(self.1);
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/concurrency/reset", post(reset))
        .route("/api/v1/concurrency/stats", get(stats))
        .route("/api/v1/concurrency/probe", get(probe))
}

async fn reset(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    state.concurrency.reset();
    Json(json!({"status": "ok"}))
}

async fn stats(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!(lock(&state.concurrency.0).clone()))
}

#[derive(Deserialize)]
struct Probe {
    delay_seconds: Option<f64>,
    label: Option<String>,
}

async fn probe(Shared(state): Shared<Arc<State>>, Query(query): Query<Probe>) -> Json<Value> {
    let (active, started) = {
        let mut counters = lock(&state.concurrency.0);
        counters.started += 1;
        counters.active += 1;
        counters.max_active = counters.max_active.max(counters.active);
        (counters.active, counters.started)
    };
    let mut inside = Inside(&state.concurrency, false);
    let delay = query.delay_seconds.unwrap_or(1.0).clamp(0.0, 60.0);
    tokio::time::sleep(Duration::from_secs_f64(delay)).await;
    inside.1 = true;
    drop(inside);
    let max_active = lock(&state.concurrency.0).max_active;
    Json(json!({
        "label": query.label,
        "number": started,
        "delay_seconds": delay,
        "active_at_start": active,
        "max_active": max_active,
    }))
}
