//! Retention: deletes whole families of Executions, in short transactions that a crash may part.
//!
//! First the rows that lists show, with a note of what is left to do; then events and lines, a piece at a time.

use noetl_domain::id::ExecutionId;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use super::{SqliteStore, StoreError};

/// Rows deleted in one transaction.
const PIECE: i64 = 10_000;

/// Ended, and so did the root of its family: a parent's log may point at its children's results.
const FINISHED: &str = "finished_ms < ? AND (root_execution_id IS NULL OR root_execution_id = execution_id OR NOT EXISTS \
    (SELECT 1 FROM execution_row AS root WHERE root.execution_id = execution_row.root_execution_id \
     AND (root.finished_ms IS NULL OR root.finished_ms >= ?)))";

pub(super) async fn count(pool: &SqlitePool, before_ms: i64) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM execution_row WHERE {FINISHED}");
    let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(before_ms)
        .bind(before_ms)
        .fetch_one(pool)
        .await
        .map_err(|source| StoreError::failed("count finished executions", source))?;
    Ok(count as u64)
}

pub(super) async fn run(
    store: &SqliteStore,
    before_ms: i64,
    limit: usize,
) -> Result<Vec<ExecutionId>, StoreError> {
    let failed = |source| StoreError::failed("delete old executions", source);
    let chosen = {
        let mut writer = store.writer.lock().await;
        let chosen =
            choose(writer.take_up().await.map_err(failed)?, before_ms, limit).await.map_err(failed)?;
        writer.settled();
        writer.forget(&chosen);
        chosen
    };
    // The writer is let go between pieces, so that appends are never held up for long.
    while {
        let mut writer = store.writer.lock().await;
        let left = purge(writer.take_up().await.map_err(failed)?).await.map_err(failed)?;
        writer.settled();
        left
    } {}
    Ok(chosen)
}

async fn choose(
    connection: &mut SqliteConnection,
    before_ms: i64,
    limit: usize,
) -> Result<Vec<ExecutionId>, sqlx::Error> {
    let sql = format!(
        "SELECT execution_id FROM execution_row WHERE {FINISHED} ORDER BY finished_ms, execution_id DESC LIMIT ?"
    );
    let ids: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(before_ms)
        .bind(before_ms)
        .bind(limit as i64)
        .fetch_all(&mut *connection)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = serde_json::to_string(&ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "BEGIN IMMEDIATE; \
         INSERT OR IGNORE INTO purge_row SELECT value FROM json_each(?); \
         DELETE FROM outbox_row WHERE command IN (SELECT outbox_row.command FROM json_each(?) CROSS JOIN outbox_row \
            ON outbox_row.command > value || ':' AND outbox_row.command < value || ';'); \
         DELETE FROM timer_row WHERE timer IN (SELECT timer_row.timer FROM json_each(?) CROSS JOIN timer_row \
            ON timer_row.timer > value || ':' AND timer_row.timer < value || ';'); \
         DELETE FROM execution_row WHERE execution_id IN (SELECT value FROM json_each(?)); \
         COMMIT;",
    )
    .bind(&list)
    .bind(&list)
    .bind(&list)
    .bind(&list)
    .execute(connection)
    .await?;
    Ok(ids.into_iter().map(|id| ExecutionId(id as u64)).collect())
}

/// Deletes one piece; false when nothing is left.
async fn purge(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    for table in ["event_row", "log_row"] {
        let sql = format!(
            "DELETE FROM {table} WHERE rowid IN (SELECT {table}.rowid FROM purge_row \
             CROSS JOIN {table} ON {table}.execution_id = purge_row.execution_id LIMIT {PIECE})"
        );
        let deleted = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await?.rows_affected();
        if deleted > 0 {
            return Ok(true);
        }
    }
    sqlx::query("DELETE FROM purge_row").execute(connection).await?;
    Ok(false)
}
