//! The HTTP service that real playbooks are written against, on a free loopback port.
//!
//! It answers like the public test servers of NoETL playbooks: pages in three styles, errors on demand, overlap
//! counters, patient records, and the few outside hosts that playbooks call (posts, echo, weather).
//! Every [`Service`] counts its own requests, so tests that run side by side do not disturb each other.
//! It leaves out everything about NoETL: tests talk to the product by themselves.

mod chain;
mod concurrency;
mod documents;
mod echo;
mod effects;
mod errors;
mod faults;
mod flaky;
mod google;
mod heavy;
mod hits;
mod pages;
mod patients;
mod posts;
mod rate;
mod scripts;
mod secrets;
mod signature;
mod state;
mod tokens;
mod weather;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Json, Router, middleware, routing::get};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use crate::faults::Answer;
pub use crate::hits::Hit;
pub use crate::secrets::{OLD_PASSWORD, PASSWORD, TOKEN};
pub use crate::signature::KEY as AWS_KEY;
pub use crate::state::Options;
use crate::state::State;
pub use crate::tokens::CLIENT;

/// A running service; it stops when it is dropped.
#[derive(Debug)]
pub struct Service {
    /// Such as `http://127.0.0.1:40123`, without a trailing slash.
    pub url: String,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl Service {
    /// Starts on a free loopback port, without artificial delays.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), Options::default()).await
    }

    pub async fn start_at(address: SocketAddr, options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(State::new(options));
        let app = router(Arc::clone(&state));
        let server = tokio::spawn(async move {
            // Serving ends only when the listener fails, and then every test that uses it says so.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, state, server })
    }

    /// How many requests `METHOD /path` had, without its query.
    pub fn count(&self, method_and_path: &str) -> usize {
        self.state.hits.count(method_and_path)
    }

    /// Waits until `METHOD /path` was asked for.
    pub async fn came(&self, method_and_path: &str) {
        self.state.hits.came(method_and_path).await;
    }

    /// The requests so far, oldest first.
    pub fn hits(&self) -> Vec<Hit> {
        self.state.hits.all()
    }

    /// How often `POST /effects/{key}` was called.
    pub fn effects(&self, key: &str) -> usize {
        self.state.effects.count(key)
    }

    /// Chooses how `/fault/{name}` answers from now on.
    pub fn answer(&self, name: &str, answer: Answer) {
        self.state.faults.set(name, answer);
    }

    /// A Google service account whose tokens come from this service.
    pub fn google_account(&self) -> serde_json::Value {
        google::account(&self.url)
    }

    /// Every token given out so far.
    pub fn tokens(&self) -> Vec<String> {
        self.state.tokens.all()
    }

    /// Every effect key with its count.
    pub fn all_effects(&self) -> Vec<(String, usize)> {
        self.state.effects.all()
    }

    /// Lets `GET /gate/{name}` answer, now and from now on.
    pub fn open_gate(&self, name: &str) {
        self.state.effects.open(name);
    }

    /// Forgets every counter.
    pub fn reset(&self) {
        self.state.reset();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/health", get(async || Json(json!({"status": "ok"}))))
        .route("/api/health", get(async || Json(json!({"status": "ok"}))))
        .merge(pages::router())
        .merge(flaky::router())
        .merge(errors::router())
        .merge(faults::router())
        .merge(rate::router())
        .merge(heavy::router())
        .merge(chain::router())
        .merge(concurrency::router())
        .merge(patients::router())
        .merge(posts::router())
        .merge(echo::router())
        .merge(weather::router())
        .merge(effects::router())
        .merge(google::router())
        .merge(tokens::router())
        .merge(secrets::router())
        .merge(scripts::router())
        .merge(documents::router())
        .merge(hits::router())
        .layer(middleware::from_fn_with_state(Arc::clone(&state), hits::record))
        .with_state(state)
}

#[cfg(test)]
mod tests;
