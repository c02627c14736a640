//! What ran in the arms of a Rollout, and what runs since a promotion: counted from the rows of Executions.

use noetl_domain::rollout::Tally;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::rows::Trial;
use crate::ids;
use crate::store::{SqliteStore, StoreError};

/// Both arms: the control, then the canary.
pub(super) async fn arms(
    store: &SqliteStore,
    trial: &Trial,
    now_ms: i64,
) -> Result<(Tally, Tally), StoreError> {
    let rows = sqlx::query(
        "SELECT version, status, started_ms, finished_ms FROM execution_row WHERE rollout_id = ? ORDER BY version",
    )
    .bind(trial.id as i64)
    .fetch_all(&store.readers)
    .await
    .map_err(|source| StoreError::failed("count the arms of a rollout", source))?;
    let (mut control, mut canary) = (Tally::default(), Tally::default());
    for row in &rows {
        let version: u32 = row.try_get("version").map_err(unreadable)?;
        let tally = if version == trial.canary { &mut canary } else { &mut control };
        add(tally, row, now_ms).map_err(unreadable)?;
    }
    Ok((control, canary))
}

/// The first Executions of a version that started after a moment and have ended.
pub(super) async fn since(
    store: &SqliteStore,
    playbook: &str,
    version: u32,
    since_ms: i64,
    limit: u64,
) -> Result<Tally, StoreError> {
    // Ids grow with time, so the index of a path's executions answers.
    let rows = sqlx::query(
        "SELECT status, started_ms, finished_ms FROM execution_row WHERE path = ? AND execution_id > ? \
         AND version = ? AND status IN ('COMPLETED', 'FAILED') ORDER BY execution_id LIMIT ?",
    )
    .bind(playbook)
    .bind(ids::first_at(since_ms) as i64)
    .bind(version)
    .bind(limit as i64)
    .fetch_all(&store.readers)
    .await
    .map_err(|source| StoreError::failed("count executions since a promotion", source))?;
    let mut tally = Tally::default();
    for row in &rows {
        add(&mut tally, row, since_ms).map_err(unreadable)?;
    }
    Ok(tally)
}

fn add(tally: &mut Tally, row: &SqliteRow, now_ms: i64) -> Result<(), sqlx::Error> {
    let started: i64 = row.try_get("started_ms")?;
    match row.try_get("status")? {
        "COMPLETED" => {
            tally.completed += 1;
            let finished: Option<i64> = row.try_get("finished_ms")?;
            tally.durations_ms.push((finished.unwrap_or(started) - started).max(0) as f64);
        }
        "FAILED" => tally.failed += 1,
        "RUNNING" => tally.running_ms.push((now_ms - started).max(0) as f64),
        // Somebody cancelled it: that says nothing about the version.
        _ => {}
    }
    Ok(())
}

fn unreadable(source: sqlx::Error) -> StoreError {
    StoreError::unreadable("the row of an execution", source)
}
