//! Points that lie in the space of another embedder are moved into this one's, a page at a time.
//!
//! Their texts are embedded again, behaviour is carried over, and what is newer here stays. A collection is deleted
//! when everything in it is here, so a process that dies begins again with the ones that are left and embeds nothing
//! twice. Nothing is ever compared across spaces.

use std::collections::HashMap;

use super::kind::Kind;
use super::meanings::Meanings;
use super::point::{Point, Stored};
use super::{VectorError, Vectors, WORDS_ALONE};
use crate::status::Moving;

/// Points of one page: as many texts as a model on one core embeds in about a second.
const PAGE: u32 = 64;

/// What is still to be moved.
#[derive(Debug, Default)]
pub(crate) struct Move {
    former: Vec<(Kind, String)>,
    /// Where the next page of the first collection begins.
    next: Option<u64>,
    progress: Option<Moving>,
    meanings: Meanings,
}

impl Move {
    pub(crate) async fn begin(vectors: &Vectors) -> Result<Self, VectorError> {
        Ok(Self { former: vectors.former().await?, ..Self::default() })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.former.is_empty()
    }

    pub(crate) fn progress(&self) -> Option<Moving> {
        let (_, from) = self.former.first()?;
        Some(self.progress.clone().unwrap_or_else(|| Moving { from: from.clone(), ..Moving::default() }))
    }

    /// Where points of a kind still lie.
    pub(crate) fn former_of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.former.iter().filter(move |(of, _)| *of == kind).map(|(_, collection)| collection.as_str())
    }

    /// What is known of points, here or where they come from, whichever is newer; and which of them are here in that
    /// form.
    pub(crate) async fn newest(
        &self,
        vectors: &Vectors,
        kind: Kind,
        ids: &[u64],
    ) -> Result<HashMap<u64, (Stored, bool)>, VectorError> {
        let here = vectors.get(kind, ids).await?;
        let mut newest: HashMap<u64, (Stored, bool)> =
            here.into_iter().map(|(id, stored)| (id, (stored, true))).collect();
        for collection in self.former_of(kind) {
            for (id, stored) in vectors.get_from(collection, ids).await? {
                if newest.get(&id).is_none_or(|(known, _)| is_newer(&stored, known)) {
                    newest.insert(id, (stored, false));
                }
            }
        }
        Ok(newest)
    }

    /// Moves one page. Call it until it is done.
    pub(crate) async fn step(&mut self, vectors: &Vectors) -> Result<(), VectorError> {
        let Some((kind, collection)) = self.former.first().cloned() else { return Ok(()) };
        if matches!(kind, Kind::Playbook | Kind::Knowledge) {
            // They are filled from the catalog and from the documents; what was removed there must not come back.
            if !is_kept(vectors, kind, &collection) {
                vectors.drop_collection(&collection).await?;
            }
            self.former.remove(0);
            return Ok(());
        }
        if self.progress.as_ref().is_none_or(|progress| progress.from != collection) {
            let total = vectors.count_in(&collection, None).await?;
            tracing::info!(from = %collection, points = total, "points are moved into the space of another embedder");
            self.progress = Some(Moving { from: collection.clone(), done: 0, total });
        }
        let (page, next) = vectors.whole_page(&collection, self.next, PAGE).await?;
        let ids: Vec<u64> = page.iter().map(|whole| whole.point.id).collect();
        let here = vectors.get(kind, &ids).await?;
        let (mut absent, mut older): (Vec<Point>, Vec<Point>) = (Vec::new(), Vec::new());
        for whole in page {
            match here.get(&whole.point.id) {
                None => absent.push(whole.point),
                Some(known) if is_newer(&whole.point.stored, known) => older.push(whole.point),
                Some(_) => {}
            }
        }
        // Only where there is nothing: somebody else may have put the point in just now.
        let meanings = self.meanings.of(vectors, kind, &absent).await?;
        vectors.add_known(kind, &absent, &meanings).await?;
        let meanings = self.meanings.of(vectors, kind, &older).await?;
        vectors.put_known(kind, &older, &meanings).await?;
        if let Some(progress) = &mut self.progress {
            progress.done += ids.len() as u64;
        }
        self.next = next;
        if next.is_none() {
            if !is_kept(vectors, kind, &collection) {
                vectors.drop_collection(&collection).await?;
            }
            self.former.remove(0);
            self.progress = None;
        }
        Ok(())
    }
}

