//! The rows that lists of Executions are made of.

use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Arguments as _, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::super::{Dedup, StepCounts};
use super::script::Rows;
use super::{StoreError, Summary, SummaryQuery};

/// What identifies an Execution stays as first written; what changes is replaced.
pub(super) const UPSERT: Rows = Rows {
    before: "INSERT INTO execution_row (execution_id, path, version, catalog_id, status, parent_execution_id, \
             root_execution_id, trigger, started_ms, finished_ms, current_step, total_steps, completed_steps, \
             running_steps, failed_steps, event_count, result, error, dedup_key, dedup_window_ms, \
             rollout_id) VALUES ",
    row: "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    after: " ON CONFLICT (execution_id) DO UPDATE SET status = excluded.status, finished_ms = excluded.finished_ms, \
            current_step = excluded.current_step, total_steps = excluded.total_steps, \
            completed_steps = excluded.completed_steps, running_steps = excluded.running_steps, \
            failed_steps = excluded.failed_steps, event_count = excluded.event_count, \
            result = excluded.result, error = excluded.error",
};

const SELECT: &str = "SELECT * FROM execution_row";

pub(super) fn bind(
    arguments: &mut SqliteArguments,
    summary: &Summary,
    result: Option<&str>,
    error: Option<&str>,
) -> Result<(), sqlx::error::BoxDynError> {
    arguments.add(summary.execution.0 as i64)?;
    arguments.add(summary.path.as_str())?;
    arguments.add(summary.version)?;
    arguments.add(summary.catalog_id.as_str())?;
    arguments.add(summary.status.as_str())?;
    arguments.add(summary.parent.map(|id| id.0 as i64))?;
    arguments.add(summary.root.map(|id| id.0 as i64))?;
    arguments.add(summary.trigger.as_str())?;
    arguments.add(summary.started_ms)?;
    arguments.add(summary.finished_ms)?;
    arguments.add(summary.current_step.as_deref())?;
    arguments.add(summary.counts.total as i64)?;
    arguments.add(summary.counts.completed as i64)?;
    arguments.add(summary.counts.running as i64)?;
    arguments.add(summary.counts.failed as i64)?;
    arguments.add(summary.events as i64)?;
    arguments.add(result)?;
    arguments.add(error)?;
    arguments.add(summary.dedup.as_ref().map(|dedup| dedup.key.as_str()))?;
    arguments.add(summary.dedup.as_ref().and_then(|dedup| dedup.window_ms))?;
    arguments.add(summary.rollout.map(|id| id as i64))
}

pub(super) async fn one(pool: &SqlitePool, execution: ExecutionId) -> Result<Option<Summary>, StoreError> {
    sqlx::query("SELECT * FROM execution_row WHERE execution_id = ?")
        .bind(execution.0 as i64)
        .fetch_optional(pool)
        .await
        .map_err(|source| StoreError::failed("read an execution", source))?
        .map(|row| from_row(&row))
        .transpose()
}

pub(super) async fn page(pool: &SqlitePool, query: SummaryQuery) -> Result<Vec<Summary>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    let mut wheres = sql.separated(" AND ");
    wheres.push_unseparated(" WHERE ").push("1");
    if let Some(path) = query.path {
        wheres.push("path = ").push_bind_unseparated(path);
    }
    if let Some(catalog_id) = query.catalog_id {
        wheres.push("catalog_id = ").push_bind_unseparated(catalog_id);
    }
    if let Some(status) = query.status {
        // The literal lets the partial index of running Executions serve.
        wheres.push(format!("status = '{}'", status.as_str()));
    }
    if let Some(parent) = query.parent {
        wheres.push("parent_execution_id = ").push_bind_unseparated(parent.0 as i64);
    }
    if let Some(root) = query.root {
        wheres.push("(root_execution_id = ").push_bind_unseparated(root.0 as i64);
        wheres.push_unseparated(" OR execution_id = ").push_bind_unseparated(root.0 as i64);
        wheres.push_unseparated(")");
    }
    if let Some(since) = query.since_ms {
        wheres.push("started_ms >= ").push_bind_unseparated(since);
    }
    if let Some(until) = query.until_ms {
        wheres.push("started_ms < ").push_bind_unseparated(until);
    }
    if let Some(text) = query.text {
        wheres.push("(instr(path, ").push_bind_unseparated(text.clone());
        wheres.push_unseparated(") OR instr(execution_id, ").push_bind_unseparated(text.clone());
        wheres.push_unseparated(") OR instr(coalesce(error, ''), ").push_bind_unseparated(text);
        wheres.push_unseparated("))");
    }
    if let Some(before) = query.before {
        wheres.push("execution_id < ").push_bind_unseparated(before.0 as i64);
    }
    sql.push(" ORDER BY execution_id DESC LIMIT ").push_bind(query.limit.unwrap_or(100) as i64);
    sql.push(" OFFSET ").push_bind(query.offset as i64);
    let rows = sql.build().fetch_all(pool).await;
    rows.map_err(|source| StoreError::failed("list executions", source))?.iter().map(from_row).collect()
}

