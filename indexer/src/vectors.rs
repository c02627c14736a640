//! The vector store, whichever engine answers: collections made ready, points put in, questions asked.
//!
//! A collection holds vectors of one embedder: its name says which. Point ids follow from what a point is about, so
//! what is put in twice is there once.

mod collections;
mod condition;
pub(crate) mod follow;
mod index;
mod kind;
pub(crate) mod knowledge;
mod meanings;
mod moving;
pub(crate) mod playbooks;
mod point;
mod read;
mod search;
pub(crate) mod similar;
mod sweep;
#[cfg(test)]
pub(crate) mod testing;
mod write;

use std::sync::Arc;
use std::time::Duration;

use qdrant_client::{Qdrant, QdrantError};

pub use self::condition::{Condition, ConditionError};
pub use self::kind::Kind;
pub use self::knowledge::{Knowledge, KnowledgeError};
pub use self::point::{Point, Stored};
pub use self::search::Question;
pub(crate) use self::similar::{SimilarError, similar};
use crate::embedding::{EmbedError, Embedder, Opened};

/// Names of the vectors of a point.
const MEANING: &str = "meaning";
const WORDS: &str = "words";
/// The space of points without meaning.
const WORDS_ALONE: &str = "words";
pub(crate) const BEHAVIOUR: &str = "behaviour";
/// Length of a vector of behaviour.
pub(crate) const BEHAVIOUR_NUMBERS: usize = 64;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    #[error("cannot {attempted} in the vector store")]
    Engine {
        attempted: &'static str,
        #[source]
        source: Box<QdrantError>,
    },
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error("a point of the vector store cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error("the address of the vector store is not valid: {reason}")]
    Address { reason: String },
}

impl VectorError {
    fn engine(attempted: &'static str) -> impl Fn(QdrantError) -> Self {
        move |source| Self::Engine { attempted, source: Box::new(source) }
    }
}

/// Clones share the connection.
#[derive(Clone)]
pub struct Vectors {
    client: Arc<Qdrant>,
    embedder: Option<Embedder>,
    /// Name of the embedder, and why not a better one.
    name: Arc<str>,
    note: Option<Arc<str>>,
    address: Arc<str>,
}

impl std::fmt::Debug for Vectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vectors")
            .field("address", &self.address)
            .field("embedder", &self.name)
            .finish_non_exhaustive()
    }
}

impl Vectors {
    /// An empty key: the engine asks for none.
    pub fn new(url: &str, key: &str, opened: Opened) -> Result<Self, VectorError> {
        let key = Some(key).filter(|key| !key.is_empty()).map(str::to_owned);
        let client = Qdrant::from_url(url)
            .api_key(key)
            .timeout(PATIENCE)
            .skip_compatibility_check()
            .build()
            .map_err(|error| VectorError::Address { reason: error.to_string() })?;
        Ok(Self {
            client: Arc::new(client),
            embedder: opened.embedder,
            name: opened.name.into(),
            note: opened.note.map(Into::into),
            address: url.into(),
        })
    }

    /// Where the engine answers.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn embedder(&self) -> Option<&Embedder> {
        self.embedder.as_ref()
    }

    /// What makes the vectors of meaning.
    pub fn embedder_name(&self) -> &str {
        &self.name
    }

    /// Why not a better embedder, and what to do.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// As if a better embedder were away.
    #[cfg(test)]
    fn with_note(mut self, note: &str) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The collection of a kind whose vectors lie in the space of this embedder.
    pub(crate) fn collection(&self, kind: Kind) -> String {
        let space = self.embedder.as_ref().map_or_else(|| WORDS_ALONE.to_owned(), |one| one.identity().key());
        format!("{}{space}", Self::prefix(kind))
    }

    /// What the collections of a kind begin with, whatever their space.
    fn prefix(kind: Kind) -> String {
        format!("noetl_{}_", kind.collection())
    }
}
