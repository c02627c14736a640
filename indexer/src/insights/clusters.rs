//! `clusters`: failures that say the same thing, since when, how often, where, and whether they become more.

use std::collections::BTreeMap;

use clickhouse::Row;
use noetl_api::insight::{Cluster, Example};
use serde::Deserialize;

use super::statistics::at_least;
use super::{Since, end_of_hour, hex, hour_of, moment_of_ms};
use crate::analytics::{Analytics, AnalyticsError};

/// Parts of the stretch that the history shows.
const PARTS: i64 = 24;
/// A difference between two counts that chance gives less often than this is a trend.
const SURPRISE: f64 = 0.01;

#[derive(Row, Deserialize)]
struct Found {
    canonical: u64,
    template: String,
    cause: String,
    count: u64,
    handled: u64,
    before: u64,
    first_ms: i64,
    last_ms: i64,
    playbooks: Vec<String>,
    steps: Vec<String>,
    parts: Vec<u16>,
    counts: Vec<u64>,
    execution: u64,
    event: u64,
    message: String,
}

pub(crate) async fn clusters(
    analytics: &Analytics,
    playbook: Option<&str>,
    since: Since,
    limit: u64,
) -> Result<Vec<Cluster>, AnalyticsError> {
    // The view counts by the hour, so the stretch begins with the hour.
    let from = hour_of(since.from);
    let length = (since.now.timestamp() - from).max(1);
    // A fingerprint that was merged into another one counts there.
    let sql = "
        WITH toDateTime(?, 'UTC') AS since, toDateTime(?, 'UTC') AS earlier
        SELECT if(known.canonical = 0, one.fingerprint, known.canonical) AS canonical,
            any(known.template) AS template,
            topKIf(1)(one.cause, one.hour >= since)[1] AS cause,
            sumIf(failures, one.hour >= since) AS count,
            sumIf(one.handled, one.hour >= since) AS handled,
            sumIf(failures, one.hour < since) AS before,
            toUnixTimestamp64Milli(min(first_at)) AS first_ms,
            toUnixTimestamp64Milli(max(last_at)) AS last_ms,
            arraySort(groupUniqArrayIf(20)(toString(one.playbook), one.hour >= since)) AS playbooks,
            arraySort(groupUniqArrayIf(20)(toString(one.step), one.hour >= since)) AS steps,
            sumMapIf([toUInt16(intDiv(toUnixTimestamp(one.hour) - toUnixTimestamp(since), ?))], [failures],
                one.hour >= since) AS sums,
            sums.1 AS parts, sums.2 AS counts,
            max(example_execution_id) AS execution,
            max(example_event_id) AS event,
            argMaxMerge(example) AS message
        FROM {database}.noetl_failures_hourly AS one
        LEFT JOIN (SELECT fingerprint, canonical, template FROM {database}.noetl_templates FINAL) AS known
            ON known.fingerprint = one.fingerprint
        WHERE one.hour >= earlier AND one.hour < toDateTime(?, 'UTC') AND (? = '' OR one.playbook = ?)
        GROUP BY canonical HAVING count > 0 ORDER BY count DESC, last_ms DESC LIMIT ?";
    let columns = "canonical, template, cause, count, handled, before, first_ms, last_ms, playbooks, steps, parts, counts, \
                   execution, event, message";
    let wanted = playbook.unwrap_or_default();
    let query = analytics
        .query(&format!("SELECT {columns} FROM ({sql})"))
        .bind(from)
        .bind(from - length)
        .bind((length / PARTS).max(1))
        .bind(end_of_hour(since.now))
        .bind(wanted)
        .bind(wanted)
        .bind(limit);
    let found = analytics.all::<Found>("find error clusters", query).await?;
    let firsts = first_seen(analytics, &found).await?;
    Ok(found.into_iter().map(|row| told(row, &firsts, from * 1000)).collect())
}

#[derive(Row, Deserialize)]
struct First {
    fingerprint: u64,
    first_ms: i64,
}

/// When each was seen first at all, not only in the stretch.
async fn first_seen(analytics: &Analytics, found: &[Found]) -> Result<BTreeMap<u64, i64>, AnalyticsError> {
    let ids: Vec<u64> = found.iter().map(|row| row.canonical).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT fingerprint, toUnixTimestamp64Milli(min(first_at)) AS first_ms
        FROM {database}.noetl_failures_hourly WHERE fingerprint IN ? GROUP BY fingerprint";
    let rows = analytics.all::<First>("find first failures", analytics.query(sql).bind(ids)).await?;
    Ok(rows.into_iter().map(|row| (row.fingerprint, row.first_ms)).collect())
}

fn told(row: Found, firsts: &BTreeMap<u64, i64>, from_ms: i64) -> Cluster {
    let first_ms = firsts.get(&row.canonical).copied().unwrap_or(row.first_ms).min(row.first_ms);
    let mut history = vec![0; PARTS as usize];
    for (part, failures) in row.parts.into_iter().zip(row.counts) {
        let last = history.len() - 1;
        history[usize::from(part).min(last)] += failures;
    }
    Cluster {
        fingerprint: hex(row.canonical),
        template: row.template,
        cause: row.cause,
        count: row.count,
        handled: row.handled,
        first_seen: moment_of_ms(first_ms),
        last_seen: moment_of_ms(row.last_ms),
        before: row.before,
        trend: trend(row.count, row.before, first_ms >= from_ms).to_owned(),
        history,
        playbooks: row.playbooks,
        steps: row.steps,
        example: Example {
            execution_id: row.execution.to_string(),
            event_id: row.event.to_string(),
            message: row.message,
        },
    }
}

/// Compares the counts of two stretches of the same length: with no change each failure falls into either by halves.
fn trend(now: u64, before: u64, is_new: bool) -> &'static str {
    if is_new {
        "new"
    } else if at_least(now, now + before, 0.5) < SURPRISE {
        "rising"
    } else if at_least(before, now + before, 0.5) < SURPRISE {
        "falling"
    } else {
        "steady"
    }
}

#[cfg(test)]
mod tests {
    use super::trend;

    #[test]
    fn a_trend_is_more_than_chance() {
        assert_eq!(trend(5, 0, true), "new");
        assert_eq!(trend(12, 10, false), "steady");
        assert_eq!(trend(60, 20, false), "rising");
        assert_eq!(trend(2, 30, false), "falling");
    }
}
