//! Google's token endpoint: checks the signed claim of the one account that it knows.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Form, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::State;

/// Made for this service; it opens nothing else.
const KEY: &str = include_str!("../keys/account.pem");
const EMAIL: &str = "robot@demo.iam.gserviceaccount.com";

/// The account's JSON, as Google's console hands it out; tokens come from this service.
pub(crate) fn account(url: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "demo",
        "private_key_id": "key-1",
        "private_key": KEY,
        "client_email": EMAIL,
        "token_uri": format!("{url}/google/token"),
    })
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/google/token", post(token))
        .route("/computeMetadata/v1/instance/service-accounts/default/token", get(metadata))
}

#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    #[serde(default)]
    assertion: String,
    #[serde(default)]
    refresh_token: String,
}

async fn token(Shared(state): Shared<Arc<State>>, headers: HeaderMap, Form(grant): Form<Grant>) -> Response {
    if grant.grant_type == "refresh_token" && grant.refresh_token == "refresh-me-5521" {
        return Json(json!({"access_token": state.tokens.issue("google-user"), "expires_in": 3599}))
            .into_response();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let claims = match claims(&grant, &format!("http://{host}/google/token")) {
        Ok(claims) => claims,
        Err(reason) => {
            let body = json!({"error": "invalid_grant", "error_description": reason});
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
    };
    if let Some(audience) = claims["target_audience"].as_str() {
        let body = json!({"aud": audience, "exp": now() + 3600, "number": state.tokens.all().len()});
        let token = format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(body.to_string()));
        state.tokens.keep(token.clone(), &format!("google-id for {audience}"));
        return Json(json!({"id_token": token})).into_response();
    }
    let scope = claims["scope"].as_str().unwrap_or_default();
    // A scope of this name stands for a token that has ended when it arrives.
    let life = if scope.contains("short-lived") { 0 } else { 3599 };
    let token = state.tokens.issue(&format!("google for {scope}"));
    Json(json!({"access_token": token, "expires_in": life, "token_type": "Bearer"})).into_response()
}

fn claims(grant: &Grant, me: &str) -> Result<Value, &'static str> {
    if grant.grant_type != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        return Err("the grant type is not known");
    }
    let mut parts = grant.assertion.split('.');
    let (Some(header), Some(body), Some(proof), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("the assertion is no JWT");
    };
    let read = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "a part is not base64url");
    let json = |part: &str| serde_json::from_slice::<Value>(&read(part)?).map_err(|_| "a part is not JSON");
    if json(header)? != json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}) {
        return Err("the header is wrong");
    }
    let signed = format!("{header}.{body}");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key()?);
    public.verify(signed.as_bytes(), &read(proof)?).map_err(|_| "Invalid JWT Signature.")?;
    let claims = json(body)?;
    let (made, ends) = (claims["iat"].as_u64().unwrap_or(0), claims["exp"].as_u64().unwrap_or(0));
    let is_timely = made <= now() + 60 && ends > now() && ends - made <= 3600;
    if claims["iss"] != EMAIL || claims["aud"] != me || !is_timely {
        return Err("the issuer, the audience or the times are wrong");
    }
    Ok(claims)
}

fn public_key() -> Result<Vec<u8>, &'static str> {
    let text: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(text).map_err(|_| "the key is not PEM")?;
    let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| "the key is not RSA")?;
    Ok(pair.public_key().as_ref().to_vec())
}

/// A machine's own identity.
async fn metadata(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    if headers.get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
        return StatusCode::FORBIDDEN.into_response();
    }
    Json(json!({"access_token": state.tokens.issue("google-machine"), "expires_in": 3599})).into_response()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
