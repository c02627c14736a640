//! `bottlenecks`: the critical path of past executions, which step it spends its time in, and where that is heading.
//!
//! The path is walked back from the last exit: each run of a step knows whose exit let it begin.

use std::collections::HashMap;

use chrono::{Duration, SecondsFormat};
use clickhouse::Row;
use noetl_api::insight::{Bottleneck, Bottlenecks};
use serde::Deserialize;

use super::statistics::{spread, trend};
use super::{Since, moment};
use crate::analytics::{Analytics, AnalyticsError};

/// Executions looked at, newest first.
const MOST: u64 = 500;
/// A meeting further away than this is no prediction.
const HORIZON_DAYS: f64 = 365.0;

#[derive(Clone, Debug, Row, Deserialize)]
struct Run {
    execution_id: u64,
    step: String,
    run: u32,
    tool: String,
    released_by: String,
    released_by_run: u32,
    entered_ms: i64,
    exited_ms: i64,
    queue_ms: f64,
}

#[derive(Default)]
struct OnPath {
    tool: String,
    times: Vec<f64>,
    points: Vec<(f64, f64)>,
    queue_ms: f64,
}

pub(crate) async fn bottlenecks(
    analytics: &Analytics,
    playbook: &str,
    since: Since,
    deadline_ms: Option<f64>,
) -> Result<Bottlenecks, AnalyticsError> {
    let runs = runs(analytics, playbook, since).await?;
    Ok(found(playbook, since, deadline_ms, &runs))
}

async fn runs(analytics: &Analytics, playbook: &str, since: Since) -> Result<Vec<Run>, AnalyticsError> {
    let sql = "
        SELECT execution_id, step, run, tool, released_by, released_by_run,
            toUnixTimestamp64Milli(entered_at) AS entered_ms, toUnixTimestamp64Milli(exited_at) AS exited_ms, queue_ms
        FROM {database}.noetl_steps FINAL
        WHERE playbook = ? AND status != 'SKIPPED' AND execution_id IN (
            SELECT execution_id FROM {database}.noetl_executions FINAL
            WHERE playbook = ? AND status = 'COMPLETED' AND started_at >= fromUnixTimestamp64Milli(?)
                AND started_at < fromUnixTimestamp64Milli(?)
            ORDER BY execution_id DESC LIMIT ?)
        ORDER BY execution_id, exited_at";
    let (from, end) = (since.from.timestamp_millis(), since.now.timestamp_millis());
    let query = analytics.query(sql).bind(playbook).bind(playbook).bind(from).bind(end).bind(MOST);
    analytics.all::<Run>("read past executions", query).await
}

fn found(playbook: &str, since: Since, deadline_ms: Option<f64>, runs: &[Run]) -> Bottlenecks {
    let now = since.now.timestamp_millis() as f64;
    let day = |ms: i64| (ms as f64 - now) / 86_400_000.0;
    let mut steps: HashMap<String, OnPath> = HashMap::new();
    let (mut durations, mut points) = (Vec::new(), Vec::new());
    for execution in runs.chunk_by(|a, b| a.execution_id == b.execution_id) {
        let began = execution.iter().map(|run| run.entered_ms).min().unwrap_or(0);
        let ended = execution.iter().map(|run| run.exited_ms).max().unwrap_or(0);
        durations.push((ended - began) as f64);
        points.push((day(ended), (ended - began) as f64));
        for (step, time) in path(execution) {
            let entry = steps.entry(step.step.clone()).or_default();
            entry.tool.clone_from(&step.tool);
            entry.times.push(time);
            entry.points.push((day(ended), time));
            entry.queue_ms += step.queue_ms;
        }
    }
    let executions = durations.len() as u64;
    let whole: f64 = steps.values().flat_map(|step| &step.times).sum();
    let mut told: Vec<Bottleneck> =
        steps.into_iter().map(|(step, on_path)| bottleneck(step, on_path, executions, whole)).collect();
    told.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.step.cmp(&b.step)));
    let overall = trend(&points);
    let mut notes = Vec::new();
    if overall.is_none() {
        notes.push(format!("{executions} completed executions are too few to see a trend; eight are needed"));
    }
    let duration_ms = spread(&mut durations);
    let crosses_at = crossing(overall.as_ref(), duration_ms.p50, deadline_ms, since, &mut notes);
    Bottlenecks {
        playbook: playbook.to_owned(),
        since: moment(since.from),
        executions,
        duration_ms,
        steps: told,
        trend: overall.unwrap_or_default(),
        deadline_ms,
        crosses_at,
        notes,
    }
}

