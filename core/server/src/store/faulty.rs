//! A store that fails on request, around a real one; for tests of everything above it.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use noetl_domain::event::Recorded;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;

use super::{
    Append, AppendError, Committed, EventQuery, EventStore, LogQuery, Logged, OutboxRow, Positioned,
    StoreError, Summary, SummaryQuery, TimerRow,
};

/// How an append fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing is written and the caller is told.
    Before,
    /// Everything is written but the caller is told that it failed: an answer lost on its way.
    After,
}

/// Fails chosen calls of `append`; everything else goes to the store inside.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: S,
    calls: AtomicU64,
    faults: Mutex<BTreeSet<(u64, Fault)>>,
}

impl<S> FaultyStore<S> {
    pub fn new(inner: S) -> Self {
        Self { inner, calls: AtomicU64::new(0), faults: Mutex::default() }
    }

    /// Makes the `n`-th call of `append` from now on fail; 1 is the next one.
    pub fn fail(&self, n: u64, fault: Fault) {
        let at = self.calls.load(Ordering::SeqCst) + n;
        self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert((at, fault));
    }

    /// How often `append` was called.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn fault_of(&self, call: u64) -> Option<Fault> {
        let faults = self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        [Fault::Before, Fault::After].into_iter().find(|fault| faults.contains(&(call, *fault)))
    }
}

fn injected() -> StoreError {
    StoreError::failed("write events", std::io::Error::other("injected: the disk is full"))
}

impl<S: EventStore> EventStore for FaultyStore<S> {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Committed, AppendError>> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = self.fault_of(call);
        if fault == Some(Fault::Before) {
            return batch.iter().map(|_| Err(injected().into())).collect();
        }
        let outcomes = self.inner.append(batch).await;
        if fault == Some(Fault::After) {
            return outcomes.iter().map(|_| Err(injected().into())).collect();
        }
        outcomes
    }

    fn load(
        &self,
        execution: ExecutionId,
        after_seq: u64,
    ) -> impl Future<Output = Result<Vec<Recorded>, StoreError>> + Send {
        self.inner.load(execution, after_seq)
    }

    fn feed(
        &self,
        after_position: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Positioned>, StoreError>> + Send {
        self.inner.feed(after_position, limit)
    }

    fn head(&self) -> impl Future<Output = Result<u64, StoreError>> + Send {
        self.inner.head()
    }

    fn events(&self, query: EventQuery) -> impl Future<Output = Result<Vec<Positioned>, StoreError>> + Send {
        self.inner.events(query)
    }

    fn unfinished(&self) -> impl Future<Output = Result<Vec<ExecutionId>, StoreError>> + Send {
        self.inner.unfinished()
    }

    fn timers(&self) -> impl Future<Output = Result<Vec<TimerRow>, StoreError>> + Send {
        self.inner.timers()
    }

    fn outbox(
        &self,
        execution: ExecutionId,
    ) -> impl Future<Output = Result<Vec<OutboxRow>, StoreError>> + Send {
        self.inner.outbox(execution)
    }

    fn summary(
        &self,
        execution: ExecutionId,
    ) -> impl Future<Output = Result<Option<Summary>, StoreError>> + Send {
        self.inner.summary(execution)
    }

    fn summaries(
        &self,
        query: SummaryQuery,
    ) -> impl Future<Output = Result<Vec<Summary>, StoreError>> + Send {
        self.inner.summaries(query)
    }

    fn find_duplicate(
        &self,
        key: &str,
        since_ms: i64,
    ) -> impl Future<Output = Result<Option<ExecutionId>, StoreError>> + Send {
        self.inner.find_duplicate(key, since_ms)
    }

    fn append_logs(&self, lines: Vec<LogLine>) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.inner.append_logs(lines)
    }

    fn logs(&self, query: LogQuery) -> impl Future<Output = Result<Vec<Logged>, StoreError>> + Send {
        self.inner.logs(query)
    }

    fn count_finished(&self, before_ms: i64) -> impl Future<Output = Result<u64, StoreError>> + Send {
        self.inner.count_finished(before_ms)
    }

    fn clean_up(
        &self,
        before_ms: i64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ExecutionId>, StoreError>> + Send {
        self.inner.clean_up(before_ms, limit)
    }

    fn largest_id(&self) -> impl Future<Output = Result<u64, StoreError>> + Send {
        self.inner.largest_id()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SqliteStore, Summary};
    use super::*;

    #[tokio::test]
    async fn the_chosen_append_fails_before_or_after_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = FaultyStore::new(SqliteStore::open(directory.path()).await.unwrap());
        store.fail(2, Fault::Before);
        store.fail(3, Fault::After);
        let mut told = Vec::new();
        for id in 1..=4 {
            let id = ExecutionId(id);
            told.push(store.append(vec![Append::new(id, 0, Summary::of(id))]).await[0].is_ok());
        }
        assert_eq!(told, [true, false, false, true]);
        assert_eq!(store.unfinished().await.unwrap(), [ExecutionId(1), ExecutionId(3), ExecutionId(4)]);
    }
}
