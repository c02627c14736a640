//! Points that lie in the space of another embedder are moved into this one's, a page at a time.
//!
//! Their texts are embedded again, behaviour is carried over, and what is newer here stays. A collection is deleted
//! when everything in it is here, so a process that dies begins again with the ones that are left and embeds nothing
//! twice. Nothing is ever compared across spaces.

use std::collections::HashMap;

use super::kind::Kind;
use super::point::{Point, Stored};
use super::{VectorError, Vectors};
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
}

impl Move {
    pub(crate) async fn begin(vectors: &Vectors) -> Result<Self, VectorError> {
        Ok(Self { former: vectors.former().await?, ..Self::default() })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.former.is_empty()
    }

    pub(crate) fn progress(&self) -> Option<Moving> {
        self.progress.clone()
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
        for (_, collection) in self.former.iter().filter(|(of, _)| *of == kind) {
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
        vectors.add(kind, &absent).await?;
        vectors.put(kind, &older).await?;
        if let Some(progress) = &mut self.progress {
            progress.done += ids.len() as u64;
        }
        self.next = next;
        if next.is_none() {
            vectors.drop_collection(&collection).await?;
            self.former.remove(0);
            self.progress = None;
        }
        Ok(())
    }
}

fn is_newer(one: &Stored, other: &Stored) -> bool {
    (one.position, one.at_ms) > (other.position, other.at_ms)
}