/// The runs that nothing could have ended earlier without, each with the time it held the end up.
fn path(execution: &[Run]) -> Vec<(&Run, f64)> {
    let by_name: HashMap<(&str, u32), &Run> =
        execution.iter().map(|run| ((run.step.as_str(), run.run), run)).collect();
    let mut path = Vec::new();
    let mut at = execution.iter().max_by_key(|run| (run.exited_ms, run.entered_ms));
    // A step cannot hold itself up, so the walk is no longer than there are runs.
    while let Some(run) = at.filter(|_| path.len() < execution.len()) {
        let before = by_name.get(&(run.released_by.as_str(), run.released_by_run)).copied();
        // From the exit that let it begin, so that waiting counts where it happened.
        let from = before.map_or(run.entered_ms, |before| before.exited_ms.min(run.exited_ms));
        path.push((run, (run.exited_ms - from).max(0) as f64));
        at = before;
    }
    path
}

fn bottleneck(step: String, mut on_path: OnPath, executions: u64, whole: f64) -> Bottleneck {
    let count = on_path.times.len() as f64;
    let time: f64 = on_path.times.iter().sum();
    Bottleneck {
        step,
        tool: on_path.tool,
        on_path: (count / executions.max(1) as f64).min(1.0),
        share: if whole > 0.0 { time / whole } else { 0.0 },
        path_ms: spread(&mut on_path.times),
        queue_ms: on_path.queue_ms / count.max(1.0),
        trend: trend(&on_path.points).unwrap_or_default(),
    }
}

fn crossing(
    trend: Option<&noetl_api::insight::Trend>,
    median_ms: f64,
    deadline_ms: Option<f64>,
    since: Since,
    notes: &mut Vec<String>,
) -> Option<String> {
    let Some(deadline) = deadline_ms else {
        notes.push("the playbook has no deadline; name one with --deadline".to_owned());
        return None;
    };
    if median_ms >= deadline {
        notes.push("half of the executions take longer than the deadline already".to_owned());
        return Some(moment(since.now));
    }
    let trend = trend?;
    if !(trend.is_clear && trend.ms_per_day > 0.0) {
        notes.push("there is no clear trend towards the deadline".to_owned());
        return None;
    }
    let days = (deadline - median_ms) / trend.ms_per_day;
    if days > HORIZON_DAYS {
        notes.push("at this rate the deadline is more than a year away".to_owned());
        return None;
    }
    let at = since.now + Duration::milliseconds((days * 86_400_000.0) as i64);
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};

    use super::*;

    fn run(execution_id: u64, step: &str, released_by: &str, entered_ms: i64, exited_ms: i64) -> Run {
        Run {
            execution_id,
            step: step.into(),
            run: 1,
            tool: "python".into(),
            released_by: released_by.into(),
            released_by_run: 1,
            entered_ms,
            exited_ms,
            queue_ms: 1.0,
        }
    }

    #[test]
    fn the_path_goes_through_the_slower_branch() {
        let execution = [
            run(1, "start", "", 0, 10),
            run(1, "fast", "start", 10, 30),
            run(1, "slow", "start", 10, 200),
            run(1, "join", "slow", 200, 220),
        ];
        let told: Vec<(&str, f64)> =
            path(&execution).into_iter().map(|(run, time)| (run.step.as_str(), time)).collect();
        assert_eq!(told, [("join", 20.0), ("slow", 190.0), ("start", 10.0)]);
    }

    #[test]
    fn a_growing_step_meets_its_deadline_on_a_day() {
        let now = Utc.with_ymd_and_hms(2026, 11, 27, 0, 0, 0).unwrap();
        let since = Since { from: now - Duration::days(30), now };
        let mut runs = Vec::new();
        for day in 0..20_i64 {
            let at = (now - Duration::days(20 - day)).timestamp_millis();
            runs.push(run(day as u64, "query", "", at, at + 1000 + day * 100));
            runs.push(run(day as u64, "send", "query", at + 1000 + day * 100, at + 1050 + day * 100));
        }
        let told = found("report", since, Some(5000.0), &runs);
        assert_eq!(told.steps[0].step, "query");
        assert!(told.steps[0].share > 0.9 && told.steps[0].trend.is_clear);
        assert!((told.trend.ms_per_day - 100.0).abs() < 1.0, "{:?}", told.trend);
        // (5000 - 1950) / 100 days from now.
        assert!(told.crosses_at.as_deref().unwrap_or_default().starts_with("2026-12-2"), "{told:?}");
        let unknown = found("report", since, None, &runs[..4]);
        assert_eq!((unknown.crosses_at, unknown.notes.len()), (None, 2));
    }
}
