//! The vector store and the embedder: a Qdrant server, or the engine in this process.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use noetl_engine_qdrant::Engine;
use noetl_indexer::Semantic;
use noetl_indexer::embedding;
use noetl_indexer::vectors::Vectors;
use tokio::net::TcpListener;

use super::directory;
use crate::context::Context;

/// Where the vector store is, and what makes vectors.
pub(super) struct Plan {
    store: Store,
    embedder: embedding::Config,
}

enum Store {
    Server { url: String, key: String },
    Engine { directory: PathBuf },
}

impl Plan {
    pub(super) fn of(context: &Context) -> Self {
        let settings = &context.config.indexer;
        let store = if settings.qdrant.is_empty() {
            Store::Engine { directory: directory(context).join("qdrant") }
        } else {
            Store::Server { url: settings.qdrant.clone(), key: settings.qdrant_key.clone() }
        };
        let embedder = settings.embedding.clone().or_from_environment(|name| std::env::var_os(name));
        Self { store, embedder }
    }

    /// Tells the layer what became of it; the engine, when it is ours, is to be closed.
    pub(super) async fn open(self, semantic: &Semantic) -> Option<Engine> {
        let Self { store, embedder } = self;
        let (opened, store) = tokio::join!(embedding::open(&embedder), address(store));
        let mut engine = None;
        let vectors = store.and_then(|address| {
            engine = address.engine;
            Ok(Vectors::new(&address.url, &address.key, opened)?)
        });
        let vectors = vectors.map_err(|error| format!("{error:#}"));
        if let Err(reason) = &vectors {
            tracing::info!(%reason, "search is off");
        }
        semantic.set_vectors(vectors);
        engine
    }
}

struct Address {
    url: String,
    key: String,
    engine: Option<Engine>,
}

async fn address(store: Store) -> anyhow::Result<Address> {
    match store {
        Store::Server { url, key } => Ok(Address { url, key, engine: None }),
        Store::Engine { directory } => {
            let (engine, url, key) = engine(&directory).await?;
            Ok(Address { url, key, engine: Some(engine) })
        }
    }
}

async fn engine(directory: &Path) -> anyhow::Result<(Engine, String, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("the vector store cannot listen")?;
    let engine = Engine::open(noetl_engine_qdrant::Config::new(directory)).await?;
    for damaged in engine.set_aside() {
        tracing::warn!(?damaged, "a damaged collection was set aside");
    }
    let front = engine.serve(listener).context("cannot serve the vector engine")?;
    Ok((engine, front.url, front.api_key))
}
