//! `ended`: whether a failure of a step goes on, and what came before it went well again.

use clickhouse::Row;
use noetl_api::search::Ended;
use serde::Deserialize;

use super::moment_of_ms;
use crate::analytics::{Analytics, AnalyticsError};

/// Good runs that come by chance less often than this mean that it is gone.
const CHANCE: f64 = 0.05;

#[derive(Clone, Debug, Default, Row, Deserialize)]
struct Found {
    failures: u64,
    /// Runs from the first failure to the last, both included.
    runs: u64,
    last_ms: i64,
    last_version: u32,
    last_execution: u64,
    good: u64,
    since_ms: i64,
    version: u32,
    execution: u64,
}

/// Of the failures with this shape of message, or with one that was merged into it, in one step.
pub(crate) async fn ended(
    analytics: &Analytics,
    fingerprint: u64,
    playbook: &str,
    step: &str,
) -> Result<Ended, AnalyticsError> {
    let sql = "
        WITH runs AS (
            SELECT exited_at, version, execution_id, status,
                fingerprint = ? OR fingerprint IN (
                    SELECT fingerprint FROM {database}.noetl_templates FINAL WHERE canonical = ?) AS same
            FROM {database}.noetl_steps FINAL
            WHERE playbook = ? AND step = ? AND status != 'SKIPPED'
        ), failed AS (
            SELECT count() AS failures, min(exited_at) AS first_at, max(exited_at) AS last_at,
                argMax(version, exited_at) AS last_version, argMax(execution_id, exited_at) AS last_execution
            FROM runs WHERE status = 'FAILED' AND same
        )
        SELECT any(failed.failures) AS failures,
            countIf(one.exited_at >= failed.first_at AND one.exited_at <= failed.last_at) AS runs,
            toUnixTimestamp64Milli(any(failed.last_at)) AS last_ms,
            any(failed.last_version) AS last_version,
            any(failed.last_execution) AS last_execution,
            countIf(one.status = 'COMPLETED' AND one.exited_at > failed.last_at) AS good,
            toUnixTimestamp64Milli(minIf(one.exited_at, one.status = 'COMPLETED' AND one.exited_at > failed.last_at))
                AS since_ms,
            argMinIf(one.version, one.exited_at, one.status = 'COMPLETED' AND one.exited_at > failed.last_at)
                AS version,
            argMinIf(one.execution_id, one.exited_at, one.status = 'COMPLETED' AND one.exited_at > failed.last_at)
                AS execution
        FROM runs AS one CROSS JOIN failed";
    let query = analytics.query(sql).bind(fingerprint).bind(fingerprint).bind(playbook).bind(step);
    let found = analytics.all::<Found>("find what ended a failure", query).await?.pop();
    Ok(told(&found.unwrap_or_default()))
}

fn told(found: &Found) -> Ended {
    if found.failures == 0 {
        let reason = "the tables do not hold the failure, or not yet".to_owned();
        return Ended { state: "unknown".to_owned(), reason: Some(reason), ..Ended::default() };
    }
    let last_failed_at = Some(moment_of_ms(found.last_ms));
    if found.good == 0 {
        return Ended { state: "happening".to_owned(), last_failed_at, ..Ended::default() };
    }
    let by = if found.execution == found.last_execution {
        "retry"
    } else if found.version > found.last_version {
        "version"
    } else {
        "itself"
    };
    // One more run that may have gone well: a single failure is no proof that every run fails.
    let share = found.failures as f64 / (found.runs.max(found.failures) + 1) as f64;
    let is_gone = (1.0 - share).powf(found.good as f64) < CHANCE;
    Ended {
        state: if is_gone { "gone" } else { "quiet" }.to_owned(),
        reason: None,
        last_failed_at,
        since: Some(moment_of_ms(found.since_ms)),
        after_ms: Some((found.since_ms - found.last_ms).max(0) as u64),
        by: Some(by.to_owned()),
        from_version: Some(found.last_version.into()),
        to_version: Some(found.version.into()),
        execution_id: Some(found.execution.to_string()),
        good_runs: found.good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(failures: u64, runs: u64, good: u64) -> Found {
        Found {
            failures,
            runs,
            good,
            last_ms: 1_000,
            last_version: 3,
            last_execution: 7,
            since_ms: 61_000,
            version: 4,
            execution: 8,
        }
    }

    #[test]
    fn what_never_went_well_again_is_happening() {
        assert_eq!(told(&found(3, 3, 0)).state, "happening");
        assert_eq!(told(&found(0, 0, 9)).state, "unknown");
    }

    #[test]
    fn it_takes_more_good_runs_where_only_some_failed() {
        assert_eq!(told(&found(10, 10, 1)).state, "quiet");
        assert_eq!(told(&found(10, 10, 2)).state, "gone");
        assert_eq!(told(&found(1, 1, 4)).state, "quiet");
        assert_eq!(told(&found(1, 1, 5)).state, "gone");
        assert_eq!(told(&found(10, 100, 20)).state, "quiet");
        assert_eq!(told(&found(10, 100, 40)).state, "gone");
    }

    #[test]
    fn what_came_in_between_is_a_version_a_retry_or_nothing_known() {
        let ended = told(&found(5, 5, 9));
        assert_eq!((ended.by.as_deref(), ended.after_ms), (Some("version"), Some(60_000)));
        assert_eq!((ended.from_version, ended.to_version), (Some(3), Some(4)));
        let retried = told(&Found { execution: 7, version: 3, ..found(5, 5, 9) });
        assert_eq!(retried.by.as_deref(), Some("retry"));
        let itself = told(&Found { version: 3, ..found(5, 5, 9) });
        assert_eq!(itself.by.as_deref(), Some("itself"));
    }
}
