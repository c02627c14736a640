//! Schedules in the store.

use noetl_domain::Value;
use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::{CatchUp, ScheduleWhen};
use serde_json::json;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Schedule, Source};
use crate::store::{SqliteStore, StoreError};

/// Replaces what a path declares: binds the path, then the new rows of [`as_rows`].
pub(crate) const REPLACE_DECLARED: &str = "DELETE FROM schedule_row WHERE path = ? AND source = 'playbook'; \
    INSERT INTO schedule_row (schedule_id, path, version, cron, interval_ms, timezone, payload, catch_up, enabled, \
    source, created_ms, last_due_ms, next_due_ms, last_execution_id) \
    SELECT value ->> '$.id', value ->> '$.path', value ->> '$.version', value ->> '$.cron', \
    value ->> '$.interval_ms', value ->> '$.timezone', value ->> '$.payload', value ->> '$.catch_up', \
    value ->> '$.enabled', value ->> '$.source', value ->> '$.created_ms', value ->> '$.last_due_ms', \
    value ->> '$.next_due_ms', value ->> '$.last_execution_id' FROM json_each(?);";

/// Rows as one JSON text.
pub(crate) fn as_rows(schedules: &[Schedule]) -> String {
    let rows: Value = schedules.iter().map(as_json).collect();
    rows.to_string()
}

fn as_json(schedule: &Schedule) -> Value {
    let (cron, interval_ms) = match &schedule.when {
        ScheduleWhen::Cron(text) => (Some(text.as_str()), None),
        ScheduleWhen::IntervalSeconds(seconds) => (None, Some((seconds * 1000.0).round() as i64)),
    };
    let catch_up = match schedule.catch_up {
        CatchUp::Skip => "skip",
        CatchUp::Latest => "latest",
        CatchUp::All => "all",
    };
    json!({
        "id": schedule.id, "path": schedule.path, "version": schedule.version, "cron": cron,
        "interval_ms": interval_ms, "timezone": schedule.timezone, "payload": schedule.payload,
        "catch_up": catch_up, "enabled": schedule.enabled, "source": schedule.source.as_str(),
        "created_ms": schedule.created_ms, "last_due_ms": schedule.last_due_ms,
        "next_due_ms": schedule.next_due_ms, "last_execution_id": schedule.last_execution.map(|id| id.0),
    })
}

pub(super) async fn insert(store: &SqliteStore, schedule: &Schedule) -> Result<(), StoreError> {
    // The statement that replaces serves: no path is empty, so nothing is deleted.
    let query = sqlx::query(REPLACE_DECLARED).bind("").bind(as_rows(std::slice::from_ref(schedule)));
    store.write("add a schedule", query).await.map(drop)
}

pub(super) async fn list(store: &SqliteStore, path: Option<&str>) -> Result<Vec<Schedule>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM schedule_row WHERE ?1 IS NULL OR path = ?1 ORDER BY path, schedule_id")
            .bind(path)
            .fetch_all(&store.readers)
            .await
            .map_err(|source| StoreError::failed("list schedules", source))?;
    rows.iter().map(from_row).collect()
}

pub(super) async fn one(store: &SqliteStore, id: u64) -> Result<Option<Schedule>, StoreError> {
    sqlx::query("SELECT * FROM schedule_row WHERE schedule_id = ?")
        .bind(id as i64)
        .fetch_optional(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read a schedule", source))?
        .map(|row| from_row(&row))
        .transpose()
}

pub(super) async fn due(store: &SqliteStore, now_ms: i64) -> Result<Vec<Schedule>, StoreError> {
    let rows = sqlx::query("SELECT * FROM schedule_row WHERE enabled = 1 AND next_due_ms <= ?")
        .bind(now_ms)
        .fetch_all(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read due schedules", source))?;
    rows.iter().map(from_row).collect()
}

pub(super) async fn next_due(store: &SqliteStore) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar(
        "SELECT min(next_due_ms) FROM schedule_row WHERE enabled = 1 AND next_due_ms IS NOT NULL",
    )
    .fetch_one(&store.readers)
    .await
    .map_err(|source| StoreError::failed("read the next due schedule", source))
}

/// False when there is none.
pub(super) async fn delete(store: &SqliteStore, id: u64) -> Result<bool, StoreError> {
    let query = sqlx::query("DELETE FROM schedule_row WHERE schedule_id = ? RETURNING 1").bind(id as i64);
    Ok(!store.write("remove a schedule", query).await?.is_empty())
}

pub(super) async fn set_enabled(
    store: &SqliteStore,
    id: u64,
    enabled: bool,
    next_due_ms: Option<i64>,
) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE schedule_row SET enabled = ?, next_due_ms = ? WHERE schedule_id = ?")
        .bind(enabled)
        .bind(next_due_ms)
        .bind(id as i64);
    store.write("change a schedule", query).await.map(drop)
}

/// Moves a schedule on, unless it was moved past `until_ms` meanwhile.
pub(super) async fn advance(
    store: &SqliteStore,
    id: u64,
    until_ms: i64,
    last_due_ms: Option<i64>,
    next_due_ms: Option<i64>,
    execution: Option<ExecutionId>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE schedule_row SET next_due_ms = ?, last_due_ms = coalesce(?, last_due_ms), \
         last_execution_id = coalesce(?, last_execution_id) WHERE schedule_id = ? AND next_due_ms <= ?",
    )
    .bind(next_due_ms)
    .bind(last_due_ms)
    .bind(execution.map(|execution| execution.0 as i64))
    .bind(id as i64)
    .bind(until_ms);
    store.write("move a schedule on", query).await.map(drop)
}

fn from_row(row: &SqliteRow) -> Result<Schedule, StoreError> {
    let read = || -> Result<Schedule, sqlx::Error> {
        let interval_ms: Option<i64> = row.try_get("interval_ms")?;
        let when = match interval_ms {
            Some(milliseconds) => ScheduleWhen::IntervalSeconds(milliseconds as f64 / 1000.0),
            None => ScheduleWhen::Cron(row.try_get("cron")?),
        };
        let catch_up = match row.try_get("catch_up")? {
            "latest" => CatchUp::Latest,
            "all" => CatchUp::All,
            _ => CatchUp::Skip,
        };
        let source = match row.try_get("source")? {
            "playbook" => Source::Playbook,
            _ => Source::Api,
        };
        let payload = serde_json::from_str(row.try_get("payload")?);
        Ok(Schedule {
            id: row.try_get::<i64, _>("schedule_id")? as u64,
            path: row.try_get("path")?,
            version: row.try_get("version")?,
            when,
            timezone: row.try_get("timezone")?,
            payload: payload.map_err(|error| sqlx::Error::Decode(error.into()))?,
            catch_up,
            enabled: row.try_get("enabled")?,
            source,
            created_ms: row.try_get("created_ms")?,
            last_due_ms: row.try_get("last_due_ms")?,
            next_due_ms: row.try_get("next_due_ms")?,
            last_execution: row
                .try_get::<Option<i64>, _>("last_execution_id")?
                .map(|id| ExecutionId(id as u64)),
        })
    };
    read().map_err(|source| StoreError::unreadable("a schedule", source))
}
