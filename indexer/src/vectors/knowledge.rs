//! Knowledge: documents that people bring, and the pages of the error Codes, found passage by passage.
//!
//! The files of [`record`] are what counts; the collection follows them and is filled again when it falls short.

mod codes;
mod cut;
mod place;
mod record;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;

use noetl_api::knowledge::{
    Format, KnowledgeAdded, KnowledgeRemoved, KnowledgeRequest, KnowledgeSource, LARGEST,
};
use tokio::sync::Mutex;

use self::cut::{Cut, cut};
use self::record::{Entry, Record, digest};
use super::{Kind, VectorError, Vectors};
use crate::again::{Patience, Work, chain};
use crate::status::Status;

/// Passages of a document, at most.
const MOST_PASSAGES: usize = 20_000;
/// Bytes of the name of a source, at most.
const LONGEST_NAME: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    #[error("a source cannot be called {name:?}: {reason}")]
    Name { name: String, reason: &'static str },
    #[error("the document is too large: {0} bytes, and at most {LARGEST} are taken")]
    TooLarge(usize),
    #[error("the document has {0} passages, and at most {MOST_PASSAGES} are taken")]
    TooMany(usize),
    #[error("the document has no text")]
    Empty,
    #[error("the document could not be read through")]
    Unreadable,
    #[error("cannot {attempted} the documents of the knowledge")]
    Files {
        attempted: &'static str,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Vectors(#[from] VectorError),
}

/// The documents of one data directory. Clones share them.
#[derive(Clone, Debug)]
pub struct Knowledge {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    record: Record,
    /// One change at a time, so that files and points agree.
    changing: Mutex<()>,
}

impl Knowledge {
    /// The documents below the directory of the index; nothing is made before one is added.
    pub fn open(directory: &Path) -> Self {
        let record = Record::new(directory.join("knowledge"));
        Self { inner: Arc::new(Inner { record, changing: Mutex::new(()) }) }
    }

    /// What people brought, by name.
    pub async fn list(&self) -> Result<Vec<KnowledgeSource>, KnowledgeError> {
        let entries = self.files("list", Record::list).await?;
        Ok(entries.iter().map(Entry::told).collect())
    }

    /// Takes in a document, in the place of the one that its source had. It is on disk and found when this comes back.
    pub async fn add(
        &self,
        vectors: &Vectors,
        request: KnowledgeRequest,
        now_ms: i64,
    ) -> Result<KnowledgeAdded, KnowledgeError> {
        let source = checked_name(&request.source)?.to_owned();
        let content = request.content;
        if content.len() > LARGEST {
            return Err(KnowledgeError::TooLarge(content.len()));
        }
        let given_title = request.title.unwrap_or_default();
        let (content, cut) = cut_aside(content, request.format, given_title.clone()).await?;
        match cut.passages.len() {
            0 => return Err(KnowledgeError::Empty),
            many if many > MOST_PASSAGES => return Err(KnowledgeError::TooMany(many)),
            _ => {}
        }
        let mut entry = Entry {
            source,
            given_title,
            title: cut.title,
            format: request.format,
            added_ms: now_ms,
            bytes: content.len() as u64,
            digest: digest(&content),
            passages: cut.passages.len() as u64,
            placed: String::new(),
        };
        let _changing = self.inner.changing.lock().await;
        let name = entry.source.clone();
        if let Some(before) = self.files("read", move |record| record.get(&name)).await?
            && before.is_same(&entry)
        {
            entry.added_ms = before.added_ms;
        }
        // First the record: whatever happens behind it, the document is kept and found after the next start.
        let kept = entry.clone();
        self.files("keep", move |record| record.put(&kept, &content)).await?;
        let points = cut.passages.iter().map(|passage| place::point(&entry.source, passage, entry.added_ms));
        let placed = place::place(vectors, place::of(&entry.source), points.collect()).await?;
        let told = entry.told();
        self.mark(vectors, entry).await?;
        Ok(KnowledgeAdded { source: told, new: placed.new, gone: placed.gone })
    }

    /// None: nothing is known of the source.
    pub async fn remove(
        &self,
        vectors: &Vectors,
        source: &str,
    ) -> Result<Option<KnowledgeRemoved>, KnowledgeError> {
        let _changing = self.inner.changing.lock().await;
        let name = source.to_owned();
        let Some(entry) = self.files("read", move |record| record.get(&name)).await? else { return Ok(None) };
        // First the points: what is not told to be gone is filled again, and nothing stays that nobody can name.
        vectors.delete_where(Kind::Knowledge, place::of(source)).await?;
        let removed = KnowledgeRemoved { source: entry.source.clone(), passages: entry.passages };
        self.files("remove", move |record| record.remove(&entry)).await?;
        Ok(Some(removed))
    }

    /// Makes the collection hold what the record says, and nothing else but the pages of the Codes.
    async fn fill(&self, vectors: &Vectors) -> Result<(), KnowledgeError> {
        for entry in self.files("list", Record::list).await? {
            let _changing = self.inner.changing.lock().await;
            // It may have been replaced or removed meanwhile.
            if let Some(entry) = self.files("read", move |record| record.get(&entry.source)).await? {
                self.fill_one(vectors, entry).await?;
            }
        }
        let _changing = self.inner.changing.lock().await;
        for text in self.files("tidy", Record::tidy).await? {
            tracing::warn!(
                text = %text.display(),
                "what is known of a document cannot be read, and it is not found; its text is kept in this file: bring it again with `noetl knowledge add`"
            );
        }
        let known = self.files("list", Record::list).await?.into_iter().map(|entry| entry.source);
        let others = place::none_of(known.chain(codes::sources()).collect());
        if vectors.count(Kind::Knowledge, Some(others.clone())).await? > 0 {
            vectors.delete_where(Kind::Knowledge, others).await?;
        }
        Ok(())
    }

    async fn fill_one(&self, vectors: &Vectors, mut entry: Entry) -> Result<(), KnowledgeError> {
        if entry.placed == vectors.collection(Kind::Knowledge) {
            let there = vectors.count(Kind::Knowledge, Some(place::of(&entry.source))).await?;
            if there == entry.passages {
                return Ok(());
            }
        }
        let looked_at = entry.clone();
        let content = match self.files("read", move |record| record.content(&looked_at)).await {
            Ok(content) => content,
            Err(error) => {
                // The other documents are found nevertheless.
                tracing::warn!(source = entry.source, error = %chain(&error), "a document of the knowledge cannot be read");
                return Ok(());
            }
        };
        let (_, cut) = cut_aside(content, entry.format, entry.given_title.clone()).await?;
        let points = cut.passages.iter().map(|passage| place::point(&entry.source, passage, entry.added_ms));
        place::place(vectors, place::of(&entry.source), points.collect()).await?;
        (entry.title, entry.passages) = (cut.title, cut.passages.len() as u64);
        self.mark(vectors, entry).await
    }

    /// Remembers that the collection holds all passages of a source.
    async fn mark(&self, vectors: &Vectors, mut entry: Entry) -> Result<(), KnowledgeError> {
        entry.placed = vectors.collection(Kind::Knowledge);
        self.files("keep", move |record| record.tell(&entry)).await
    }

    async fn files<T: Send + 'static>(
        &self,
        attempted: &'static str,
        work: impl FnOnce(&Record) -> io::Result<T> + Send + 'static,
    ) -> Result<T, KnowledgeError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner.record)).await;
        done.unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|source| KnowledgeError::Files { attempted, source })
    }
}

