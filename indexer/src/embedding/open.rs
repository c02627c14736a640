//! Chooses the embedder, and says why not a better one.

use std::path::PathBuf;

use super::builtin;
use super::config::{Choice, Config};
use super::embedder::{Embedder, Model};
use super::endpoint::Remote;
use super::onnx::Local;
use crate::again::chain;

/// The folders and files that setup brings, below the folder of engines.
const LIBRARY: &str = "onnxruntime-1.31.1/libonnxruntime.so";
const MODEL: &str = "all-minilm-l6-v2-int8-1.0.0";

/// What was opened, for status.
#[derive(Debug)]
pub struct Opened {
    /// `None`: BM25 alone.
    pub embedder: Option<Embedder>,
    /// What is in use.
    pub name: String,
    /// Why not a better one, and what to do; `None` when nothing is to be said.
    pub note: Option<String>,
}

/// Opens the embedder that is configured, or the next best; never fails, because search goes on without one.
pub async fn open(config: &Config) -> Opened {
    match config.embedder {
        Choice::None => Opened { embedder: None, name: "none (BM25 alone)".to_owned(), note: None },
        Choice::Builtin => opened(builtin(config), None),
        Choice::Endpoint => match remote(config) {
            Ok(embedder) => opened(embedder, None),
            // Another model would fill other collections, at whatever cost: not what was asked for.
            Err(reason) => {
                Opened { embedder: None, name: "none (BM25 alone)".to_owned(), note: Some(reason) }
            }
        },
        Choice::Auto if config.endpoint.is_some() => match remote(config) {
            Ok(embedder) => opened(embedder, None),
            Err(reason) => local_or_builtin(config, Some(reason)).await,
        },
        Choice::Auto | Choice::Local => local_or_builtin(config, None).await,
    }
}

async fn local_or_builtin(config: &Config, note: Option<String>) -> Opened {
    match local(config).await {
        Ok(embedder) => opened(embedder, note),
        Err(reason) => {
            let note = note.map_or_else(|| reason.clone(), |note| format!("{note}; {reason}"));
            opened(builtin(config), Some(note))
        }
    }
}

fn opened(embedder: Embedder, note: Option<String>) -> Opened {
    Opened { name: embedder.identity().key(), embedder: Some(embedder), note }
}

fn builtin(config: &Config) -> Embedder {
    Embedder::new(builtin::identity(), Model::Builtin, config.cache)
}

fn remote(config: &Config) -> Result<Embedder, String> {
    let endpoint = config.endpoint.as_ref().ok_or("no embeddings endpoint is configured")?;
    let remote = Remote::new(endpoint).map_err(|error| chain(&error))?;
    Ok(Embedder::new(remote.identity(), Model::Remote(Box::new(remote)), config.cache))
}

async fn local(config: &Config) -> Result<Embedder, String> {
    let below = |name| config.engines.as_ref().map(|engines| engines.join(name));
    let library = present(config.library.clone().or_else(|| below(LIBRARY)), "ONNX Runtime")?;
    let model = present(config.model.clone().or_else(|| below(MODEL)), "the embedding model")?;
    let local = Local::open(&library, &model, config.threads).await.map_err(|error| chain(&error))?;
    Ok(Embedder::new(local.identity().clone(), Model::Local(local), config.cache))
}

fn present(path: Option<PathBuf>, what: &str) -> Result<PathBuf, String> {
    let hint = "type: cargo xtask setup";
    match path {
        Some(path) if path.exists() => Ok(path),
        Some(path) => Err(format!("{what} is not at {}; {hint}", path.display())),
        None => Err(format!("it is not known where {what} lies; {hint}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_its_files_the_local_model_gives_way_to_the_built_in_one() {
        let config = Config { engines: Some(PathBuf::from("/nowhere")), ..Config::default() };
        let opened = open(&config).await;
        assert_eq!(opened.name, builtin::identity().key());
        let note = opened.note.unwrap();
        assert!(note.contains("/nowhere/onnxruntime") && note.contains("cargo xtask setup"), "{note}");
    }

    #[tokio::test]
    async fn a_library_that_is_none_is_said_and_not_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so");
        std::fs::write(&library, "not a library").unwrap();
        let config =
            Config { library: Some(library), model: Some(folder.path().to_owned()), ..Config::default() };
        let opened = open(&config).await;
        assert_eq!(opened.name, builtin::identity().key());
        let note = opened.note.unwrap();
        assert!(note.contains("libonnxruntime.so"), "{note}");
    }

    #[tokio::test]
    async fn none_is_bm25_alone_and_an_endpoint_that_is_asked_for_must_be_there() {
        for choice in [Choice::None, Choice::Endpoint] {
            let opened = open(&Config { embedder: choice, ..Config::default() }).await;
            assert!(opened.embedder.is_none());
            assert_eq!(opened.note.is_some(), choice == Choice::Endpoint);
        }
    }
}
