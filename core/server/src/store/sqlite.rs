//! The embedded store: one SQLite file, one connection that writes, several that read.
//!
//! WAL with `synchronous = FULL`: a commit is one sync of the WAL, shared by everything in its batch.

mod append;
mod bare;
mod clean_up;
mod committed;
mod connect;
mod logs;
mod migrate;
mod read;
mod script;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use noetl_domain::event::Recorded;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use tokio::sync::{Mutex, Notify};

use super::{
    Append, AppendError, Committed, EventQuery, EventStore, LogQuery, Logged, OutboxRow, Positioned,
    StoreError, Summary, SummaryQuery, TimerRow,
};
pub(crate) use append::Writer;
pub use bare::bare_inserts;

/// The name of the database inside a data directory.
pub const FILE: &str = "noetl.db";

/// Clones share the connections.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) writer: Arc<Mutex<Writer>>,
    pub(crate) readers: SqlitePool,
    /// Told when log lines were written.
    pub(crate) lines: Arc<Notify>,
    file: PathBuf,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.file).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens `noetl.db` in a data directory, creating or upgrading it.
    ///
    /// Hold a [`super::DataLock`] of the directory: two writers would refuse each other's appends.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        connect::open(directory).await
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Runs one statement, or several that bring their own transaction, on the connection that writes.
    pub(crate) async fn write(
        &self,
        attempted: &'static str,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let failed = |source| StoreError::failed(attempted, source);
        let mut writer = self.writer.lock().await;
        let connection = writer.take_up().await.map_err(failed)?;
        let rows = query.fetch_all(connection).await.map_err(failed)?;
        writer.settled();
        Ok(rows)
    }

    /// Writes the WAL back into the database file and closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.lock().await.close().await;
    }
}

impl EventStore for SqliteStore {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Committed, AppendError>> {
        append::append(self, batch).await
    }

    async fn load(&self, execution: ExecutionId, after_seq: u64) -> Result<Vec<Recorded>, StoreError> {
        read::load(&self.readers, execution, after_seq).await
    }

    async fn feed(&self, after_position: u64, limit: usize) -> Result<Vec<Positioned>, StoreError> {
        read::feed(&self.readers, after_position, limit).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        read::head(&self.readers).await
    }

    async fn events(&self, query: EventQuery) -> Result<Vec<Positioned>, StoreError> {
        read::events(&self.readers, query).await
    }

    async fn unfinished(&self) -> Result<Vec<ExecutionId>, StoreError> {
        summary::unfinished(&self.readers).await
    }

    async fn timers(&self) -> Result<Vec<TimerRow>, StoreError> {
        read::timers(&self.readers).await
    }

    async fn outbox(&self, execution: ExecutionId) -> Result<Vec<OutboxRow>, StoreError> {
        read::outbox(&self.readers, execution).await
    }

    async fn summary(&self, execution: ExecutionId) -> Result<Option<Summary>, StoreError> {
        summary::one(&self.readers, execution).await
    }

    async fn summaries(&self, query: SummaryQuery) -> Result<Vec<Summary>, StoreError> {
        summary::page(&self.readers, query).await
    }

    async fn find_duplicate(&self, key: &str, since_ms: i64) -> Result<Option<ExecutionId>, StoreError> {
        summary::find_duplicate(&self.readers, key, since_ms).await
    }

    async fn append_logs(&self, lines: Vec<LogLine>) -> Result<(), StoreError> {
        logs::append(self, lines).await
    }

    async fn logs(&self, query: LogQuery) -> Result<Vec<Logged>, StoreError> {
        logs::read(&self.readers, query).await
    }

    async fn count_finished(&self, before_ms: i64) -> Result<u64, StoreError> {
        clean_up::count(&self.readers, before_ms).await
    }

    async fn clean_up(&self, before_ms: i64, limit: usize) -> Result<Vec<ExecutionId>, StoreError> {
        clean_up::run(self, before_ms, limit).await
    }

    async fn largest_id(&self) -> Result<u64, StoreError> {
        read::largest_id(&self.readers).await
    }
}

#[cfg(test)]
mod tests;
