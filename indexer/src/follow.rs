//! Follows the feed into the analytic store: reads a stretch, folds it, writes the intent, puts the rows in, moves on.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use noetl_bus::feed::{Feed, FeedError, Heads};

use crate::again::{Patience, Work};
use crate::analytics::{Analytics, AnalyticsError};
use crate::config::Config;
use crate::fingerprints::Fingerprints;
use crate::fold::Fold;
use crate::place::{Place, PlaceFile, Until};
use crate::rows::Rows;
use crate::status::{Part, Status};

pub(crate) use crate::again::chain;

/// Events and lines read at once, at most.
const READ: usize = 10_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error("cannot follow the feed")]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Analytics(#[from] AnalyticsError),
    #[error("cannot keep the place in the feed")]
    Place(#[from] std::io::Error),
}

pub(crate) struct Follower<F> {
    feed: Arc<F>,
    analytics: Analytics,
    fingerprints: Fingerprints,
    fold: Fold<F>,
    file: PlaceFile,
    config: Config,
    status: Status,
}

/// A stretch of the feed and what follows from it.
struct Batch {
    rows: Rows,
    until: Until,
    /// When the last Event of it was committed, Unix milliseconds.
    last_ms: i64,
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
        if let Some(until) = place.intent {
            let batch = self.read(&place, Some(until)).await?;
            self.put(&mut place, batch).await?;
        }
        loop {
            patience.restore();
            let heads = self.feed.heads().await?;
            let seen = place.heads();
            self.tell(&place, heads, None);
            self.status.change(|status| status.analytics.part = Part::On);
            if seen == heads {
                self.feed.changed(heads).await;
                continue;
            }
            let batch = self.read(&place, None).await?;
            if batch.until == (Until { events: seen.events, lines: seen.lines }) {
                // The heads moved back: old executions were deleted.
                self.feed.changed(heads).await;
                continue;
            }
            self.put(&mut place, batch).await?;
        }
    }

    fn failing(&self, reason: String) {
        self.status.change(|status| status.analytics.part = Part::Failing { reason });
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
        Self { feed, analytics, fingerprints, fold, file, config, status }
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
        let mut until = Until { events: place.events, lines: place.lines };
        let mut rows = Rows::default();
        let mut last_ms = 0;
        let is_wanted = |position: u64, end: Option<u64>| end.is_none_or(|end| position <= end);
        // A stretch that was written down is read to its end, however its pages fall this time.
        'events: while end.is_some() || rows.len() < self.config.batch_rows {
            let page = self.feed.events(until.events, READ, self.config.read_bytes).await?;
            let Some(last) = page.last() else { break };
            last_ms = last.at_ms;
            for event in &page {
                if !is_wanted(event.position, end.map(|end| end.events)) {
                    break 'events;
                }
                self.fold.event(event, &mut rows).await?;
                until.events = event.position;
            }
        }
        let page = self.feed.lines(until.lines, READ).await?;
        for line in page.iter().filter(|line| is_wanted(line.position, end.map(|end| end.lines))) {
            self.fold.line(line, &mut rows).await?;
            until.lines = line.position;
        }
        rows.templates = self.fingerprints.take_changed();
        // The token names the stretch that was written down, whatever of it is still in the log.
        Ok(Batch { rows, until: end.unwrap_or(until), last_ms })
    }

    async fn put(&mut self, place: &mut Place, batch: Batch) -> Result<(), FollowError> {
        self.fingerprints.save()?;
        if place.intent != Some(batch.until) {
            place.intent = Some(batch.until);
            self.file.save(place)?;
        }
        self.analytics.insert(&batch.rows, &place.token(batch.until)).await?;
        (place.events, place.lines, place.intent) = (batch.until.events, batch.until.lines, None);
        self.file.save(place)?;
        let heads = self.feed.heads().await?;
        self.tell(place, heads, Some(&batch));
        Ok(())
    }

    fn tell(&self, place: &Place, heads: Heads, batch: Option<&Batch>) {
        self.status.change(|status| {
            let analytics = &mut status.analytics;
            analytics.reached(place.events, heads.events, batch.map(|batch| batch.last_ms));
            if let Some(batch) = batch {
                analytics.rows += batch.rows.len() as u64;
                analytics.poison += batch.rows.poison.len() as u64;
            }
        });
    }
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
