//! What was committed, unparsed, for followers outside the control plane.

use futures::TryStreamExt as _;
use noetl_bus::feed::{CommittedEvent, CommittedLine, Heads};
use noetl_domain::id::ExecutionId;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{SqliteStore, StoreError, logs};

const SELECT: &str = "SELECT position, execution_id, seq, event_id, at_ms, data FROM event_row WHERE ";

impl SqliteStore {
    /// Where events and log lines end.
    pub async fn heads(&self) -> Result<Heads, StoreError> {
        let failed = |source| StoreError::failed("read the heads of the feed", source);
        let row = sqlx::query(
            "SELECT (SELECT max(position) FROM event_row) AS events, (SELECT max(id) FROM log_row) AS lines",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        let head = |name| Ok(row.try_get::<Option<i64>, _>(name).map_err(failed)?.unwrap_or(0) as u64);
        Ok(Heads { events: head("events")?, lines: head("lines")? })
    }

    /// Events of all Executions after a position, in the order of commits: at most so many, and about so many bytes.
    pub async fn committed_events(
        &self,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<CommittedEvent>, StoreError> {
        let failed = |source| StoreError::failed("read events", source);
        let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
        sql.push("position > ").push_bind(after as i64);
        sql.push(" ORDER BY position LIMIT ").push_bind(limit as i64);
        let mut rows = sql.build().fetch(&self.readers);
        let (mut events, mut taken) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let event = event(&row).map_err(failed)?;
            taken += event.data.len();
            events.push(event);
            if taken >= bytes {
                break;
            }
        }
        Ok(events)
    }

    /// The log of one Execution up to a position.
    pub async fn committed_history(
        &self,
        execution: ExecutionId,
        up_to: u64,
    ) -> Result<Vec<CommittedEvent>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
        sql.push("execution_id = ").push_bind(execution.0 as i64);
        sql.push(" AND position <= ").push_bind(up_to as i64).push(" ORDER BY seq");
        self.committed(sql).await
    }

    /// The first Event of an Execution.
    pub async fn committed_opening(
        &self,
        execution: ExecutionId,
    ) -> Result<Option<CommittedEvent>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
        sql.push("execution_id = ").push_bind(execution.0 as i64).push(" AND seq = 1");
        Ok(self.committed(sql).await?.pop())
    }

    /// Log lines of all Executions after a place.
    pub async fn committed_lines(&self, after: u64, limit: usize) -> Result<Vec<CommittedLine>, StoreError> {
        let failed = |source| StoreError::failed("read log lines", source);
        let rows = sqlx::query("SELECT * FROM log_row WHERE id > ? ORDER BY id LIMIT ?")
            .bind(after as i64)
            .bind(limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let logged = logs::line(row).map_err(failed)?;
                Ok(CommittedLine { position: logged.id, line: logged.line })
            })
            .collect()
    }

    async fn committed(&self, mut sql: QueryBuilder<Sqlite>) -> Result<Vec<CommittedEvent>, StoreError> {
        let failed = |source| StoreError::failed("read events", source);
        let rows = sql.build().fetch_all(&self.readers).await.map_err(failed)?;
        rows.iter().map(|row| event(row).map_err(failed)).collect()
    }
}

fn event(row: &SqliteRow) -> Result<CommittedEvent, sqlx::Error> {
    Ok(CommittedEvent {
        position: row.try_get::<i64, _>(0)? as u64,
        execution: ExecutionId(row.try_get::<i64, _>(1)? as u64),
        seq: row.try_get::<i64, _>(2)? as u64,
        event_id: row.try_get::<i64, _>(3)? as u64,
        at_ms: row.try_get(4)?,
        data: row.try_get(5)?,
    })
}
