//! The vector store and the embedder: a Qdrant server, or the engine in this process.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use noetl_engine_qdrant::Engine;
use noetl_indexer::Semantic;
use noetl_indexer::embedding;
use noetl_indexer::vectors::Vectors;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::again::until_opened;
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

    /// Opens it, however often that takes, and tells the layer; the engine, when it is ours, is to be closed.
    pub(super) async fn open(self, semantic: &Semantic, stop: &CancellationToken) -> Option<Engine> {
        let Self { store, embedder } = self;
        let failing = |reason| semantic.vectors_fail(reason);
        let address = until_opened("vectors", || address(&store), failing, stop);
        let (opened, address) = tokio::join!(embedding::open(&embedder), address);
        let Address { url, key, engine } = address?;
        let vectors =
            Vectors::new(&url, &key, opened).map_err(|error| format!("{:#}", anyhow::Error::new(error)));
        if let Err(reason) = &vectors {
            // The address is at fault, and stays as it is configured.
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

async fn address(store: &Store) -> anyhow::Result<Address> {
    match store {
        Store::Server { url, key } => Ok(Address { url: url.clone(), key: key.clone(), engine: None }),
        Store::Engine { directory } => {
            let (engine, url, key) = engine(directory).await?;
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
