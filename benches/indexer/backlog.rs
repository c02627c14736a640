//! The log: the real embedded store, filled with traffic, and the feed over it.

use std::sync::Arc;

use noetl_bus::feed::{CommittedEvent, CommittedLine, Definition, Feed, FeedError, Heads, Version};
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use noetl_server::ids::now_ms;
use noetl_server::store::{Append, EventStore as _, SqliteStore, StoreError, Summary};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::traffic::{Traffic, definition};

/// Events in a transaction, as a busy server has them.
const BATCH: u64 = 2_000;

/// Clones share the store.
#[derive(Clone)]
pub(crate) struct Backlog {
    store: SqliteStore,
    appended: Arc<Notify>,
    _directory: Arc<TempDir>,
}

impl Backlog {
    pub(crate) async fn empty() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let store = SqliteStore::open(directory.path()).await?;
        Ok(Self { store, appended: Arc::default(), _directory: Arc::new(directory) })
    }

    /// A store with at least so many Events of the last hours.
    pub(crate) async fn of(events: u64) -> anyhow::Result<Self> {
        let backlog = Self::empty().await?;
        let mut traffic = Traffic::new(1);
        let begin = now_ms() - 6 * 3_600_000;
        let mut written = 0;
        while written < events {
            // Six hours, however many Events they hold.
            let at_ms = begin + (written * 6 * 3_600_000 / events) as i64;
            written += backlog.append(&mut traffic, BATCH.min(events - written), at_ms).await?;
        }
        Ok(backlog)
    }

    /// Commits so many Events, and the few that belong into the same transaction; says how many.
    pub(crate) async fn append(&self, traffic: &mut Traffic, least: u64, at_ms: i64) -> anyhow::Result<u64> {
        let (mut batch, mut lines, mut count) = (Vec::new(), Vec::new(), 0);
        while count < least {
            let round = traffic.round(at_ms);
            let Some(first) = round.events.first() else { continue };
            let mut summary = Summary::of(first.execution);
            summary.path = round.path;
            if round.is_last {
                summary.status = Status::Completed;
            }
            let mut append = Append::new(first.execution, first.seq - 1, summary);
            count += round.events.len() as u64;
            append.events = round.events;
            batch.push(append);
            lines.extend(round.lines);
        }
        for outcome in self.store.append(batch).await {
            outcome?;
        }
        self.store.append_logs(lines).await?;
        self.appended.notify_waiters();
        Ok(count)
    }
}

fn failed(attempted: &'static str) -> impl Fn(StoreError) -> FeedError {
    move |source| FeedError { attempted, source: Box::new(source) }
}

impl Feed for Backlog {
    async fn heads(&self) -> Result<Heads, FeedError> {
        self.store.heads().await.map_err(failed("read the heads of the feed"))
    }

    async fn events(&self, after: u64, limit: usize, bytes: usize) -> Result<Vec<CommittedEvent>, FeedError> {
        self.store.committed_events(after, limit, bytes).await.map_err(failed("read the feed"))
    }

    async fn history(&self, execution: ExecutionId, up_to: u64) -> Result<Vec<CommittedEvent>, FeedError> {
        self.store.committed_history(execution, up_to).await.map_err(failed("read the log of an execution"))
    }

    async fn opening(&self, execution: ExecutionId) -> Result<Option<CommittedEvent>, FeedError> {
        self.store.committed_opening(execution).await.map_err(failed("read the first event of an execution"))
    }

    async fn lines(&self, after: u64, limit: usize) -> Result<Vec<CommittedLine>, FeedError> {
        self.store.committed_lines(after, limit).await.map_err(failed("read log lines"))
    }

    async fn changed(&self, after: Heads) {
        // Registered before the look, so that a commit in between is not missed.
        let appended = self.appended.notified();
        tokio::pin!(appended);
        appended.as_mut().enable();
        if self.store.heads().await.is_ok_and(|heads| heads != after) {
            return;
        }
        appended.await;
    }

    async fn definition(&self, path: &str, _: u32) -> Result<Option<Definition>, FeedError> {
        Ok(Some(definition(path)))
    }

    async fn definitions(&self) -> Result<Vec<Definition>, FeedError> {
        Ok(Vec::new())
    }

    async fn versions(&self) -> Result<Vec<Version>, FeedError> {
        Ok(Vec::new())
    }
}
