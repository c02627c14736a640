//! Deletes Executions that ended long ago, with the large results that only their logs point at.

use std::sync::Arc;
use std::time::Duration;

use noetl_bus::results::Results;
use noetl_domain::id::ExecutionId;
use tokio_util::sync::CancellationToken;

use super::{EventStore, StoreError};
use crate::ids::now_ms;
use crate::orchestrator::Orchestrator;

/// Executions chosen at a time.
const BATCH: usize = 100;
const PAUSE: Duration = Duration::from_hours(1);

/// Deletes what ended before a moment; returns how many Executions that were.
///
/// The log goes first: a result without a log wastes a file, a log without its result would be a lie.
pub async fn delete_finished<S: EventStore>(
    store: &S,
    results: &Results,
    orchestrator: &Orchestrator,
    before_ms: i64,
) -> Result<u64, StoreError> {
    let mut count = 0;
    loop {
        let deleted = delete_some(store, results, before_ms).await?;
        if deleted.is_empty() {
            return Ok(count);
        }
        count += deleted.len() as u64;
        orchestrator.forget(deleted).await;
    }
}

async fn delete_some<S: EventStore>(
    store: &S,
    results: &Results,
    before_ms: i64,
) -> Result<Vec<ExecutionId>, StoreError> {
    let deleted = store.clean_up(before_ms, BATCH).await?;
    for execution in &deleted {
        if let Err(error) = results.delete(*execution).await {
            tracing::warn!(execution.id = %execution, %error, "results of a deleted execution stay behind");
        }
    }
    Ok(deleted)
}

/// Once an hour until `stop`, deletes what ended longer ago than `keep`.
pub async fn delete_until<S: EventStore>(
    store: Arc<S>,
    results: Results,
    orchestrator: Orchestrator,
    keep: Duration,
    stop: CancellationToken,
) {
    loop {
        match delete_finished(&*store, &results, &orchestrator, before(keep)).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old executions were deleted"),
            Err(error) => tracing::warn!(%error, "old executions could not be deleted; trying again later"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// The moment that lies so far back, in Unix milliseconds.
pub fn before(keep: Duration) -> i64 {
    now_ms().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use noetl_domain::Value;
    use noetl_domain::event::Status;

    use super::super::{Append, SqliteStore, Summary};
    use super::*;

    #[tokio::test]
    async fn an_old_execution_goes_with_its_results_and_a_new_one_stays() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        let results = Results::open("memory://").unwrap();
        let mut references = Vec::new();
        for (id, finished_ms) in [(1, 100), (2, 900)] {
            let id = ExecutionId(id);
            let ended =
                Summary { status: Status::Completed, finished_ms: Some(finished_ms), ..Summary::of(id) };
            assert!(store.append(vec![Append::new(id, 0, ended)]).await[0].is_ok());
            references.push(results.put(id, "s", &Value::from("x")).await.unwrap());
        }
        assert_eq!(delete_some(&store, &results, 500).await.unwrap(), [ExecutionId(1)]);
        assert!(results.get(&references[0]).await.is_err());
        assert!(results.get(&references[1]).await.is_ok());
        assert!(store.summary(ExecutionId(1)).await.unwrap().is_none());
        assert!(store.summary(ExecutionId(2)).await.unwrap().is_some());
    }
}
