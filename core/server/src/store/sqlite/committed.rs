//! What was committed, unparsed, for followers outside the control plane.

use noetl_bus::feed::{CommittedEvent, CommittedLine, Heads};
use noetl_domain::id::ExecutionId;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{SqliteStore, StoreError, logs};

/// Events that come as one text.
const PACK: usize = 128;

/// A row through the library costs several times what reading it costs, so many come as one: a line of numbers for each
/// Event, the last of which is the length of its text, and their texts behind one another.
const PACKED: &str = "SELECT \
     group_concat(printf('%d %d %d %d %d %d', position, execution_id, seq, event_id, at_ms, octet_length(data)), char(10)), \
     group_concat(data, '') \
     FROM (SELECT position, execution_id, seq, event_id, at_ms, data FROM event_row \
     WHERE position > ? ORDER BY position LIMIT ?)";

const UNREADABLE: &str = "packed events are not in their form";

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
        let (mut events, mut taken) = (Vec::new(), 0);
        while events.len() < limit && taken < bytes {
            let last = events.last().map_or(after, |event: &CommittedEvent| event.position);
            let most = PACK.min(limit - events.len());
            let (numbers, texts): (Option<String>, Option<String>) = sqlx::query_as(PACKED)
                .bind(last as i64)
                .bind(most as i64)
                .fetch_one(&self.readers)
                .await
                .map_err(failed)?;
            let (Some(numbers), Some(texts)) = (numbers, texts) else { break };
            taken += texts.len();
            let before = events.len();
            unpack(&numbers, &texts, &mut events)
                .ok_or_else(|| failed(sqlx::Error::Protocol(UNREADABLE.to_owned())))?;
            if events.len() - before < most {
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

/// Takes packed events apart; none when they are not in their form.
fn unpack(numbers: &str, mut texts: &str, events: &mut Vec<CommittedEvent>) -> Option<()> {
    for line in numbers.split('\n') {
        let mut numbers = line.split(' ');
        let mut next = || numbers.next()?.parse::<i64>().ok();
        let (position, execution, seq, event_id, at_ms) = (next()?, next()?, next()?, next()?, next()?);
        let (data, rest) = texts.split_at_checked(next()? as usize)?;
        texts = rest;
        events.push(CommittedEvent {
            position: position as u64,
            execution: ExecutionId(execution as u64),
            seq: seq as u64,
            event_id: event_id as u64,
            at_ms,
            data: data.to_owned(),
        });
    }
    texts.is_empty().then_some(())
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
