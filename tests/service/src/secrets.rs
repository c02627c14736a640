//! Secret providers, each in the words of its own API. They refuse wrong tokens and requests of the wrong shape.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::signature;
use crate::state::State;
use crate::tokens::bearer;

/// The token that Vault and Kubernetes accept.
pub const TOKEN: &str = "provider-token-81c2aa";
/// What lies under `app/db` in every provider.
pub const PASSWORD: &str = "provider-password-5d07fe";
/// And what lay there before.
pub const OLD_PASSWORD: &str = "provider-password-0ld111";

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/vault/v1/{*path}", get(vault))
        .route("/gcp/v1/{*path}", get(gcp))
        .route("/aws", post(aws))
        .route("/azure/secrets/{name}", get(azure_latest))
        .route("/azure/secrets/{name}/{version}", get(azure))
        .route("/k8s/api/v1/namespaces/{namespace}/secrets/{name}", get(k8s))
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, Json(body)).into_response()
}

async fn vault(
    Shared(state): Shared<Arc<State>>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let token = headers.get("x-vault-token").and_then(|token| token.to_str().ok()).unwrap_or_default();
    if token != TOKEN && state.tokens.kind(token).is_none_or(|(_, kind)| kind != "vault") {
        return answer(StatusCode::FORBIDDEN, json!({"errors": ["permission denied"]}));
    }
    let password =
        if query.get("version").is_some_and(|version| version == "1") { OLD_PASSWORD } else { PASSWORD };
    let secret = json!({"user": "ada", "password": password});
    match path.as_str() {
        "secret/data/app/db" => {
            answer(StatusCode::OK, json!({"data": {"data": secret, "metadata": {"version": 2}}}))
        }
        "kv/app/db" => answer(StatusCode::OK, json!({"data": secret, "lease_duration": 2_764_800})),
        "secret/data/app/single" => answer(StatusCode::OK, json!({"data": {"data": {"only": PASSWORD}}})),
        _ => answer(StatusCode::NOT_FOUND, json!({"errors": []})),
    }
}

async fn gcp(Shared(state): Shared<Arc<State>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    if state.tokens.kind(bearer(&headers)).is_none_or(|(_, kind)| !kind.starts_with("google")) {
        let message = "Permission 'secretmanager.versions.access' denied";
        return answer(StatusCode::FORBIDDEN, json!({"error": {"code": 403, "message": message}}));
    }
    let password = match path.as_str() {
        "projects/demo/secrets/app-db/versions/latest:access" => PASSWORD,
        "projects/demo/secrets/app-db/versions/1:access" => OLD_PASSWORD,
        _ => {
            let message = format!("Secret [{path}] not found or has no versions.");
            return answer(StatusCode::NOT_FOUND, json!({"error": {"code": 404, "message": message}}));
        }
    };
    answer(StatusCode::OK, json!({"name": path, "payload": {"data": BASE64.encode(password)}}))
}

async fn aws(headers: HeaderMap, body: Bytes) -> Response {
    let refuse = |kind: &str, message: &str| {
        answer(StatusCode::BAD_REQUEST, json!({"__type": kind, "Message": message}))
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shape = (header("x-amz-target"), header("content-type"));
    if shape != ("secretsmanager.GetSecretValue", "application/x-amz-json-1.1") {
        return refuse("UnknownOperationException", "");
    }
    if let Err(reason) = signature::check("POST", "/aws", "secretsmanager", &headers, &body) {
        return refuse("InvalidSignatureException", reason);
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let password = match (asked["SecretId"].as_str(), asked["VersionStage"].as_str()) {
        (Some("app/db"), None) => PASSWORD,
        (Some("app/db"), Some("AWSPREVIOUS")) => OLD_PASSWORD,
        (Some("app/locked"), _) => {
            return refuse("AccessDeniedException", "not authorized to perform GetSecretValue");
        }
        _ => return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    };
    answer(
        StatusCode::OK,
        json!({"Name": "app/db", "SecretString": json!({"password": password}).to_string()}),
    )
}

async fn azure_latest(
    state: Shared<Arc<State>>,
    Path(name): Path<String>,
    query: Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    azure(state, Path((name, String::new())), query, headers).await
}

async fn azure(
    Shared(state): Shared<Arc<State>>,
    Path((name, version)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if state.tokens.kind(bearer(&headers)).is_none_or(|(_, kind)| kind != "azure") {
        return answer(
            StatusCode::UNAUTHORIZED,
            json!({"error": {"code": "Unauthorized", "message": "AKV10032: Invalid issuer"}}),
        );
    }
    if query.get("api-version").is_none_or(|version| version != "7.4") {
        return answer(
            StatusCode::BAD_REQUEST,
            json!({"error": {"message": "api-version must be specified"}}),
        );
    }
    match (name.as_str(), version.as_str()) {
        ("app-db", "") => answer(StatusCode::OK, json!({"value": PASSWORD, "id": "app-db/2"})),
        ("app-db", "1") => answer(StatusCode::OK, json!({"value": OLD_PASSWORD, "id": "app-db/1"})),
        _ => {
            let message = format!("A secret with (name/id) {name} was not found in this key vault.");
            answer(StatusCode::NOT_FOUND, json!({"error": {"code": "SecretNotFound", "message": message}}))
        }
    }
}

async fn k8s(Path((namespace, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if bearer(&headers) != TOKEN {
        let message = format!("secrets \"{name}\" is forbidden");
        return answer(StatusCode::FORBIDDEN, json!({"kind": "Status", "message": message}));
    }
    if (namespace.as_str(), name.as_str()) != ("apps", "db") {
        let message = format!("secrets \"{name}\" not found");
        return answer(StatusCode::NOT_FOUND, json!({"kind": "Status", "message": message}));
    }
    let data = json!({"user": BASE64.encode("ada"), "password": BASE64.encode(PASSWORD)});
    answer(StatusCode::OK, json!({"kind": "Secret", "data": data}))
}
