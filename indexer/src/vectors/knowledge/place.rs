//! Passages put into the collection: what is new is embedded, what is gone is deleted, the rest is left alone.

use std::collections::HashSet;

use noetl_api::search::Facts;
use qdrant_client::qdrant::{Condition, Filter};

use super::cut::Passage;
use crate::vectors::point::id;
use crate::vectors::{Kind, Point, Stored, VectorError, Vectors};

/// Points deleted at once.
const CHUNK: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) new: u64,
    pub(super) gone: u64,
}

/// The id follows from what a passage says, so that one that only moved inside its document is the same.
pub(super) fn point(source: &str, passage: &Passage, added_ms: i64) -> Point {
    let Passage { title, text } = passage;
    let facts =
        Facts { title: title.clone(), text: text.clone(), source: source.to_owned(), ..Facts::default() };
    let mut stored = Stored { facts, ..Stored::default() };
    if added_ms != 0 {
        stored.seen_at(added_ms);
    }
    Point { id: id(&[source, title, text]), stored, behaviour: None }
}

pub(super) fn of(source: &str) -> Filter {
    Filter::must([Condition::matches("source", source.to_owned())])
}

pub(super) fn any_of(sources: Vec<String>) -> Filter {
    Filter::must([Condition::matches("source", sources)])
}

pub(super) fn none_of(sources: Vec<String>) -> Filter {
    Filter::must_not([Condition::matches("source", sources)])
}

/// Makes these the points that a filter finds. New ones come before old ones go, so that a document is never gone.
pub(super) async fn place(
    vectors: &Vectors,
    filter: Filter,
    points: Vec<Point>,
) -> Result<Placed, VectorError> {
    let held = ids(vectors, filter).await?;
    let wanted: HashSet<u64> = points.iter().map(|point| point.id).collect();
    let new: Vec<Point> = points.into_iter().filter(|point| !held.contains(&point.id)).collect();
    vectors.put(Kind::Knowledge, &new).await?;
    let gone: Vec<u64> = held.difference(&wanted).copied().collect();
    for chunk in gone.chunks(CHUNK) {
        vectors.delete(Kind::Knowledge, chunk).await?;
    }
    Ok(Placed { new: new.len() as u64, gone: gone.len() as u64 })
}

async fn ids(vectors: &Vectors, filter: Filter) -> Result<HashSet<u64>, VectorError> {
    let collection = vectors.collection(Kind::Knowledge);
    let (mut ids, mut from) = (HashSet::new(), None);
    loop {
        let (page, next) = vectors.page(&collection, Some(filter.clone()), from).await?;
        ids.extend(page.into_iter().map(|(id, _)| id));
        if next.is_none() {
            return Ok(ids);
        }
        from = next;
    }
}
