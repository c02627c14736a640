//! Follows the feed into the analytic store: reads a stretch, folds it, writes the intent, puts the rows in, moves on.
//!
//! While the rows of one stretch are on their way the next one is read; it is written down when they have arrived.

mod batch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use noetl_bus::feed::{Feed, FeedError, Heads};
use tokio::task::JoinError;
use tokio::time::{Duration, Instant};
use tokio_util::task::AbortOnDropHandle;

use crate::again::{Patience, Work};
use crate::analytics::{Analytics, AnalyticsError};
use crate::config::Config;
use crate::fingerprints::Fingerprints;
use crate::fold::Fold;
use crate::place::{Place, PlaceFile, Until};
use crate::rows::Rows;
use crate::status::{Part, Status};
use batch::{Ahead, Batch};

pub(crate) use crate::again::chain;

/// From one insert to the next while there is no backlog: many small ones cost more than what is in them.
const BREATH: Duration = Duration::from_millis(250);

#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error("cannot follow the feed")]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Analytics(#[from] AnalyticsError),
    #[error("cannot keep the place in the feed")]
    Place(#[from] std::io::Error),
    #[error("a part of the follower came apart")]
    Apart(#[from] JoinError),
}

pub(crate) struct Follower<F> {
    feed: Arc<F>,
    analytics: Analytics,
    fingerprints: Fingerprints,
    fold: Fold<F>,
    file: PlaceFile,
    config: Config,
    status: Status,
    ahead: Option<Ahead>,
    /// Rows that have arrived, emptied: their room is used again.
    spare: Rows,
}

/// A stretch whose rows are on their way.
struct Putting {
    until: Until,
    last_ms: i64,
    rows: u64,
    poison: u64,
    inserted: AbortOnDropHandle<Result<Rows, AnalyticsError>>,
}

impl<F: Feed> Work for Follower<F> {
    type Error = FollowError;

    /// Begins where the last run ended, and goes on until something fails.
    async fn go_on(&mut self, patience: &mut Patience) -> Result<(), FollowError> {
        let index = self.analytics.prepare(self.config.retention).await?;
        self.fold.rewind();
        self.fingerprints.tell_again();
        let mut place = self.begin(&index).await?;
        self.fingerprints.learned_to(place.events);
        self.tell_begun(&place, self.feed.heads().await?);
        let mut putting = None;
        if let Some(until) = place.intent {
            let batch = self.read(&place, Some(until)).await?;
            putting = Some(self.put(&mut place, batch)?);
        }
        let mut last_put: Option<Instant> = None;
        loop {
            // Before the look, so that what is committed behind it is not missed.
            let heads = self.feed.heads().await?;
            // While nothing is on its way the engine waits for this one.
            let most =
                if putting.is_none() { self.config.batch_rows.div_ceil(4) } else { self.config.batch_rows };
            let room = std::mem::take(&mut self.spare);
            let mut batch = Batch::after(place.intent.unwrap_or(place.reached()), room, most);
            self.fill(&mut batch, None).await?;
            if let Some(putting) = putting.take() {
                self.arrived(&mut place, putting).await?;
                patience.restore();
            }
            if batch.is_empty() {
                patience.restore();
                self.tell_level(&place, heads);
                self.spare = Rows::default();
                self.feed.changed(heads).await;
                continue;
            }
            if !batch.is_full() {
                // What comes in a breath comes along.
                if let Some(last) = last_put {
                    tokio::time::sleep_until(last + BREATH).await;
                }
                self.fill(&mut batch, None).await?;
            }
            last_put = Some(Instant::now());
            putting = Some(self.put(&mut place, batch)?);
        }
    }

    /// Tells why nothing arrives, and what waits for it.
    async fn failing(&self, reason: String) {
        let position = self.file.last().events;
        // A feed that fails too has told enough.
        let head = self.feed.heads().await.map_or(0, |heads| heads.events);
        let oldest = self.feed.events(position, 1, 1).await.unwrap_or_default();
        self.status.change(|status| {
            let analytics = &mut status.analytics;
            analytics.part = Part::Failing { reason };
            (analytics.position, analytics.head) = (position, head.max(analytics.head));
            analytics.behind = analytics.head.saturating_sub(position);
            analytics.lag_ms = oldest.first().map_or(0, |event| age(event.at_ms));
        });
    }
}

impl<F: Feed> Follower<F> {
    pub(crate) fn new(
        feed: Arc<F>,
        analytics: Analytics,
        fingerprints: Fingerprints,
        config: Config,
        status: Status,
    ) -> Self {
        let fold = Fold::new(Arc::clone(&feed), config.policy, fingerprints.clone());
        let file = PlaceFile::new(&config.directory, "analytics");
        Self {
            feed,
            analytics,
            fingerprints,
            fold,
            file,
            config,
            status,
            ahead: None,
            spare: Rows::default(),
        }
    }

    async fn begin(&self, index: &str) -> Result<Place, FollowError> {
        let mut place = self.file.load(index);
        if place.heads() == Heads::default() && place.intent.is_none() {
            // A lost file means no second copy: the store knows what it has.
            let known = self.analytics.heads().await?;
            (place.events, place.lines) = (known.events, known.lines);
        }
        Ok(place)
    }

    /// Reads and folds the next stretch: exactly up to an end, or as much as a batch holds.
    async fn read(&mut self, place: &Place, end: Option<Until>) -> Result<Batch, FollowError> {
        let mut batch = Batch::after(place.reached(), Rows::default(), self.config.batch_rows);
        self.fill(&mut batch, end).await?;
        Ok(batch)
    }

    /// Writes down what comes, and sends its rows on their way.
    fn put(&mut self, place: &mut Place, batch: Batch) -> Result<Putting, FollowError> {
        let mut rows = batch.rows;
        rows.templates = self.fingerprints.take_changed();
        self.fingerprints.save()?;
        if place.intent != Some(batch.until) {
            place.intent = Some(batch.until);
            self.file.save(place)?;
        }
        let (analytics, token) = (self.analytics.clone(), place.token(batch.until));
        Ok(Putting {
            until: batch.until,
            last_ms: batch.last_ms,
            rows: rows.len() as u64,
            poison: rows.poison.len() as u64,
            inserted: AbortOnDropHandle::new(tokio::spawn(async move {
                analytics.insert(&rows, &token).await.map(|()| rows)
            })),
        })
    }

    /// Waits for the rows of a stretch, and moves on behind it.
    async fn arrived(&mut self, place: &mut Place, putting: Putting) -> Result<(), FollowError> {
        self.spare = putting.inserted.await??;
        self.spare.clear();
        (place.events, place.lines, place.intent) = (putting.until.events, putting.until.lines, None);
        self.file.save(place)?;
        let head = self.feed.heads().await?.events;
        self.status.change(|status| {
            let analytics = &mut status.analytics;
            analytics.part = Part::On;
            analytics.reached(place.events, head, Some(putting.last_ms));
            analytics.rows += putting.rows;
            analytics.poison += putting.poison;
        });
        Ok(())
    }

    /// Tells that questions are answered from now on. What has failed is well again only when something arrives.
    fn tell_begun(&self, place: &Place, heads: Heads) {
        self.status.change(|status| {
            let analytics = &mut status.analytics;
            if analytics.part == Part::Starting {
                analytics.part = Part::On;
            }
            analytics.reached(place.events, heads.events, None);
        });
    }

    /// Tells that everything there was has arrived.
    fn tell_level(&self, place: &Place, heads: Heads) {
        self.status.change(|status| {
            let analytics = &mut status.analytics;
            analytics.part = Part::On;
            analytics.reached(place.events, heads.events, Some(0));
        });
    }
}

/// Milliseconds since a moment.
fn age(at_ms: i64) -> u64 {
    (chrono::Utc::now().timestamp_millis() - at_ms).max(0) as u64
}

/// As [`chain`], without the query that ClickHouse repeats in its messages.
pub(crate) fn brief(error: &dyn std::error::Error) -> String {
    let text = chain(error);
    let text = text.replace("bad response: ", "");
    let at = ["In scope ", " in scope "].iter().filter_map(|words| text.find(words)).min();
    match at {
        Some(at) => text[..at].trim_end_matches([' ', ':']).to_owned(),
        None => text,
    }
}
