//! Side effects to count, and gates that hold a request until a test opens them.
//!
//! A gate lets a test act while a step is certainly running, without any sleep.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, Query, State as Shared};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::state::{State, lock};

#[derive(Debug, Default)]
pub(crate) struct Effects {
    counts: Mutex<BTreeMap<String, usize>>,
    gates: Mutex<HashMap<String, watch::Sender<bool>>>,
}

impl Effects {
    pub(crate) fn count(&self, key: &str) -> usize {
        lock(&self.counts).get(key).copied().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> Vec<(String, usize)> {
        lock(&self.counts).iter().map(|(key, count)| (key.clone(), *count)).collect()
    }

    pub(crate) fn open(&self, name: &str) {
        self.gate(name).send_replace(true);
    }

    pub(crate) fn reset(&self) {
        lock(&self.counts).clear();
        lock(&self.gates).clear();
    }

    fn gate(&self, name: &str) -> watch::Sender<bool> {
        lock(&self.gates).entry(name.to_owned()).or_insert_with(|| watch::Sender::new(false)).clone()
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/effects/{key}", post(add).get(read))
        .route("/gate/{name}", get(wait))
        .route("/gate/{name}/open", post(open))
}

#[derive(Deserialize)]
struct Slow {
    /// Answers so much later than it counts: a wide window for a test to act in.
    delay_seconds: Option<f64>,
}

async fn add(
    Shared(state): Shared<Arc<State>>,
    Path(key): Path<String>,
    Query(slow): Query<Slow>,
) -> Json<Value> {
    let count = {
        let mut counts = lock(&state.effects.counts);
        let count = counts.entry(key.clone()).or_default();
        *count += 1;
        *count
    };
    if let Some(seconds) = slow.delay_seconds {
        tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 60.0))).await;
    }
    Json(json!({"key": key, "count": count}))
}

async fn read(Shared(state): Shared<Arc<State>>, Path(key): Path<String>) -> Json<Value> {
    Json(json!({"count": state.effects.count(&key), "key": key}))
}

async fn wait(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Json<Value> {
    let mut opened = state.effects.gate(&name).subscribe();
    // The sender lives in the state, so waiting ends only when the gate opens or everything stops.
    let _ = opened.wait_for(|open| *open).await;
    Json(json!({"gate": name, "open": true}))
}

async fn open(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Json<Value> {
    state.effects.open(&name);
    Json(json!({"gate": name, "open": true}))
}
