//! The engine through its front: what any Qdrant must answer, and what this one promises beside that.
//!
//! The conformance suite also runs against another Qdrant:
//! `QDRANT_URL=… QDRANT_API_KEY=… cargo nextest run -p noetl-engine-qdrant --run-ignored all another_server`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test says by panicking what is wrong")]

mod conformance;
mod crash;
mod measure;
mod own;
mod rebuild;
mod reopen;

use noetl_engine_qdrant::{Config, Engine, Front};
use qdrant_client::Qdrant;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// An engine on a directory of its own.
pub(crate) struct Served {
    pub(crate) engine: Engine,
    pub(crate) front: Front,
    pub(crate) directory: TempDir,
}

impl Served {
    pub(crate) async fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn on(directory: TempDir) -> Self {
        let config = Config::new(directory.path());
        Self::with(directory, config).await
    }

    pub(crate) async fn with(directory: TempDir, config: Config) -> Self {
        let engine = Engine::open(config).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = engine.serve(listener).unwrap();
        Self { engine, front, directory }
    }

    pub(crate) fn client(&self) -> Qdrant {
        client(&self.front.url, Some(&self.front.api_key))
    }

    /// Closes the engine and hands the directory on.
    pub(crate) async fn close(self) -> TempDir {
        self.engine.close().await.unwrap();
        self.directory
    }
}

pub(crate) fn client(url: &str, api_key: Option<&str>) -> Qdrant {
    let mut config =
        Qdrant::from_url(url).timeout(std::time::Duration::from_mins(1)).skip_compatibility_check();
    if let Some(api_key) = api_key {
        config = config.api_key(api_key);
    }
    config.build().unwrap()
}
