//! The HTTP front: its users, its life, its routes.

mod access;
mod answer;
mod encoding;
mod request;
mod run;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::engine::{Engine, Shared};

pub use access::{Access, User};

/// Statements longer than this are refused; the data of an INSERT has no limit.
pub(crate) const STATEMENT_LIMIT: usize = 16 << 20;

/// Requests of each user that are carried out at once; the others wait their turn.
const AT_ONCE: usize = 32;

/// How long `close` lets running requests end by themselves.
const GRACE: Duration = Duration::from_secs(5);

/// The running front.
#[derive(Debug)]
pub struct Front {
    pub address: SocketAddr,
    pub access: Access,
    state: Arc<State>,
    server: AbortOnDropHandle<()>,
}

#[derive(Debug)]
pub(crate) struct State {
    shared: Arc<Shared>,
    access: Access,
    /// The owner's and the reader's, so that slow readers cannot keep the owner out.
    turns: [Arc<Semaphore>; 2],
    /// No new requests.
    closing: CancellationToken,
    /// Running ones end too.
    ending: CancellationToken,
    /// Work of requests; it outlives a request whose client went away.
    tasks: TaskTracker,
}

impl Engine {
    /// Answers on the listener until the front is closed or dropped.
    pub fn serve(self, listener: TcpListener, access: Access) -> std::io::Result<Front> {
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            shared: Arc::clone(&self.shared),
            access: access.clone(),
            turns: [AT_ONCE, AT_ONCE].map(|turns| Arc::new(Semaphore::new(turns))),
            closing: CancellationToken::new(),
            ending: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        let routes = routes(Arc::clone(&state));
        let closing = state.closing.clone();
        let server = tokio::spawn(async move {
            let served = axum::serve(listener, routes).with_graceful_shutdown(closing.cancelled_owned());
            if let Err(error) = served.await {
                tracing::error!(%error, "the ClickHouse front has stopped");
            }
        });
        Ok(Front { address, access, state, server: AbortOnDropHandle::new(server) })
    }
}

fn routes(state: Arc<State>) -> Router {
    let alive = || async { "Ok.\n" };
    Router::new()
        .route("/", get(run::handle).post(run::handle))
        .route("/ping", get(alive))
        .route("/replicas_status", get(alive))
        .layer(DefaultBodyLimit::max(STATEMENT_LIMIT))
        .with_state(state)
}

impl Front {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets running requests end, ends those that do not within a few seconds, and closes the engine.
    pub async fn close(mut self) {
        self.state.closing.cancel();
        self.state.tasks.close();
        let ended = async {
            // The server waits for its connections, the tracker for the work behind them.
            let _ = (&mut self.server).await;
            self.state.tasks.wait().await;
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            self.state.ending.cancel();
            self.state.tasks.wait().await;
        }
        let shared = Arc::clone(&self.state.shared);
        let closed = tokio::task::spawn_blocking(move || shared.close());
        if let Err(error) = closed.await {
            tracing::error!(%error, "the ClickHouse engine did not close");
        }
    }
}

impl Drop for Front {
    /// Without waiting: connections and queries end soon, and the engine with the last of them.
    fn drop(&mut self) {
        self.state.closing.cancel();
        self.state.ending.cancel();
    }
}
