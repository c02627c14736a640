//! Thirty-five records in three styles of paging: by page, by offset, by cursor.

use std::sync::Arc;

use axum::extract::Query;
use axum::{Json, Router, routing::get};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::State;

pub(crate) const TOTAL: usize = 35;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/assessments", get(assessments))
        .route("/api/v1/users", get(users))
        .route("/api/v1/events", get(events))
}

#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) page: Option<usize>,
    #[serde(rename = "pageSize")]
    pub(crate) page_size: Option<usize>,
}

/// `{data, paging}` of one page; a page beyond the last one is empty.
pub(crate) fn assessment_page(page: usize, size: usize) -> Value {
    let (page, size) = (page.max(1), size.clamp(1, 1_000));
    let first = (page - 1).saturating_mul(size);
    let data: Vec<Value> = (first..first.saturating_add(size).min(TOTAL))
        .map(|index| {
            let id = index + 1;
            json!({"id": id, "name": format!("Assessment {id}"), "score": 50 + id % 50})
        })
        .collect();
    let has_more = first.saturating_add(size) < TOTAL;
    json!({"data": data, "paging": {"hasMore": has_more, "page": page, "pageSize": size, "total": TOTAL}})
}

async fn assessments(Query(query): Query<Page>) -> Json<Value> {
    Json(assessment_page(query.page.unwrap_or(1), query.page_size.unwrap_or(10)))
}

#[derive(Deserialize)]
struct Offset {
    offset: Option<usize>,
    limit: Option<usize>,
}

async fn users(Query(query): Query<Offset>) -> Json<Value> {
    let offset = query.offset.unwrap_or(0);
    let limit = query.limit.unwrap_or(10).clamp(1, 1_000);
    let users: Vec<Value> = (offset..offset.saturating_add(limit).min(TOTAL))
        .map(|index| {
            let id = index + 1;
            json!({"id": id, "name": format!("User {id}"), "email": format!("user{id}@example.com")})
        })
        .collect();
    let has_more = offset.saturating_add(limit) < TOTAL;
    Json(json!({"users": users, "has_more": has_more, "offset": offset, "limit": limit, "total": TOTAL}))
}

#[derive(Deserialize)]
struct Cursor {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// The cursor is the base64 text of the page number; anything else starts again at page one.
async fn events(Query(query): Query<Cursor>) -> Json<Value> {
    let limit = query.limit.unwrap_or(10).clamp(1, 1_000);
    let page = query
        .cursor
        .and_then(|cursor| BASE64.decode(cursor).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(1)
        .max(1);
    let first = (page - 1).saturating_mul(limit);
    let events: Vec<Value> = (first..first.saturating_add(limit).min(TOTAL))
        .map(|index| {
            let id = index + 1;
            json!({"id": id, "event_id": id, "type": "test_event", "event_type": "test_event", "name": format!("Event {id}")})
        })
        .collect();
    let more = first.saturating_add(limit) < TOTAL;
    let next = more.then(|| BASE64.encode((page + 1).to_string()));
    Json(json!({"events": events, "next_cursor": next, "limit": limit}))
}
