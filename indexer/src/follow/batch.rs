//! Reads a stretch of the feed and folds it into rows.

use std::sync::Arc;

use noetl_bus::feed::{CommittedEvent, Feed, FeedError};
use tokio_util::task::AbortOnDropHandle;

use super::{FollowError, Follower};
use crate::place::Until;
use crate::rows::Rows;

/// Events and lines read at once, at most.
const READ: usize = 10_000;
/// Events folded before others have a turn on this thread.
const TURN: usize = 256;

/// A stretch of the feed and what follows from it.
pub(super) struct Batch {
    after: Until,
    pub(super) until: Until,
    pub(super) rows: Rows,
    /// Rows after which it is sent, whatever else there is.
    most: usize,
    /// When the last Event of it was committed, Unix milliseconds.
    pub(super) last_ms: i64,
}

/// A page that is read while the one before it is folded.
pub(super) struct Ahead {
    after: u64,
    page: AbortOnDropHandle<Result<Vec<CommittedEvent>, FeedError>>,
}

impl Batch {
    /// `room` holds no rows, but may have room for them.
    pub(super) fn after(place: Until, room: Rows, most: usize) -> Self {
        Self { after: place, until: place, rows: room, most, last_ms: 0 }
    }

    /// Nothing lies behind the place where it begins.
    pub(super) fn is_empty(&self) -> bool {
        self.after == self.until
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.most
    }
}

impl<F: Feed> Follower<F> {
    /// Reads on: exactly up to an end, or as much as a batch holds.
    ///
    /// A stretch that was written down is read to its end, however its pages fall this time, and keeps its name,
    /// whatever of it is still in the log.
    pub(super) async fn fill(&mut self, batch: &mut Batch, end: Option<Until>) -> Result<(), FollowError> {
        self.fill_events(batch, end.map(|end| end.events)).await?;
        self.fill_lines(batch, end.map(|end| end.lines)).await?;
        batch.until = end.unwrap_or(batch.until);
        Ok(())
    }

    async fn fill_events(&mut self, batch: &mut Batch, end: Option<u64>) -> Result<(), FollowError> {
        while end.is_some() || !batch.is_full() {
            let page = self.page(batch.until.events).await?;
            let Some(last) = page.last().filter(|last| last.position > batch.until.events) else { break };
            batch.last_ms = last.at_ms;
            if page.len() == READ {
                self.read_ahead(last.position);
            }
            for (turn, event) in page.iter().enumerate() {
                if end.is_some_and(|end| event.position > end) {
                    return Ok(());
                }
                // A feed may hand something out twice.
                if event.position > batch.until.events {
                    self.fold.event(event, &mut batch.rows).await?;
                    batch.until.events = event.position;
                }
                if turn % TURN == TURN - 1 {
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }

    /// The Events after a position.
    async fn page(&mut self, after: u64) -> Result<Vec<CommittedEvent>, FollowError> {
        match self.ahead.take() {
            Some(ahead) if ahead.after == after => Ok(ahead.page.await??),
            _ => Ok(self.feed.events(after, READ, self.config.read_bytes).await?),
        }
    }

    fn read_ahead(&mut self, after: u64) {
        let (feed, bytes) = (Arc::clone(&self.feed), self.config.read_bytes);
        let page = tokio::spawn(async move { feed.events(after, READ, bytes).await });
        self.ahead = Some(Ahead { after, page: AbortOnDropHandle::new(page) });
    }

    /// A page in any case, so that lines do not wait for the end of a backlog of Events; but none that is ahead of them,
    /// because what it belongs to would have to be looked up.
    async fn fill_lines(&mut self, batch: &mut Batch, end: Option<u64>) -> Result<(), FollowError> {
        loop {
            let page = self.feed.lines(batch.until.lines, READ).await?;
            for line in &page {
                let is_ahead = end.is_none() && batch.is_full() && line.line.at_ms > batch.last_ms;
                if is_ahead || end.is_some_and(|end| line.position > end) {
                    return Ok(());
                }
                if line.position > batch.until.lines {
                    self.fold.line(line, &mut batch.rows).await?;
                    batch.until.lines = line.position;
                }
            }
            if page.len() < READ || (end.is_none() && batch.is_full()) {
                return Ok(());
            }
        }
    }
}
