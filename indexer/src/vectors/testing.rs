//! The real engine with the built-in embedder, for tests.

use noetl_engine_qdrant::{Config, Engine};
use tokio::net::TcpListener;

use super::Vectors;
use super::kind::Kind;
use super::read::Whole;
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
        let (engine, vectors) = open(directory.path(), Some(Embedder::builtin())).await;
        Self { vectors, engine: Some(engine), directory }
    }

    /// Closes the engine and opens it again over the same files.
    pub(crate) async fn reopen(&mut self) {
        self.reopen_with(Some(Embedder::builtin())).await;
    }

    /// As [`Self::reopen`], with another embedder.
    pub(crate) async fn reopen_with(&mut self, embedder: Option<Embedder>) {
        self.close().await;
        let (engine, vectors) = open(self.directory.path(), embedder).await;
        (self.engine, self.vectors) = (Some(engine), vectors);
    }

    /// Deletes every file, as somebody might.
    pub(crate) async fn lose(&mut self) {
        self.close().await;
        self.directory = tempfile::tempdir().unwrap();
        self.reopen().await;
    }

    /// Everything that is known of a kind, vectors included.
    pub(crate) async fn all(&self, kind: Kind) -> Vec<Whole> {
        let collection = self.vectors.collection(kind);
        let (mut all, mut from) = (Vec::new(), None);
        loop {
            let (page, next) = self.vectors.whole_page(&collection, from, 500).await.unwrap();
            all.extend(page);
            from = next;
            if from.is_none() {
                return all;
            }
        }
    }

    pub(crate) async fn close(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.close().await.unwrap();
        }
    }
}

async fn open(directory: &std::path::Path, embedder: Option<Embedder>) -> (Engine, Vectors) {
    let engine = Engine::open(Config::new(directory)).await.unwrap();
    let front = engine.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let name = embedder.as_ref().map_or_else(|| "none".to_owned(), |embedder| embedder.identity().key());
    let opened = Opened { embedder, name, note: None };
    let vectors = Vectors::new(&front.url, &front.api_key, opened).unwrap();
    vectors.prepare().await.unwrap();
    (engine, vectors)
}
