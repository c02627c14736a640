//! The real engine with the built-in embedder, for tests.

use noetl_engine_qdrant::{Config, Engine};
use tokio::net::TcpListener;

use super::Vectors;
use crate::embedding::{Embedder, Opened};

/// An engine of its own in a directory of its own.
pub(crate) struct Store {
    pub(crate) vectors: Vectors,
    engine: Option<Engine>,
    directory: tempfile::TempDir,
}

impl Store {
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (engine, vectors) = open(directory.path()).await;
        Self { vectors, engine: Some(engine), directory }
    }

    /// Closes the engine and opens it again over the same files.
    pub(crate) async fn reopen(&mut self) {
        self.close().await;
        let (engine, vectors) = open(self.directory.path()).await;
        (self.engine, self.vectors) = (Some(engine), vectors);
    }

    pub(crate) async fn close(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.close().await.unwrap();
        }
    }
}

async fn open(directory: &std::path::Path) -> (Engine, Vectors) {
    let engine = Engine::open(Config::new(directory)).await.unwrap();
    let front = engine.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let embedder = Embedder::builtin();
    let name = embedder.identity().key();
    let opened = Opened { embedder: Some(embedder), name, note: None };
    let vectors = Vectors::new(&front.url, &front.api_key, opened).unwrap();
    vectors.prepare().await.unwrap();
    (engine, vectors)
}
