//! `anomalies`: what is not as it used to be, against each step's own history, by statistics that outliers cannot fool.

use clickhouse::Row;
use noetl_api::insight::{Anomalies, Anomaly, Quantiles};
use serde::Deserialize;

use super::statistics::{DEPENDENCE, at_least, median_shift, q_values, upper_tail};
use super::{LEVELS, Since, end_of_hour, hour_of, moment_of_ms, quantiles};
use crate::analytics::{Analytics, AnalyticsError};

/// The history is this many times as long as the stretch, and at least as many days.
const HISTORY: i64 = 8;
const HISTORY_DAYS: i64 = 14;
/// Fewer runs than these tell nothing.
const LEAST_RUNS: u64 = 8;
const LEAST_HISTORY: u64 = 30;
/// Of what is called an anomaly, at most about this share is chance.
const Q: f64 = 0.01;
/// Deviations below these are of no interest, however certain they are.
const LEAST_FACTOR: f64 = 1.5;
const LEAST_RATE: f64 = 0.02;
/// Executions shown for each.
const EXAMPLES: usize = 3;

#[derive(Row, Deserialize)]
struct Found {
    playbook: String,
    step: String,
    runs: u64,
    failed: u64,
    retried: u64,
    total: Vec<f64>,
    bytes: Vec<f64>,
    old_runs: u64,
    old_failed: u64,
    old_retried: u64,
    old_total: Vec<f64>,
    old_bytes: Vec<f64>,
}

pub(crate) async fn anomalies(
    analytics: &Analytics,
    playbook: Option<&str>,
    step: Option<&str>,
    since: Since,
    limit: u64,
) -> Result<Anomalies, AnalyticsError> {
    let from = hour_of(since.from);
    let end = end_of_hour(since.now);
    let length = (since.now.timestamp() - from).max(3600);
    let begin = from - (length * HISTORY).max(HISTORY_DAYS * 86_400);
    let found = compared(analytics, playbook, step, [begin, from, end]).await?;
    let mut anomalies: Vec<Anomaly> = found.iter().flat_map(judge).collect();
    let judged = anomalies.len() as u64;
    let chances: Vec<f64> = anomalies.iter().map(|anomaly| anomaly.q_value).collect();
    for (anomaly, q) in anomalies.iter_mut().zip(q_values(&chances)) {
        anomaly.q_value = q;
    }
    anomalies.retain(|anomaly| anomaly.q_value < Q && is_worth_telling(anomaly));
    anomalies.sort_by(|a, b| a.q_value.total_cmp(&b.q_value).then(b.runs.cmp(&a.runs)));
    anomalies.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    for anomaly in &mut anomalies {
        anomaly.executions = examples(analytics, anomaly, from, end).await?;
    }
    Ok(Anomalies {
        since: moment_of_ms(from * 1000),
        baseline_since: moment_of_ms(begin * 1000),
        judged,
        anomalies,
    })
}

async fn compared(
    analytics: &Analytics,
    playbook: Option<&str>,
    step: Option<&str>,
    [begin, from, end]: [i64; 3],
) -> Result<Vec<Found>, AnalyticsError> {
    let sql = format!(
        "WITH toDateTime(?, 'UTC') AS since
        SELECT playbook, step,
            sumIf(one.runs, hour >= since) AS runs, sumIf(one.failed, hour >= since) AS failed,
            sumIf(one.retried, hour >= since) AS retried,
            quantilesTDigestMergeIf({LEVELS})(total_quantiles, hour >= since)::Array(Float64) AS total,
            quantilesTDigestMergeIf({LEVELS})(bytes_quantiles, hour >= since)::Array(Float64) AS bytes,
            sumIf(one.runs, hour < since) AS old_runs, sumIf(one.failed, hour < since) AS old_failed,
            sumIf(one.retried, hour < since) AS old_retried,
            quantilesTDigestMergeIf({LEVELS})(total_quantiles, hour < since)::Array(Float64) AS old_total,
            quantilesTDigestMergeIf({LEVELS})(bytes_quantiles, hour < since)::Array(Float64) AS old_bytes
        FROM {{database}}.noetl_steps_hourly AS one
        WHERE hour >= toDateTime(?, 'UTC') AND hour < toDateTime(?, 'UTC') AND (? = '' OR playbook = ?) AND (? = '' OR step = ?)
        GROUP BY playbook, step HAVING runs >= ? AND old_runs >= ?"
    );
    let (playbook, step) = (playbook.unwrap_or_default(), step.unwrap_or_default());
    let query = analytics
        .query(&sql)
        .bind(from)
        .bind(begin)
        .bind(end)
        .bind(playbook)
        .bind(playbook)
        .bind(step)
        .bind(step)
        .bind(LEAST_RUNS)
        .bind(LEAST_HISTORY);
    analytics.all::<Found>("compare steps with their history", query).await
}

/// Every measure of a step, with the chance of its deviation in place of the corrected one.
fn judge(found: &Found) -> Vec<Anomaly> {
    let rate = |hits: u64, of: u64| hits as f64 / of.max(1) as f64;
    vec![
        spread(found, "duration", quantiles(&found.total), quantiles(&found.old_total)),
        spread(found, "payload_size", quantiles(&found.bytes), quantiles(&found.old_bytes)),
        share(found, "failure_rate", rate(found.failed, found.runs), (found.old_failed, found.old_runs)),
        share(found, "attempts", rate(found.retried, found.runs), (found.old_retried, found.old_runs)),
    ]
}

