//! Patient records: a number of pages that follows from the patient's id, and deterministic content.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::rate;
use crate::state::State;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/patient-records", get(records))
        .route("/api/v1/patient/demographics", get(demographics))
        .route("/api/v1/patient/{kind}", get(one_kind))
        .route("/api/v1/pft/patients", get(patients))
        .route("/api/v1/pft/patients/{id}", get(patient))
        .route("/api/v1/mds/patients", get(patients))
        .route("/api/v1/mds/assessments", get(mds_assessments))
}

pub(crate) fn digest(text: &str) -> [u8; 16] {
    Md5::digest(text.as_bytes()).into()
}

/// The digest, read as one big-endian number, modulo `divisor`.
pub(crate) fn digest_mod(text: &str, divisor: u64) -> u64 {
    digest(text).iter().fold(0, |rest, byte| (rest * 256 + u64::from(*byte)) % divisor)
}

fn page_count(text: &str, (min, max): (u64, u64)) -> u64 {
    min + digest_mod(text, max - min + 1)
}

#[derive(Deserialize)]
struct Patient {
    #[serde(rename = "patientId", alias = "patient_id")]
    patient_id: Option<String>,
    page: Option<u64>,
    #[serde(rename = "pageSize")]
    page_size: Option<u64>,
}

fn refuse(status: StatusCode, text: impl Into<String>) -> Response {
    (status, Json(json!({"detail": text.into()}))).into_response()
}

/// 2 to 5 pages, slow and rate-limited as the options say.
async fn records(Shared(state): Shared<Arc<State>>, Query(query): Query<Patient>) -> Response {
    let Some(id) = query.patient_id else {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "patientId is required");
    };
    if !state.rate.admit("patient-records", state.options.patient_rate) {
        return rate::too_many();
    }
    let page = query.page.unwrap_or(1).max(1);
    let (least, most) = state.options.patient_delay;
    let spread = most.saturating_sub(least).as_millis() as u64;
    let extra = digest_mod(&format!("{id}:{page}:delay"), spread + 1);
    tokio::time::sleep(least + Duration::from_millis(extra)).await;

    let pages = page_count(&id, (2, 5));
    let size = query.page_size.unwrap_or(10).clamp(1, 100);
    if page > pages {
        return refuse(StatusCode::NOT_FOUND, format!("patient {id} has {pages} pages"));
    }
    let data: Vec<Value> = (0..size)
        .map(|index| {
            let number = (page - 1) * size + index + 1;
            json!({"id": format!("{id}-{number}"), "patientId": id, "record": number, "value": digest_mod(&format!("{id}:{number}"), 1_000)})
        })
        .collect();
    Json(json!({
        "patientId": id,
        "data": data,
        "paging": {"hasMore": page < pages, "page": page, "pageSize": size, "totalPages": pages, "total": pages * size},
    }))
    .into_response()
}

async fn one_kind(Path(kind): Path<String>, Query(query): Query<Patient>) -> Response {
    let range = match kind.as_str() {
        "assessments" => (2, 4),
        "conditions" => (1, 3),
        "medications" => (2, 3),
        "vital_signs" => (1, 1),
        _ => return refuse(StatusCode::NOT_FOUND, format!("no records of kind {kind}")),
    };
    let Some(id) = query.patient_id else {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "patientId is required");
    };
    let pages = page_count(&format!("{id}:{kind}"), range);
    let page = query.page.unwrap_or(1).max(1);
    if page > pages {
        return refuse(StatusCode::NOT_FOUND, format!("{kind} of patient {id} have {pages} pages"));
    }
    let value = digest_mod(&format!("{id}:{kind}:{page}"), 1_000);
    let record = json!({"id": format!("{id}-{kind}-{page}"), "patientId": id, "type": kind, "page": page, "value": value});
    let paging = json!({"hasMore": page < pages, "page": page, "pageSize": query.page_size.unwrap_or(1), "totalPages": pages, "total": pages});
    Json(json!({"patientId": id, "data": [record], "paging": paging})).into_response()
}

async fn demographics(Query(query): Query<Patient>) -> Response {
    let Some(id) = query.patient_id else {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "patientId is required");
    };
    Json(demographics_of(&id)).into_response()
}

fn demographics_of(id: &str) -> Value {
    let age = 18 + digest_mod(&format!("{id}:age"), 80);
    let gender = if digest_mod(&format!("{id}:gender"), 2) == 0 { "female" } else { "male" };
    json!({
        "patientId": id,
        "data": {"patientId": id, "name": format!("Patient {id}"), "age": age, "gender": gender, "facility": digest_mod(id, 10) + 1},
    })
}

#[derive(Deserialize)]
struct Window {
    offset: Option<u64>,
    limit: Option<u64>,
    total: Option<u64>,
}

/// A list of patient ids, for playbooks that fill their own work queue.
async fn patients(Query(query): Query<Window>) -> Json<Value> {
    let total = query.total.unwrap_or(100).min(100_000);
    let offset = query.offset.unwrap_or(0).min(total);
    let limit = query.limit.unwrap_or(100);
    let last = offset.saturating_add(limit).min(total);
    let ids: Vec<Value> =
        (offset + 1..=last).map(|id| json!({"patient_id": id, "name": format!("Patient {id}")})).collect();
    Json(json!({"patients": ids, "has_more": last < total, "offset": offset, "limit": limit, "total": total}))
}

async fn patient(Path(id): Path<String>) -> Json<Value> {
    Json(demographics_of(&id))
}

async fn mds_assessments(Query(query): Query<Patient>) -> Response {
    one_kind(Path("assessments".to_owned()), Query(query)).await
}
