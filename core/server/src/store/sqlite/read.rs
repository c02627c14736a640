//! Reading the log, and the rows that a restart begins with.

use noetl_domain::event::{Event, Recorded, TimerKey};
use noetl_domain::id::{CommandId, ExecutionId};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::super::{Order, canonical_names};
use super::{EventQuery, OutboxRow, Positioned, StoreError, TimerRow};

const SELECT: &str = "SELECT position, execution_id, seq, event_id, at_ms, data FROM event_row";

pub(super) async fn load(
    pool: &SqlitePool,
    execution: ExecutionId,
    after_seq: u64,
) -> Result<Vec<Recorded>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE execution_id = ").push_bind(execution.0 as i64);
    // An Execution whose rows are being deleted is gone already: a part of its log would be a lie.
    sql.push(" AND NOT EXISTS (SELECT 1 FROM purge_row WHERE execution_id = ").push_bind(execution.0 as i64);
    sql.push(") AND seq > ").push_bind(after_seq as i64).push(" ORDER BY seq");
    Ok(fetch(pool, sql).await?.into_iter().map(|positioned| positioned.recorded).collect())
}

pub(super) async fn feed(
    pool: &SqlitePool,
    after_position: u64,
    limit: usize,
) -> Result<Vec<Positioned>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE position > ").push_bind(after_position as i64);
    sql.push(" ORDER BY position LIMIT ").push_bind(limit as i64);
    fetch(pool, sql).await
}

pub(super) async fn events(pool: &SqlitePool, query: EventQuery) -> Result<Vec<Positioned>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    let mut wheres = sql.separated(" AND ");
    wheres.push_unseparated(" WHERE ").push("1");
    if let Some(execution) = query.execution {
        wheres.push("execution_id = ").push_bind_unseparated(execution.0 as i64);
    }
    if let Some(seq) = query.after_seq {
        wheres.push("seq > ").push_bind_unseparated(seq as i64);
    }
    // Ids grow along a log and along the commits, so a known id is as good as its place, which has an index.
    let place = if query.execution.is_some() { "seq" } else { "position" };
    for (bound, comparison) in [(query.after_event_id, '>'), (query.before_event_id, '<')] {
        if let Some(event_id) = bound {
            match place_of(pool, place, event_id, query.execution).await? {
                Some(known) => wheres.push(format!("{place} {comparison} ")).push_bind_unseparated(known),
                None => wheres.push(format!("event_id {comparison} ")).push_bind_unseparated(event_id as i64),
            };
        }
    }
    if !query.names.is_empty() {
        let names: Vec<&str> = query.names.iter().flat_map(|name| canonical_names(name)).collect();
        wheres.push("event_type IN (");
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                wheres.push_unseparated(", ");
            }
            wheres.push_bind_unseparated((*name).to_owned());
        }
        wheres.push_unseparated(")");
    }
    if let Some(step) = query.step {
        wheres.push("node_name = ").push_bind_unseparated(step);
    }
    let direction = match query.order {
        Order::OldestFirst => "ASC",
        Order::NewestFirst => "DESC",
    };
    sql.push(format!(" ORDER BY {place} {direction} LIMIT "));
    sql.push_bind(query.limit.unwrap_or(1000) as i64);
    fetch(pool, sql).await
}

async fn place_of(
    pool: &SqlitePool,
    place: &str,
    event_id: u64,
    execution: Option<ExecutionId>,
) -> Result<Option<i64>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(format!("SELECT {place} FROM event_row WHERE event_id = "));
    sql.push_bind(event_id as i64);
    if let Some(execution) = execution {
        sql.push(" AND execution_id = ").push_bind(execution.0 as i64);
    }
    sql.build_query_scalar()
        .fetch_optional(pool)
        .await
        .map_err(|source| StoreError::failed("find an event", source))
}

pub(super) async fn head(pool: &SqlitePool) -> Result<u64, StoreError> {
    let head: Option<i64> = sqlx::query_scalar("SELECT max(position) FROM event_row")
        .fetch_one(pool)
        .await
        .map_err(|source| StoreError::failed("read the head of the feed", source))?;
    Ok(head.unwrap_or(0) as u64)
}

pub(super) async fn timers(pool: &SqlitePool) -> Result<Vec<TimerRow>, StoreError> {
    let failed = |source| StoreError::failed("read timers", source);
    let rows = sqlx::query("SELECT timer, due_ms FROM timer_row ORDER BY due_ms, timer")
        .fetch_all(pool)
        .await
        .map_err(failed)?;
    let read = |row: &SqliteRow| {
        let text: &str = row.try_get(0).map_err(failed)?;
        let (execution, key) = text.split_once(':').unwrap_or_default();
        let unreadable = |source| StoreError::unreadable(format!("timer {text}"), source);
        let key: TimerKey = serde_json::from_str(key).map_err(unreadable)?;
        let execution = execution.parse().map_err(|source| StoreError::unreadable("a timer", source))?;
        Ok(TimerRow { execution, key, due_ms: row.try_get(1).map_err(failed)? })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn outbox(pool: &SqlitePool, execution: ExecutionId) -> Result<Vec<OutboxRow>, StoreError> {
    let failed = |source| StoreError::failed("read the outbox", source);
    let rows = sqlx::query(
        "SELECT step, run, batch, attempt FROM outbox_row WHERE command > ? AND command < ? ORDER BY step, run, batch",
    )
    // Everything that begins with the id and a colon; a semicolon is the next character.
    .bind(format!("{execution}:"))
    .bind(format!("{execution};"))
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let read = |row: &SqliteRow| -> Result<OutboxRow, sqlx::Error> {
        let id = CommandId { execution, step: row.try_get(0)?, run: row.try_get(1)?, batch: row.try_get(2)? };
        Ok(OutboxRow { id, attempt: row.try_get(3)? })
    };
    rows.iter().map(|row| read(row).map_err(failed)).collect()
}

pub(super) async fn largest_id(pool: &SqlitePool) -> Result<u64, StoreError> {
    let largest: i64 = sqlx::query_scalar(
        "SELECT max(coalesce((SELECT max(event_id) FROM event_row), 0), \
         coalesce((SELECT max(execution_id) FROM execution_row), 0), \
         coalesce((SELECT max(catalog_id) FROM catalog_row), 0), \
         coalesce((SELECT max(proposal_id) FROM proposal_row), 0), \
         coalesce((SELECT max(rollout_id) FROM rollout_row), 0))",
    )
    .fetch_one(pool)
    .await
    .map_err(|source| StoreError::failed("read the largest id", source))?;
    Ok(largest as u64)
}

async fn fetch(pool: &SqlitePool, mut sql: QueryBuilder<Sqlite>) -> Result<Vec<Positioned>, StoreError> {
    let failed = |source| StoreError::failed("read events", source);
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    let read = |row: &SqliteRow| {
        let execution = ExecutionId(row.try_get::<i64, _>(1).map_err(failed)? as u64);
        let seq = row.try_get::<i64, _>(2).map_err(failed)? as u64;
        let event: Event = serde_json::from_str(row.try_get(5).map_err(failed)?).map_err(|source| {
            StoreError::unreadable(format!("event {seq} of execution {execution}"), source)
        })?;
        let recorded = Recorded {
            execution,
            seq,
            event_id: row.try_get::<i64, _>(3).map_err(failed)? as u64,
            at_ms: row.try_get(4).map_err(failed)?,
            event,
        };
        Ok(Positioned { position: row.try_get::<i64, _>(0).map_err(failed)? as u64, recorded })
    };
    rows.iter().map(read).collect()
}