fn spread(found: &Found, measure: &str, now: Quantiles, history: Quantiles) -> Anomaly {
    let shift = median_shift(now, found.runs, history, found.old_runs);
    Anomaly {
        value: now.p50,
        baseline: history.p50,
        baseline_low: history.p25,
        baseline_high: history.p75,
        // Faster or smaller may be as wrong as slower or larger: both ends count.
        q_value: 2.0 * upper_tail(shift.abs()),
        ..outline(found, measure, now.p50, history.p50)
    }
}

fn share(found: &Found, measure: &str, now: f64, (old_hits, old_runs): (u64, u64)) -> Anomaly {
    let history = super::statistics::rate(old_hits, old_runs);
    // The history is not known exactly either, so the share at the upper end of its interval is the one to beat.
    let runs = (found.runs as f64 / DEPENDENCE).round().max(1.0) as u64;
    let hits = (now * runs as f64).round() as u64;
    Anomaly {
        value: now,
        baseline: history.value,
        baseline_low: history.low,
        baseline_high: history.high,
        q_value: if now > history.value { at_least(hits, runs, history.high) } else { 1.0 },
        ..outline(found, measure, now, history.value)
    }
}

fn outline(found: &Found, measure: &str, now: f64, history: f64) -> Anomaly {
    Anomaly {
        playbook: found.playbook.clone(),
        step: found.step.clone(),
        measure: measure.to_owned(),
        direction: if now < history { "down" } else { "up" }.to_owned(),
        ratio: if history > 0.0 { now / history } else { 0.0 },
        runs: found.runs,
        baseline_runs: found.old_runs,
        ..Anomaly::default()
    }
}

fn is_worth_telling(anomaly: &Anomaly) -> bool {
    match anomaly.measure.as_str() {
        "failure_rate" | "attempts" => anomaly.value - anomaly.baseline >= LEAST_RATE,
        "duration" => anomaly.ratio >= LEAST_FACTOR && anomaly.value - anomaly.baseline >= 1.0,
        _ => anomaly.ratio >= LEAST_FACTOR || anomaly.ratio <= 1.0 / LEAST_FACTOR,
    }
}

#[derive(Row, Deserialize)]
struct One {
    execution_id: u64,
}

/// The newest Executions that show it most.
async fn examples(
    analytics: &Analytics,
    anomaly: &Anomaly,
    from: i64,
    end: i64,
) -> Result<Vec<String>, AnalyticsError> {
    let order = match (anomaly.measure.as_str(), anomaly.direction.as_str()) {
        ("duration", _) => "total_ms DESC",
        ("payload_size", "up") => "bytes_out DESC",
        ("payload_size", _) => "bytes_out ASC",
        ("attempts", _) => "attempts DESC, exited_at DESC",
        _ => "status = 'FAILED' DESC, exited_at DESC",
    };
    let sql = format!(
        "SELECT execution_id FROM {{database}}.noetl_steps
        WHERE playbook = ? AND step = ? AND exited_at >= toDateTime(?, 'UTC') AND exited_at < toDateTime(?, 'UTC')
            AND status != 'SKIPPED'
        ORDER BY {order} LIMIT 1 BY execution_id LIMIT {EXAMPLES}"
    );
    let query = analytics.query(&sql).bind(&anomaly.playbook).bind(&anomaly.step).bind(from).bind(end);
    let rows = analytics.all::<One>("find examples", query).await?;
    Ok(rows.into_iter().map(|row| row.execution_id.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady() -> Found {
        let spread = vec![80.0, 100.0, 125.0, 180.0, 260.0];
        Found {
            playbook: "orders".into(),
            step: "load".into(),
            runs: 60,
            failed: 1,
            retried: 3,
            total: spread.clone(),
            bytes: vec![1000.0; 5],
            old_runs: 2000,
            old_failed: 30,
            old_retried: 100,
            old_total: spread,
            old_bytes: vec![1000.0; 5],
        }
    }

    fn told(found: &Found) -> Vec<String> {
        let all = judge(found);
        let q = q_values(&all.iter().map(|anomaly| anomaly.q_value).collect::<Vec<_>>());
        let is_told =
            |(anomaly, q): (Anomaly, f64)| (q < Q && is_worth_telling(&anomaly)).then_some(anomaly.measure);
        all.into_iter().zip(q).filter_map(is_told).collect()
    }

    #[test]
    fn a_quiet_step_shows_nothing() {
        assert_eq!(told(&steady()), Vec::<String>::new());
    }

    #[test]
    fn each_measure_is_found_by_itself() {
        let slow = vec![250.0, 300.0, 350.0, 400.0, 500.0];
        assert_eq!(told(&Found { total: slow, ..steady() }), ["duration"]);
        assert_eq!(told(&Found { failed: 25, ..steady() }), ["failure_rate"]);
        assert_eq!(told(&Found { retried: 40, ..steady() }), ["attempts"]);
        assert_eq!(
            told(&Found { bytes: vec![20.0; 5], ..steady() }),
            ["payload_size"],
            "a result that lost its rows"
        );
    }
}
