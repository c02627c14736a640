//! The event log and what is kept beside it: one trait, one implementation per database, one suite over them all.
//!
//! Only the store appends, and only the orchestrator asks it to.

mod aliases;
mod append;
pub mod conformance;
mod error;
pub mod faulty;
mod lock;
mod query;
pub mod retention;
pub mod sqlite;

use std::future::Future;

use noetl_domain::event::Recorded;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;

pub use aliases::canonical_names;
pub use append::{Append, AppendError, Committed, Dedup, OutboxRow, StepCounts, Summary, TimerRow};
pub use error::{Holder, StoreError};
pub use lock::DataLock;
pub use query::{EventQuery, LogQuery, Logged, Order, Positioned, SummaryQuery};
pub use sqlite::SqliteStore;

/// Keeps the logs of all Executions, and the rows that follow from them.
///
/// The suite in [`conformance`] says what every implementation must do.
pub trait EventStore: Send + Sync + 'static {
    /// Appends to many Executions in one transaction with one sync to disk.
    ///
    /// A conflict or a duplicate refuses only its own item; a failure of the store refuses everything else and leaves
    /// nothing half-written.
    /// Items for the same Execution follow each other in the order of the batch.
    fn append(&self, batch: Vec<Append>) -> impl Future<Output = Vec<Result<Committed, AppendError>>> + Send;

    /// The log of an Execution after an Event, in order.
    fn load(
        &self,
        execution: ExecutionId,
        after_seq: u64,
    ) -> impl Future<Output = Result<Vec<Recorded>, StoreError>> + Send;

    /// Events of all Executions in the order they were committed; for followers.
    fn feed(
        &self,
        after_position: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Positioned>, StoreError>> + Send;

    /// The position of the newest Event; 0 when there is none.
    fn head(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    fn events(&self, query: EventQuery) -> impl Future<Output = Result<Vec<Positioned>, StoreError>> + Send;

    /// Executions that have not ended, oldest first.
    fn unfinished(&self) -> impl Future<Output = Result<Vec<ExecutionId>, StoreError>> + Send;

    /// Every timer that has not fired, soonest first.
    fn timers(&self) -> impl Future<Output = Result<Vec<TimerRow>, StoreError>> + Send;

    /// The Commands of an Execution that were issued and not answered.
    fn outbox(
        &self,
        execution: ExecutionId,
    ) -> impl Future<Output = Result<Vec<OutboxRow>, StoreError>> + Send;

    fn summary(
        &self,
        execution: ExecutionId,
    ) -> impl Future<Output = Result<Option<Summary>, StoreError>> + Send;

    /// A page of Executions, newest first; the last one's id is the next page's `before`.
    fn summaries(&self, query: SummaryQuery)
    -> impl Future<Output = Result<Vec<Summary>, StoreError>> + Send;

    /// The Execution that was started under this key at or after a moment.
    fn find_duplicate(
        &self,
        key: &str,
        since_ms: i64,
    ) -> impl Future<Output = Result<Option<ExecutionId>, StoreError>> + Send;

    /// Keeps what tools printed; not synced to disk, because the log is the record.
    fn append_logs(&self, lines: Vec<LogLine>) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn logs(&self, query: LogQuery) -> impl Future<Output = Result<Vec<Logged>, StoreError>> + Send;

    /// How many Executions [`EventStore::clean_up`] would delete in the end.
    fn count_finished(&self, before_ms: i64) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes up to `limit` Executions that ended, with their whole family, before a moment.
    ///
    /// Returns which; call it until it returns none.
    /// Works in short transactions and takes up what an earlier call left undone.
    fn clean_up(
        &self,
        before_ms: i64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ExecutionId>, StoreError>> + Send;

    /// The largest id that was ever recorded, so that new ids come after it.
    fn largest_id(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
