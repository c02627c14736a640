//! A hundred items with large payloads, to move a lot of data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Query, State as Shared};
use axum::{Json, Router, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::State;

const TOTAL: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Heavy {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Heavy {
    pub(crate) fn reset(&self) {
        self.requests.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route("/api/v1/heavy", get(heavy)).route("/api/v1/heavy/stats", get(stats))
}

#[derive(Deserialize)]
struct HeavyQuery {
    page: Option<usize>,
    #[serde(rename = "pageSize")]
    page_size: Option<usize>,
    payload_kb: Option<usize>,
}

/// Text that does not compress away: a small generator seeded by the item.
pub(crate) fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..bytes)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b'a' + (state % 26) as u8)
        })
        .collect()
}

async fn heavy(Shared(state): Shared<Arc<State>>, Query(query): Query<HeavyQuery>) -> Json<Value> {
    let page = query.page.unwrap_or(1).max(1);
    let size = query.page_size.unwrap_or(10).clamp(1, TOTAL);
    let bytes = query.payload_kb.unwrap_or(1).min(4_096) * 1_024;
    let first = (page - 1).saturating_mul(size);
    let last = first.saturating_add(size).min(TOTAL);
    let data: Vec<Value> = (first..last)
        .map(|index| json!({"id": index + 1, "name": format!("Item {}", index + 1), "payload": noise(index as u64 + 1, bytes)}))
        .collect();
    state.heavy.requests.fetch_add(1, Ordering::Relaxed);
    state.heavy.bytes.fetch_add((data.len() * bytes) as u64, Ordering::Relaxed);
    Json(
        json!({"data": data, "paging": {"hasMore": last < TOTAL, "page": page, "pageSize": size, "total": TOTAL}}),
    )
}

async fn stats(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!({
        "requests": state.heavy.requests.load(Ordering::Relaxed),
        "bytes": state.heavy.bytes.load(Ordering::Relaxed),
    }))
}
