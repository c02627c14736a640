//! Which embedder to use and where its parts lie.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which embedder is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The endpoint where one is configured, else the local model, else the built-in one.
    #[default]
    Auto,
    /// The local model.
    Local,
    /// The OpenAI-compatible endpoint.
    Endpoint,
    /// Words hashed into vectors: no files, less meaning.
    Builtin,
    /// BM25 alone.
    None,
}

/// An OpenAI-compatible embeddings endpoint.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// Up to and without `/embeddings`.
    pub url: String,
    /// Sent as a bearer token; never written anywhere.
    #[serde(skip_serializing)]
    pub key: String,
    pub model: String,
    pub dimension: usize,
    /// Asks the model to shorten its vectors to `dimension`; only some models can.
    pub shorten: bool,
    /// Texts of one call.
    pub batch: usize,
    /// Seconds that one call may take, its repetitions included.
    pub timeout_seconds: u64,
}

impl Endpoint {
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.max(1))
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            url: String::new(),
            key: String::new(),
            model: String::new(),
            dimension: 0,
            shorten: false,
            batch: 64,
            timeout_seconds: 60,
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("model", &self.model)
            .field("dimension", &self.dimension)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub embedder: Choice,
    /// ONNX Runtime's shared library; `None`: the one that setup brought.
    pub library: Option<PathBuf>,
    /// Folder with `model.onnx` and `tokenizer.json`; `None`: the one that setup brought.
    pub model: Option<PathBuf>,
    /// Folder of the engines that setup brings; `None`: nothing is looked for there.
    pub engines: Option<PathBuf>,
    pub endpoint: Option<Endpoint>,
    /// Vectors remembered by text.
    pub cache: usize,
    /// Threads of the local model.
    pub threads: usize,
}

impl Config {
    /// What the environment says: `NOETL_ONNXRUNTIME_LIB`, `NOETL_EMBEDDING_MODEL_DIR`, and where setup puts its engines.
    ///
    /// What is set already stays.
    #[must_use]
    pub fn or_from_environment(self, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = path("NOETL_CACHE_DIR")
            .or_else(|| path("XDG_CACHE_HOME").map(|cache| cache.join("noetl")))
            .or_else(|| path("HOME").map(|home| home.join(".cache/noetl")));
        Self {
            library: self.library.or_else(|| path("NOETL_ONNXRUNTIME_LIB")),
            model: self.model.or_else(|| path("NOETL_EMBEDDING_MODEL_DIR")),
            engines: self.engines.or_else(|| cache.map(|cache| cache.join("engines"))),
            ..self
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            embedder: Choice::Auto,
            library: None,
            model: None,
            engines: None,
            endpoint: None,
            cache: 10_000,
            threads: 1,
        }
    }
}
