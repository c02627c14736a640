//! A hundred posts of ten users, as the well-known placeholder service has them.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::State;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/posts", get(list).post(create))
        .route("/posts/{id}", get(one).put(replace).delete(remove))
        .route("/users", get(async || Json((1..=10).map(user).collect::<Vec<_>>())))
        .route("/users/{id}", get(one_user))
}

/// The body holds a line break and a quote, because playbooks put it into SQL.
fn post(id: u64) -> Value {
    json!({"userId": (id - 1) / 10 + 1, "id": id, "title": format!("Post {id}"), "body": format!("It's the body\nof post {id}")})
}

fn user(id: u64) -> Value {
    json!({"id": id, "name": format!("User {id}"), "username": format!("user{id}"), "email": format!("user{id}@example.com")})
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({}))).into_response()
}

#[derive(Deserialize)]
struct Filter {
    #[serde(rename = "userId")]
    user: Option<u64>,
    #[serde(rename = "_limit")]
    limit: Option<usize>,
}

async fn list(Query(filter): Query<Filter>) -> Json<Vec<Value>> {
    let of_user = |id: &u64| filter.user.is_none_or(|user| (*id - 1) / 10 + 1 == user);
    Json((1..=100).filter(of_user).take(filter.limit.unwrap_or(100)).map(post).collect())
}

async fn one(Path(id): Path<u64>) -> Response {
    if (1..=100).contains(&id) { Json(post(id)).into_response() } else { missing() }
}

async fn one_user(Path(id): Path<u64>) -> Response {
    if (1..=10).contains(&id) { Json(user(id)).into_response() } else { missing() }
}

async fn create(Json(mut body): Json<Value>) -> Response {
    if let Some(fields) = body.as_object_mut() {
        fields.insert("id".to_owned(), json!(101));
    }
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn replace(Path(id): Path<u64>, Json(mut body): Json<Value>) -> Json<Value> {
    if let Some(fields) = body.as_object_mut() {
        fields.insert("id".to_owned(), json!(id));
    }
    Json(body)
}

async fn remove(Path(_): Path<u64>) -> Json<Value> {
    Json(json!({}))
}
