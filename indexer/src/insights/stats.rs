//! `stats`: how long a playbook and its steps take, how often they fail, whether retries help, what they cost.

use clickhouse::Row;
use noetl_api::insight::{ExecutionStats, Stats, StepStats};
use serde::Deserialize;

use super::statistics::rate;
use super::{LEVELS, Since, end_of_hour, hour_of, moment, quantiles};
use crate::analytics::{Analytics, AnalyticsError};

#[derive(Row, Deserialize)]
struct Executions {
    total: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    duration: Vec<f64>,
}

#[derive(Row, Deserialize)]
struct Steps {
    step: String,
    version: u32,
    pool: String,
    tool: String,
    runs: u64,
    failed: u64,
    retried: u64,
    rescued: u64,
    total: Vec<f64>,
    run: Vec<f64>,
    bytes: Vec<f64>,
    work_ms: f64,
    cpu_ms: f64,
    memory: u64,
    queue_ms: f64,
}

/// By what the runs of steps are counted together.
#[derive(Clone, Copy)]
enum By {
    Step,
    Version,
    Pool,
}

pub(crate) async fn stats(
    analytics: &Analytics,
    playbook: &str,
    step: Option<&str>,
    since: Since,
) -> Result<Stats, AnalyticsError> {
    let by = |by| steps(analytics, playbook, step, since, by);
    let (executions, steps, versions, pools) = tokio::try_join!(
        executions(analytics, playbook, since),
        by(By::Step),
        by(By::Version),
        by(By::Pool)
    )?;
    Ok(Stats { playbook: playbook.to_owned(), since: moment(since.from), executions, steps, versions, pools })
}

async fn executions(
    analytics: &Analytics,
    playbook: &str,
    since: Since,
) -> Result<ExecutionStats, AnalyticsError> {
    let sql = format!(
        "SELECT sum(executions) AS total, sumIf(executions, status = 'COMPLETED') AS completed,
            sumIf(executions, status = 'FAILED') AS failed, sumIf(executions, status = 'CANCELLED') AS cancelled,
            quantilesTDigestMerge({LEVELS})(duration_quantiles)::Array(Float64) AS duration
        FROM {{database}}.noetl_executions_hourly
        WHERE playbook = ? AND hour >= toDateTime(?, 'UTC') AND hour < toDateTime(?, 'UTC')"
    );
    let query = analytics.query(&sql).bind(playbook).bind(hour_of(since.from)).bind(end_of_hour(since.now));
    let row = analytics.all::<Executions>("count executions", query).await?.pop();
    Ok(row.map_or_else(ExecutionStats::default, |row| ExecutionStats {
        total: row.total,
        completed: row.completed,
        failed: row.failed,
        cancelled: row.cancelled,
        failure_rate: rate(row.failed, row.total),
        duration_ms: quantiles(&row.duration),
    }))
}

async fn steps(
    analytics: &Analytics,
    playbook: &str,
    step: Option<&str>,
    since: Since,
    by: By,
) -> Result<Vec<StepStats>, AnalyticsError> {
    let (group, order) = match by {
        By::Step => ("step", "work_ms DESC"),
        By::Version => ("version", "version DESC"),
        By::Pool => ("pool", "pool"),
    };
    let sql = format!(
        "SELECT any(one.step) AS step, any(one.version) AS version, any(one.pool) AS pool, any(one.tool) AS tool,
            sum(one.runs) AS runs, sum(one.failed) AS failed, sum(one.retried) AS retried, sum(one.rescued) AS rescued,
            quantilesTDigestMerge({LEVELS})(total_quantiles)::Array(Float64) AS total,
            quantilesTDigestMerge({LEVELS})(run_quantiles)::Array(Float64) AS run,
            quantilesTDigestMerge({LEVELS})(bytes_quantiles)::Array(Float64) AS bytes,
            sum(one.run_ms) AS work_ms, sum(one.cpu_ms) AS cpu_ms, max(memory_bytes) AS memory,
            sum(one.queue_ms) / greatest(sum(one.runs), 1) AS queue_ms
        FROM {{database}}.noetl_steps_hourly AS one
        WHERE one.playbook = ? AND one.hour >= toDateTime(?, 'UTC') AND one.hour < toDateTime(?, 'UTC')
            AND (? = '' OR one.step = ?)
        GROUP BY one.{group} ORDER BY {order}"
    );
    let wanted = step.unwrap_or_default();
    let (from, end) = (hour_of(since.from), end_of_hour(since.now));
    let query = analytics.query(&sql).bind(playbook).bind(from).bind(end).bind(wanted).bind(wanted);
    let rows = analytics.all::<Steps>("count runs of steps", query).await?;
    Ok(rows.into_iter().map(|row| told(row, by)).collect())
}

fn told(row: Steps, by: By) -> StepStats {
    StepStats {
        step: if matches!(by, By::Step) { row.step } else { String::new() },
        version: matches!(by, By::Version).then_some(row.version),
        pool: matches!(by, By::Pool).then_some(row.pool),
        tool: if matches!(by, By::Step) { row.tool } else { String::new() },
        runs: row.runs,
        failed: row.failed,
        failure_rate: rate(row.failed, row.runs),
        total_ms: quantiles(&row.total),
        run_ms: quantiles(&row.run),
        retried: row.retried,
        rescued: row.rescued,
        bytes_out: quantiles(&row.bytes),
        work_seconds: row.work_ms / 1000.0,
        cpu_seconds: row.cpu_ms / 1000.0,
        memory_bytes: row.memory,
        queue_ms: row.queue_ms,
    }
}
