//! Token endpoints, and `GET /whoami`, which says what kind of token came without saying it back.

use std::sync::{Arc, Mutex};

use axum::extract::{Form, Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::{State, lock};

/// The application that may ask for tokens.
pub const CLIENT: (&str, &str) = ("client-7", "client-secret-3fa91c");

/// Every token given out, with its kind.
#[derive(Debug, Default)]
pub(crate) struct Issued(Mutex<Vec<(String, String)>>);

impl Issued {
    pub(crate) fn issue(&self, kind: &str) -> String {
        let mut issued = lock(&self.0);
        let token = format!("issued-{}-{}-quiet-river", kind.replace([' ', '/', ':'], "."), issued.len());
        issued.push((token.clone(), kind.to_owned()));
        token
    }

    /// Remembers a token that was made elsewhere.
    pub(crate) fn keep(&self, token: String, kind: &str) {
        lock(&self.0).push((token, kind.to_owned()));
    }

    /// Kind and number of a token.
    pub(crate) fn kind(&self, token: &str) -> Option<(usize, String)> {
        let issued = lock(&self.0);
        let number = issued.iter().position(|(known, _)| known == token)?;
        Some((number, issued[number].1.clone()))
    }

    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.0).iter().map(|(token, _)| token.clone()).collect()
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/oauth/token", post(oauth))
        .route("/azure/{tenant}/oauth2/v2.0/token", post(azure))
        .route("/vault/v1/auth/approle/login", post(approle))
}

pub(crate) fn bearer(headers: &HeaderMap) -> &str {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default()
}

async fn whoami(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    match state.tokens.kind(bearer(&headers)) {
        Some((number, kind)) => Json(json!({"number": number, "kind": kind})).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

#[derive(Deserialize)]
struct Shape {
    #[serde(default = "access_token")]
    token_field: String,
    #[serde(default = "expires_in")]
    ttl_field: String,
    #[serde(default)]
    life: Option<u32>,
}

fn access_token() -> String {
    "access_token".into()
}

fn expires_in() -> String {
    "expires_in".into()
}

#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

/// Client credentials, as Basic or in the form; the fields of the answer are called what the query says.
async fn oauth(
    Shared(state): Shared<Arc<State>>,
    Query(shape): Query<Shape>,
    headers: HeaderMap,
    Form(grant): Form<Grant>,
) -> Response {
    let basic = format!("Basic {}", BASE64.encode(format!("{}:{}", CLIENT.0, CLIENT.1)));
    let by_header =
        headers.get(header::AUTHORIZATION).is_some_and(|given| given.as_bytes() == basic.as_bytes());
    if grant.grant_type != "client_credentials" || !(by_header || is_client(&grant)) {
        let body = json!({"error": "invalid_client", "error_description": "the client is not known"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let mut answer = json!({ "token_type": "Bearer" });
    answer[shape.token_field] = state.tokens.issue("oauth").into();
    answer[shape.ttl_field] = shape.life.unwrap_or(3600).into();
    Json(answer).into_response()
}

fn is_client(grant: &Grant) -> bool {
    (grant.client_id.as_deref(), grant.client_secret.as_deref()) == (Some(CLIENT.0), Some(CLIENT.1))
}

async fn azure(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    Form(grant): Form<Grant>,
) -> Response {
    let scope = grant.scope.as_deref();
    if tenant != "tenant-1" || !is_client(&grant) || scope != Some("https://vault.azure.net/.default") {
        let body =
            json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    Json(json!({"token_type": "Bearer", "expires_in": 3599, "access_token": state.tokens.issue("azure")}))
        .into_response()
}

async fn approle(Shared(state): Shared<Arc<State>>, Json(body): Json<Value>) -> Response {
    if body != json!({"role_id": CLIENT.0, "secret_id": CLIENT.1}) {
        return (StatusCode::BAD_REQUEST, Json(json!({"errors": ["invalid role or secret ID"]})))
            .into_response();
    }
    Json(json!({"auth": {"client_token": state.tokens.issue("vault"), "lease_duration": 3600}}))
        .into_response()
}