pub(super) async fn unfinished(pool: &SqlitePool) -> Result<Vec<ExecutionId>, StoreError> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT execution_id FROM execution_row WHERE status = 'RUNNING' ORDER BY execution_id",
    )
    .fetch_all(pool)
    .await
    .map_err(|source| StoreError::failed("list unfinished executions", source))?;
    Ok(ids.into_iter().map(|id| ExecutionId(id as u64)).collect())
}

pub(super) async fn find_duplicate(
    pool: &SqlitePool,
    key: &str,
    since_ms: i64,
) -> Result<Option<ExecutionId>, StoreError> {
    let failed = |source| StoreError::failed("look for a duplicate", source);
    let mut connection = pool.acquire().await.map_err(failed)?;
    duplicate(&mut connection, key, since_ms).await.map_err(failed)
}

pub(super) async fn duplicate(
    connection: &mut SqliteConnection,
    key: &str,
    since_ms: i64,
) -> Result<Option<ExecutionId>, sqlx::Error> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT execution_id FROM execution_row WHERE dedup_key = ? AND started_ms >= ? \
         ORDER BY started_ms DESC LIMIT 1",
    )
    .bind(key)
    .bind(since_ms)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|id| ExecutionId(id as u64)))
}

fn from_row(row: &SqliteRow) -> Result<Summary, StoreError> {
    let read = || -> Result<Summary, sqlx::Error> {
        let json = |column: &str| -> Result<Option<String>, sqlx::Error> { row.try_get(column) };
        let decode = |source: serde_json::Error| sqlx::Error::Decode(source.into());
        let id = |column: &str| -> Result<Option<ExecutionId>, sqlx::Error> {
            Ok(row.try_get::<Option<i64>, _>(column)?.map(|id| ExecutionId(id as u64)))
        };
        let count = |column: &str| row.try_get::<i64, _>(column).map(|count| count as u64);
        let status = match row.try_get::<&str, _>("status")? {
            "RUNNING" => Status::Running,
            "COMPLETED" => Status::Completed,
            "CANCELLED" => Status::Cancelled,
            _ => Status::Failed,
        };
        let window_ms = row.try_get("dedup_window_ms")?;
        Ok(Summary {
            execution: ExecutionId(row.try_get::<i64, _>("execution_id")? as u64),
            path: row.try_get("path")?,
            version: row.try_get("version")?,
            catalog_id: row.try_get("catalog_id")?,
            status,
            parent: id("parent_execution_id")?,
            root: id("root_execution_id")?,
            trigger: row.try_get("trigger")?,
            started_ms: row.try_get("started_ms")?,
            finished_ms: row.try_get("finished_ms")?,
            current_step: row.try_get("current_step")?,
            counts: StepCounts {
                total: count("total_steps")?,
                completed: count("completed_steps")?,
                running: count("running_steps")?,
                failed: count("failed_steps")?,
            },
            events: count("event_count")?,
            result: json("result")?.map(|text| serde_json::from_str(&text)).transpose().map_err(decode)?,
            error: json("error")?.map(|text| serde_json::from_str(&text)).transpose().map_err(decode)?,
            dedup: row.try_get::<Option<String>, _>("dedup_key")?.map(|key| Dedup { key, window_ms }),
            rollout: row.try_get::<Option<i64>, _>("rollout_id")?.map(|id| id as u64),
        })
    };
    read().map_err(|source| StoreError::unreadable("an execution", source))
}