/// Fills the collection at the start; what comes later is put in by whoever takes it in.
pub(crate) struct Keeper {
    vectors: Vectors,
    /// None: only the pages of the Codes are kept.
    knowledge: Option<Knowledge>,
    status: Status,
}

impl Keeper {
    pub(crate) fn new(vectors: Vectors, knowledge: Option<Knowledge>, status: Status) -> Self {
        Self { vectors, knowledge, status }
    }
}

impl Work for Keeper {
    type Error = KnowledgeError;

    async fn go_on(&mut self, patience: &mut Patience) -> Result<(), KnowledgeError> {
        place::place(&self.vectors, place::any_of(codes::sources()), codes::points()).await?;
        if let Some(knowledge) = &self.knowledge {
            knowledge.fill(&self.vectors).await?;
        }
        self.status.change(|status| status.looked_at.knowledge = true);
        patience.restore();
        std::future::pending().await
    }

    async fn failing(&self, _: String) {
        // Whoever waits for the first look would wait in vain.
        self.status.change(|status| status.looked_at.knowledge = true);
    }
}

/// Cuts a document where it holds nobody up, and hands it back.
async fn cut_aside(content: String, format: Format, title: String) -> Result<(String, Cut), KnowledgeError> {
    let work = move || {
        let cut = cut(&content, format, &title);
        (content, cut)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| KnowledgeError::Unreadable)
}

fn checked_name(name: &str) -> Result<&str, KnowledgeError> {
    let trimmed = name.trim();
    let reason = if trimmed.is_empty() {
        "it is empty"
    } else if trimmed.len() > LONGEST_NAME {
        "it is longer than a thousand bytes"
    } else if trimmed.chars().any(char::is_control) {
        "it has characters that cannot be shown"
    } else if trimmed.starts_with(codes::PREFIX) {
        "that is a page of an error Code"
    } else {
        return Ok(trimmed);
    };
    let end = name.floor_char_boundary(80);
    Err(KnowledgeError::Name { name: name[..end].to_owned(), reason })
}
