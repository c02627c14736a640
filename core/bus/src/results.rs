//! Large results: kept outside the log under the hash of their content, read back through references.
//!
//! Any `object_store` serves; a local directory is written with fsync, so a reference in the log never dangles.
//! Tables are kept as JSON like everything else.

mod cache;
mod preview;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};

use noetl_domain::id::ExecutionId;
use noetl_domain::result::{RefKind, ResultRef};
use noetl_domain::{Map, Value};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};

use cache::Cache;

/// Results above this size (bytes of JSON text) go outside the log, unless configured otherwise.
pub const INLINE_LIMIT: usize = 64 * 1024;

const CACHE_BYTES: usize = 128 * 1024 * 1024;

/// Where large results lie. Clones share the store and the cache.
#[derive(Clone, Debug)]
pub struct Results {
    store: Arc<dyn ObjectStore>,
    cache: Arc<Mutex<Cache>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    #[error("cannot use {location:?} for results: {reason}")]
    Location { location: String, reason: String },
    #[error("{0:?} is not a reference to a result")]
    NotAReference(String),
    #[error("the result {0} is not there; it may have been cleaned up")]
    Missing(String),
    #[error("the result {key} is damaged: its content has another hash than its name")]
    Damaged { key: String },
    #[error("the result {key} is not JSON")]
    Json {
        key: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("cannot {attempted} result {key}")]
    Store {
        attempted: &'static str,
        key: String,
        #[source]
        source: object_store::Error,
    },
}

impl Results {
    /// Opens a directory (created when missing), a `file://` URL, or `memory://`.
    pub fn open(location: &str) -> Result<Self, ResultsError> {
        let refused = |reason: String| ResultsError::Location { location: location.to_owned(), reason };
        if location == "memory://" {
            return Ok(Self::over(Arc::new(InMemory::new())));
        }
        let directory = match location.split_once("://") {
            Some(("file", path)) => path,
            Some((scheme, _)) => return Err(refused(format!("{scheme} is not served; name a directory"))),
            None => location,
        };
        std::fs::create_dir_all(FilePath::new(directory)).map_err(|error| refused(error.to_string()))?;
        let store =
            LocalFileSystem::new_with_prefix(directory).map_err(|error| refused(error.to_string()))?;
        Ok(Self::over(Arc::new(store.with_fsync(true))))
    }

