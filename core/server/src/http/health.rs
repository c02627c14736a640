//! Is it up, and how is it.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use noetl_api::health::{Alive, Health};

use super::Services;
use crate::store::EventStore;

/// The process answers.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Alive)))]
pub(super) async fn alive() -> Answer<Alive> {
    Answer(Alive { status: "ok".to_owned() })
}

/// The process and its store answer.
#[utoipa::path(get, path = "/api/health", tag = "health",
    responses((status = 200, body = Health), (status = 503, description = "The store does not answer", body = Health)))]
pub(super) async fn health(State(services): State<Services>) -> (StatusCode, Answer<Health>) {
    let database = services.store.head().await;
    let (status, word) = match &database {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "degraded")
        }
    };
    let health = Health {
        status: word.to_owned(),
        database: if database.is_ok() { "ok" } else { "error" }.to_owned(),
        bus: services.config.bus.clone(),
        nats: if services.config.bus == "nats" { "ok" } else { "none" }.to_owned(),
        uptime_seconds: services.metrics.uptime_seconds(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    (status, Answer(health))
}
