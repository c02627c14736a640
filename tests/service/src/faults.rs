//! Answers that a test chooses and changes: today's good one, tomorrow's fault, at the same address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::any};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::{State, lock};

/// How one address answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// None: 200.
    pub status: Option<u16>,
    pub json: Option<Value>,
    /// In place of JSON.
    pub text: Option<String>,
    pub content_type: Option<String>,
    pub delay_seconds: f64,
    pub headers: HashMap<String, String>,
    /// Answers of the first requests; then this one.
    pub first: Vec<Answer>,
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<HashMap<String, Answer>>);

impl Faults {
    pub(crate) fn set(&self, name: &str, answer: Answer) {
        lock(&self.0).insert(name.to_owned(), answer);
    }

    /// The answer of this request.
    fn next(&self, name: &str) -> Option<Answer> {
        let mut answers = lock(&self.0);
        let answer = answers.get_mut(name)?;
        if answer.first.is_empty() { Some(answer.clone()) } else { Some(answer.first.remove(0)) }
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route("/fault/{*name}", any(answer))
}

async fn answer(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    let Some(answer) = state.faults.next(&name) else {
        return (StatusCode::NOT_FOUND, Json(json!({"detail": format!("nothing at {name}")})))
            .into_response();
    };
    if answer.delay_seconds > 0.0 {
        tokio::time::sleep(Duration::from_secs_f64(answer.delay_seconds)).await;
    }
    let status = answer.status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
    let mut response = match (answer.text, answer.json) {
        (Some(text), _) => (status, text).into_response(),
        (None, json) => (status, Json(json.unwrap_or_else(|| json!({})))).into_response(),
    };
    let named = answer.headers.iter().filter_map(|(name, value)| {
        Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
    });
    response.headers_mut().extend(named);
    if let Some(value) = answer.content_type.and_then(|text| text.parse::<HeaderValue>().ok()) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}