/// Whether a collection stays after everything in it is here: the embedder of today only stands in for one that is
/// away, and vectors of a model cost time or money that ours do not. Whoever comes back embeds only what is newer.
fn is_kept(vectors: &Vectors, kind: Kind, collection: &str) -> bool {
    let space = collection.strip_prefix(&Vectors::prefix(kind)).unwrap_or_default();
    vectors.note().is_some() && !space.starts_with("builtin") && space != WORDS_ALONE
}

fn is_newer(one: &Stored, other: &Stored) -> bool {
    (one.position, one.at_ms) > (other.position, other.at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::Embedder;
    use crate::vectors::testing::Store;

    fn point(id: u64, position: u64) -> Point {
        let mut stored = Stored { position, ..Stored::default() };
        stored.facts.text = format!("the {} of it failed", "x".repeat(id as usize + 1));
        stored.facts.count = position;
        stored.seen_at(position as i64);
        Point { id, stored, behaviour: None }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn vectors_of_a_model_wait_for_it_while_another_stands_in() {
        let mut store = Store::open().await;
        store.reopen_with(Some(Embedder::builtin_as("dear"))).await;
        store.vectors.put(Kind::Failure, &(0..20).map(|id| point(id, 10)).collect::<Vec<_>>()).await.unwrap();
        store.reopen().await;
        let stand_in = store.vectors.clone().with_note("the endpoint is away");
        let mut moving = Move::begin(&stand_in).await.unwrap();
        while !moving.is_done() {
            moving.step(&stand_in).await.unwrap();
        }
        assert_eq!(store.all(Kind::Failure).await.len(), 20, "they are found meanwhile");
        stand_in.put(Kind::Failure, &[point(7, 12)]).await.unwrap();

        store.reopen_with(Some(Embedder::builtin_as("dear"))).await;
        let vectors = store.vectors.clone();
        let mut moving = Move::begin(&vectors).await.unwrap();
        while !moving.is_done() {
            moving.step(&vectors).await.unwrap();
        }
        assert_eq!(vectors.embedder().unwrap().counters().texts, 1, "what is newer");
        assert_eq!(vectors.get(Kind::Failure, &[7]).await.unwrap()[&7].facts.count, 12);
        assert!(vectors.former().await.unwrap().is_empty(), "ours cost nothing");
        store.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_move_that_died_goes_on_and_embeds_nothing_twice() {
        let mut store = Store::open().await;
        let old: Vec<Point> = (0..150).map(|id| point(id, 10)).collect();
        store.vectors.put(Kind::Failure, &old).await.unwrap();
        store.reopen_with(Some(Embedder::builtin_as("other"))).await;
        let vectors = store.vectors.clone();
        let asked = |vectors: &Vectors| vectors.embedder().unwrap().counters().texts;
        // One is known here and newer, one is known here and older.
        vectors.put(Kind::Failure, &[point(3, 11), point(4, 9)]).await.unwrap();
        let mut moving = Move::begin(&vectors).await.unwrap();
        while moving.progress().is_some_and(|progress| progress.done == 0) {
            moving.step(&vectors).await.unwrap();
        }
        let progress = moving.progress().unwrap();
        assert_eq!((progress.done, progress.total), (u64::from(PAGE), 150));
        drop(moving);

        store.reopen_with(Some(Embedder::builtin_as("other"))).await;
        let vectors = store.vectors.clone();
        let mut moving = Move::begin(&vectors).await.unwrap();
        while !moving.is_done() {
            moving.step(&vectors).await.unwrap();
        }
        assert_eq!(asked(&vectors), 150 - u64::from(PAGE), "the first page was there");
        assert!(vectors.former().await.unwrap().is_empty());
        let mut all = store.all(Kind::Failure).await;
        all.sort_by_key(|one| one.point.id);
        let counts: Vec<u64> = all.iter().map(|one| one.point.stored.facts.count).collect();
        let expected: Vec<u64> = (0..150).map(|id| if id == 3 { 11 } else { 10 }).collect();
        assert_eq!(counts, expected, "what is newer stays, what is older goes");
        store.close().await;
    }
}
