//! The handle that everybody asks for vectors.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::builtin;
use super::cache::Cache;
use super::endpoint::{EndpointError, Remote};
use super::identity::Identity;
use super::onnx::{Local, LocalError};

/// Makes vectors of length one; clones share everything.
#[derive(Clone, Debug)]
pub struct Embedder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    identity: Identity,
    model: Model,
    cache: Mutex<Cache>,
    calls: AtomicU64,
    texts: AtomicU64,
    remembered: AtomicU64,
}

#[derive(Debug)]
pub(super) enum Model {
    Builtin,
    Local(Local),
    Remote(Box<Remote>),
}

/// What an embedder did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Times the model was asked.
    pub calls: u64,
    /// Texts it was asked for.
    pub texts: u64,
    /// Texts that were answered from memory.
    pub remembered: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    #[error("the local model does not answer")]
    Local(#[from] LocalError),
    #[error("the embeddings endpoint does not answer")]
    Endpoint(#[from] EndpointError),
    #[error("the model made a vector of {found} numbers, and {expected} are expected")]
    Dimension { found: usize, expected: usize },
    #[error("the model made {found} vectors of {expected} texts")]
    Count { found: usize, expected: usize },
}

impl Embedder {
    pub(super) fn new(identity: Identity, model: Model, cache: usize) -> Self {
        let inner = Inner {
            identity,
            model,
            cache: Mutex::new(Cache::new(cache)),
            calls: AtomicU64::new(0),
            texts: AtomicU64::new(0),
            remembered: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The embedder that needs no files.
    pub fn builtin() -> Self {
        Self::new(builtin::identity(), Model::Builtin, 1_000)
    }

    /// The same under another name: another space, for tests of what moves between them.
    #[cfg(test)]
    pub(crate) fn builtin_as(model: &str) -> Self {
        let identity = Identity { model: model.to_owned(), ..builtin::identity() };
        Self::new(identity, Model::Builtin, 1_000)
    }

    /// The space its vectors lie in.
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub fn counters(&self) -> Counters {
        Counters {
            calls: self.inner.calls.load(Ordering::Relaxed),
            texts: self.inner.texts.load(Ordering::Relaxed),
            remembered: self.inner.remembered.load(Ordering::Relaxed),
        }
    }

    /// A vector of length one for each text, in order; texts should have been [normalised](super::normalise()).
    ///
    /// The model is asked once for each text that is not remembered, however often it stands among the texts.
    pub async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let (mut known, missing) = self.remembered(texts);
        if !missing.is_empty() {
            let made = self.ask(&missing).await?;
            let mut cache = self.inner.cache.lock().unwrap_or_else(PoisonError::into_inner);
            for (text, vector) in missing.into_iter().zip(made) {
                cache.insert(text.clone(), vector.clone());
                known.insert(text, vector);
            }
        }
        // Every text is either remembered or was made above.
        Ok(texts.iter().map(|text| known.get(text).cloned().unwrap_or_default()).collect())
    }

    /// What is remembered of the texts, and which are not, each once.
    fn remembered(&self, texts: &[String]) -> (HashMap<String, Vec<f32>>, Vec<String>) {
        let mut cache = self.inner.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = HashMap::new();
        let mut missing: Vec<String> = Vec::new();
        for text in texts {
            if known.contains_key(text) {
                continue;
            }
            match cache.get(text) {
                Some(vector) => {
                    self.inner.remembered.fetch_add(1, Ordering::Relaxed);
                    known.insert(text.clone(), vector);
                }
                None => missing.push(text.clone()),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        (known, missing)
    }

    async fn ask(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.inner.texts.fetch_add(texts.len() as u64, Ordering::Relaxed);
        let calls = &self.inner.calls;
        let made = match &self.inner.model {
            Model::Builtin => {
                calls.fetch_add(1, Ordering::Relaxed);
                texts.iter().map(|text| builtin::embed(text)).collect()
            }
            Model::Local(local) => {
                calls.fetch_add(1, Ordering::Relaxed);
                local.embed(texts.to_vec()).await?
            }
            Model::Remote(remote) => {
                let mut made = Vec::with_capacity(texts.len());
                for batch in texts.chunks(remote.batch()) {
                    calls.fetch_add(1, Ordering::Relaxed);
                    made.extend(remote.embed(batch).await?);
                }
                made
            }
        };
        if made.len() != texts.len() {
            return Err(EmbedError::Count { found: made.len(), expected: texts.len() });
        }
        let expected = self.inner.identity.dimension;
        if let Some(odd) = made.iter().find(|vector| vector.len() != expected) {
            return Err(EmbedError::Dimension { found: odd.len(), expected });
        }
        Ok(made.into_iter().map(unit).collect())
    }
}

/// The vector at length one; one without a direction stays as it is.
pub(super) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for x in &mut vector {
            *x /= length;
        }
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_model_is_asked_once_for_each_text() {
        let embedder = Embedder::builtin();
        let shapes: Vec<String> = (0..200).map(|n| format!("shape {}", "x".repeat(n + 1))).collect();
        for _ in 0..50 {
            for batch in shapes.chunks(20) {
                let twice = [batch, batch].concat();
                let vectors = embedder.embed(&twice).await.unwrap();
                assert_eq!(vectors.len(), 40);
                assert_eq!(vectors[0], vectors[20]);
                let length: f32 = vectors[0].iter().map(|x| x * x).sum();
                assert!((length - 1.0).abs() < 1e-4, "{length}");
            }
        }
        let counters = embedder.counters();
        assert_eq!((counters.calls, counters.texts), (10, 200));
    }

    #[tokio::test]
    async fn nothing_asked_is_nothing_answered() {
        let embedder = Embedder::builtin();
        assert!(embedder.embed(&[]).await.unwrap().is_empty());
        assert_eq!(embedder.counters(), Counters::default());
    }
}
