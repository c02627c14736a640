//! 382 records, each naming the next: the reference chain.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::heavy::noise;
use crate::patients::digest;
use crate::state::State;

const TOTAL: usize = 382;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/reference-chain/items", get(items))
        .route("/api/v1/reference-chain/detail/{id}", get(detail))
}

#[derive(Deserialize)]
struct Window {
    offset: Option<usize>,
    limit: Option<usize>,
}

fn item(id: usize) -> Value {
    json!({
        "id": id,
        "reference": format!("ref-{id:04}"),
        "previous_id": (id > 1).then(|| id - 1),
        "next_id": (id < TOTAL).then(|| id + 1),
        "detail_path": format!("/api/v1/reference-chain/detail/{id}"),
    })
}

async fn items(Query(query): Query<Window>) -> Json<Value> {
    let offset = query.offset.unwrap_or(0).min(TOTAL);
    let limit = query.limit.unwrap_or(TOTAL);
    let last = offset.saturating_add(limit).min(TOTAL);
    let items: Vec<Value> = (offset + 1..=last).map(item).collect();
    Json(json!({"items": items, "total": TOTAL, "offset": offset, "limit": limit, "has_more": last < TOTAL}))
}

#[derive(Deserialize)]
struct Detail {
    payload_kb: Option<usize>,
}

async fn detail(Path(id): Path<usize>, Query(query): Query<Detail>) -> Response {
    if !(1..=TOTAL).contains(&id) {
        return (StatusCode::NOT_FOUND, Json(json!({"detail": format!("no record {id}")}))).into_response();
    }
    let mut body = item(id);
    let bytes = query.payload_kb.unwrap_or(1).min(4_096) * 1_024;
    body["payload"] = json!(noise(id as u64, bytes));
    body["checksum"] = json!(format!("{:032x}", u128::from_be_bytes(digest(&format!("ref-{id:04}")))));
    Json(body).into_response()
}