    /// Uses any object store.
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, cache: Arc::new(Mutex::new(Cache::new(CACHE_BYTES))) }
    }

    /// Bounds the memory that values read back may take.
    #[must_use]
    pub fn with_cache_bytes(mut self, bytes: usize) -> Self {
        self.cache = Arc::new(Mutex::new(Cache::new(bytes)));
        self
    }

    /// Stores a result durably. The same value of the same Execution is stored once.
    pub async fn put(
        &self,
        execution: ExecutionId,
        step: &str,
        value: &Value,
    ) -> Result<ResultRef, ResultsError> {
        self.put_selected(execution, step, value, &[]).await
    }

    /// As [`Results::put`], with the fields at these dotted paths kept inline in the reference, by path as written.
    pub async fn put_selected(
        &self,
        execution: ExecutionId,
        step: &str,
        value: &Value,
        select: &[String],
    ) -> Result<ResultRef, ResultsError> {
        let text = serde_json::to_vec(value)
            .map_err(|source| ResultsError::Json { key: format!("of step {step}"), source })?;
        self.put_text(execution, step, value, text, select).await
    }

    /// As [`Results::put_selected`], for a caller that has the JSON text of `value` already.
    pub async fn put_text(
        &self,
        execution: ExecutionId,
        step: &str,
        value: &Value,
        text: Vec<u8>,
        select: &[String],
    ) -> Result<ResultRef, ResultsError> {
        let reference = self.put_json(execution, step, text, preview::of(value)).await?;
        Ok(ResultRef { extracted: extract(value, select), ..reference })
    }

    /// Stores JSON text that nobody has parsed, with a preview of the caller's making.
    pub async fn put_json(
        &self,
        execution: ExecutionId,
        step: &str,
        text: Vec<u8>,
        preview: Value,
    ) -> Result<ResultRef, ResultsError> {
        let sha256 = hash(&text);
        let key = key_of(execution, &sha256);
        let bytes = text.len() as u64;
        let path = Path::from(key.as_str());
        let stored = |source| ResultsError::Store { attempted: "write", key: key.clone(), source };
        let there = match self.store.head(&path).await {
            Ok(meta) => meta.size == bytes,
            Err(object_store::Error::NotFound { .. }) => false,
            Err(source) => return Err(stored(source)),
        };
        if !there {
            self.store.put(&path, PutPayload::from(text)).await.map_err(stored)?;
        }
        Ok(ResultRef {
            kind: RefKind::ResultRef,
            uri: format!("noetl://execution/{execution}/result/{}/{sha256}", encode(step)),
            key,
            bytes,
            sha256,
            content_type: "application/json".to_owned(),
            preview,
            extracted: Value::Null,
        })
    }

    /// Reads a result back, from memory when it was read lately. What does not match its hash is refused.
    pub async fn get(&self, reference: &ResultRef) -> Result<Arc<Value>, ResultsError> {
        self.load(&reference.key, &reference.sha256).await
    }

    /// Reads a result back by its URI, `noetl://execution/<id>/result/<step>/<sha256>`.
    pub async fn resolve(&self, uri: &str) -> Result<Arc<Value>, ResultsError> {
        let (execution, sha256) = parse(uri).ok_or_else(|| ResultsError::NotAReference(uri.to_owned()))?;
        self.load(&key_of(execution, sha256), sha256).await
    }

    /// Deletes every result of an Execution; returns how many there were.
    pub async fn delete(&self, execution: ExecutionId) -> Result<u64, ResultsError> {
        use futures::TryStreamExt as _;
        let prefix = Path::from(format!("executions/{execution}"));
        let key = prefix.to_string();
        let failed = |attempted| {
            let key = key.clone();
            move |source| ResultsError::Store { attempted, key, source }
        };
        let found: Vec<Path> = self
            .store
            .list(Some(&prefix))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(failed("list"))?;
        for path in &found {
            self.store.delete(path).await.map_err(failed("delete"))?;
        }
        let mut cache = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for path in &found {
            cache.remove(path.as_ref());
        }
        Ok(found.len() as u64)
    }

    async fn load(&self, key: &str, sha256: &str) -> Result<Arc<Value>, ResultsError> {
        if let Some(value) = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(key) {
            return Ok(value);
        }
        let path = Path::from(key);
        let read = |source| match source {
            object_store::Error::NotFound { .. } => ResultsError::Missing(key.to_owned()),
            source => ResultsError::Store { attempted: "read", key: key.to_owned(), source },
        };
        let text = self.store.get(&path).await.map_err(read)?.bytes().await.map_err(read)?;
        if hash(&text) != sha256 {
            return Err(ResultsError::Damaged { key: key.to_owned() });
        }
        let value: Value = serde_json::from_slice(&text)
            .map_err(|source| ResultsError::Json { key: key.to_owned(), source })?;
        let value = Arc::new(value);
        let mut cache = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        cache.insert(key.to_owned(), Arc::clone(&value));
        Ok(value)
    }
}

/// Bytes of JSON text, counted up to just above `limit` and without building the text.
pub fn exceeds(value: &Value, limit: usize) -> bool {
    struct Counter {
        left: usize,
    }
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.left = self.left.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::WriteZero)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Counter { left: limit }, value).is_err()
}

fn key_of(execution: ExecutionId, sha256: &str) -> String {
    format!("executions/{execution}/{sha256}.json")
}

fn parse(uri: &str) -> Option<(ExecutionId, &str)> {
    let (execution, rest) = uri.strip_prefix("noetl://execution/")?.split_once("/result/")?;
    let (_, sha256) = rest.rsplit_once('/')?;
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((execution.parse().ok()?, sha256)).filter(|_| is_hash)
}

fn hash(text: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Percent-encodes what would end a path segment or be read as something else in a URI.
fn encode(step: &str) -> String {
    let mut text = String::with_capacity(step.len());
    for byte in step.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn extract(value: &Value, select: &[String]) -> Value {
    let found: BTreeMap<_, _> = select
        .iter()
        .filter_map(|path| {
            let mut at = value;
            for key in path.split('.') {
                at = match at {
                    Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
                    other => other.get(key)?,
                };
            }
            Some((path.clone(), at.clone()))
        })
        .collect();
    if found.is_empty() { Value::Null } else { Value::Object(found.into_iter().collect::<Map>()) }
}

#[cfg(test)]
mod tests;
