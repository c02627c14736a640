//! Points that are let go: too old, or too many.

use qdrant_client::qdrant::{Condition, Filter, Range};

use super::kind::Kind;
use super::{VectorError, Vectors};
use crate::config::Retention;

/// Points of Executions, and of failures, that are kept.
const MOST: u64 = 100_000;
/// Of the points of Executions, how many may be of ones that completed: failures teach more.
const MOST_COMPLETED: u64 = MOST / 2;
/// The share that is left of what is too many, so that it does not become too many at once again.
const LEFT: f64 = 0.9;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Vectors {
    /// Deletes what is older than rows of its kind may be, and the oldest of what is too many.
    pub(crate) async fn sweep(&self, retention: Retention, now_ms: i64) -> Result<(), VectorError> {
        let executions = horizon(retention.executions, now_ms);
        self.delete_where(Kind::Execution, before(Filter::default(), executions)).await?;
        self.delete_where(Kind::Failure, before(Filter::default(), horizon(retention.hourly, now_ms)))
            .await?;
        let completed = Filter::must([Condition::matches("status", "COMPLETED".to_owned())]);
        self.trim(Kind::Execution, &completed, MOST_COMPLETED, now_ms).await?;
        self.trim(Kind::Execution, &Filter::default(), MOST, now_ms).await?;
        self.trim(Kind::Failure, &Filter::default(), MOST, now_ms).await
    }

    /// Deletes the oldest of the points that fit, when there are more than so many.
    pub(crate) async fn trim(
        &self,
        kind: Kind,
        fits: &Filter,
        most: u64,
        now_ms: i64,
    ) -> Result<(), VectorError> {
        let count = self.count(kind, Some(fits.clone())).await?;
        if count <= most {
            return Ok(());
        }
        let excess = count - (most as f64 * LEFT) as u64;
        // The earliest moment before which enough of them lie.
        let (mut too_few, mut enough) = (0, now_ms.saturating_add(DAY_MS));
        while enough - too_few > 1 {
            let middle = too_few + (enough - too_few) / 2;
            if self.count(kind, Some(before(fits.clone(), middle))).await? >= excess {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
        self.delete_where(kind, before(fits.clone(), enough)).await
    }
}

/// The moment before which points are too old.
pub(crate) fn horizon(days: u32, now_ms: i64) -> i64 {
    now_ms.saturating_sub(i64::from(days) * DAY_MS)
}

fn before(mut filter: Filter, at_ms: i64) -> Filter {
    filter.must.push(Condition::range("at_ms", Range { lt: Some(at_ms as f64), ..Range::default() }));
    filter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::point::{Point, Stored};
    use crate::vectors::testing::Store;

    fn point(id: u64, at_ms: i64, status: &str) -> Point {
        let mut stored = Stored::default();
        stored.facts.text = "completed".to_owned();
        stored.facts.status = status.to_owned();
        stored.seen_at(at_ms);
        Point { id, stored, behaviour: Some(vec![0.0; crate::vectors::BEHAVIOUR_NUMBERS]) }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_too_old_or_too_much_goes_and_the_newest_stay() {
        let mut store = Store::open().await;
        let now = 400 * DAY_MS;
        let points: Vec<Point> = (0..50)
            .map(|n| point(n, now - n as i64 * 10 * DAY_MS, if n % 2 == 0 { "COMPLETED" } else { "FAILED" }))
            .collect();
        store.vectors.put(Kind::Execution, &points).await.unwrap();
        let retention = Retention { executions: 365, ..Retention::default() };
        store.vectors.sweep(retention, now).await.unwrap();
        assert_eq!(store.vectors.count(Kind::Execution, Some(Filter::default())).await.unwrap(), 37);
        let completed = Filter::must([Condition::matches("status", "COMPLETED".to_owned())]);
        store.vectors.trim(Kind::Execution, &completed, 10, now).await.unwrap();
        let mut left: Vec<u64> = store.all(Kind::Execution).await.iter().map(|one| one.point.id).collect();
        left.sort_unstable();
        let completed: Vec<u64> = left.iter().copied().filter(|id| id % 2 == 0).collect();
        assert_eq!(completed, [0, 2, 4, 6, 8, 10, 12, 14, 16], "nine tenths of ten, the newest");
        assert_eq!(left.len(), 9 + 18, "failures stay");
        store.close().await;
    }
}
