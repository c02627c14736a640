//! The collection of playbooks, kept equal to the newest version of every registered one.

#[cfg(test)]
mod tests;
mod told;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use noetl_bus::feed::{Definition, Feed, FeedError};

use super::point::id;
use super::{Kind, Point, Stored, VectorError, Vectors};
use crate::again::{Patience, Work};
use crate::status::Status;

/// How often it is looked whether something was registered; commits do not tell.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// Texts in memory at once, at most.
const CHUNK: usize = 100;

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("cannot read the catalog")]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Vectors(#[from] VectorError),
}

/// Follows the catalog.
pub(crate) struct Keeper<F> {
    vectors: Vectors,
    feed: Arc<F>,
    status: Status,
    /// The versions in the collection, by path; none: it was not looked at yet.
    held: Option<HashMap<String, u32>>,
}

impl<F: Feed> Work for Keeper<F> {
    type Error = KeepError;

    async fn go_on(&mut self, patience: &mut Patience) -> Result<(), KeepError> {
        // What the store holds is not known after a failure.
        self.held = None;
        loop {
            self.look().await?;
            self.status.change(|status| status.looked_at.playbooks = true);
            patience.restore();
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn failing(&self, _: String) {
        // Whoever waits for the first look would wait in vain.
        self.status.change(|status| status.looked_at.playbooks = true);
    }
}

impl<F: Feed> Keeper<F> {
    pub(crate) fn new(vectors: Vectors, feed: Arc<F>, status: Status) -> Self {
        Self { vectors, feed, status, held: None }
    }

    /// Puts in what is new or has changed, and takes out what is gone.
    async fn look(&mut self) -> Result<(), KeepError> {
        let registered = self.feed.versions().await?;
        let mut held = self.held.take().unwrap_or_default();
        // At the start every text is read, as the store may be of another catalog: versions alone do not tell.
        let stored = if held.is_empty() { self.stored().await? } else { HashMap::new() };
        let changed: Vec<_> =
            registered.iter().filter(|one| held.get(&one.path) != Some(&one.version)).collect();
        for chunk in changed.chunks(CHUNK) {
            let mut points = Vec::new();
            for one in chunk {
                // It may have been deleted since it was listed, or be newer.
                let Some(definition) = self.feed.definition(&one.path, one.version).await? else { continue };
                let point = point(&definition);
                if stored.get(&point.id) != Some(&point.stored) {
                    points.push(point);
                }
            }
            self.vectors.put(Kind::Playbook, &points).await?;
        }
        let paths: HashMap<String, u32> = registered.into_iter().map(|one| (one.path, one.version)).collect();
        let wanted: HashSet<u64> = paths.keys().map(|path| id(&[path])).collect();
        held.retain(|path, _| !paths.contains_key(path));
        let known = held.keys().map(|path| id(&[path])).chain(stored.into_keys());
        let gone: HashSet<u64> = known.filter(|id| !wanted.contains(id)).collect();
        self.vectors.delete(Kind::Playbook, &gone.into_iter().collect::<Vec<_>>()).await?;
        self.held = Some(paths);
        Ok(())
    }

    /// What the collection holds.
    async fn stored(&self) -> Result<HashMap<u64, Stored>, VectorError> {
        let collection = self.vectors.collection(Kind::Playbook);
        let (mut stored, mut from) = (HashMap::new(), None);
        loop {
            let (page, next) = self.vectors.page(&collection, None, from).await?;
            stored.extend(page);
            if next.is_none() {
                return Ok(stored);
            }
            from = next;
        }
    }
}

fn point(definition: &Definition) -> Point {
    let told = told::tell(&definition.content);
    let mut stored = Stored::default();
    let facts = &mut stored.facts;
    facts.playbook.clone_from(&definition.path);
    facts.version = u64::from(definition.version);
    (facts.title, facts.text) = (told.name, told.text);
    stored.seen_at(definition.created_ms);
    Point { id: id(&[&definition.path]), stored, behaviour: None }
}
