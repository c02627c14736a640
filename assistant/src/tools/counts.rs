//! `counts`: how many executions there were, how they ended and how long they took, by playbook, day, cause or step.

use chrono::Duration;
use noetl_api::chat::ColumnKind as K;
use noetl_api::execution::{ExecutionFilter, ExecutionSummary};
use noetl_api::insight::SqlQuestion;
use noetl_api::show::milliseconds;
use noetl_domain::code::Code;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::Table;
use super::{Answer, Answers, Stretch, Trouble, stretch};

pub(super) const DESCRIPTION: &str = "How many executions there were in a stretch of time, how they ended and how long they \
    took, counted by playbook, version, day, hour, cause or step. For questions such as how many runs failed since Monday, \
    which playbook fails most, which step is slowest, how often something ran.";

/// Executions that are looked at one by one where the tables are off.
const MOST_LISTED: usize = 5_000;
const PAGE: u32 = 1_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    #[default]
    Playbook,
    Version,
    Day,
    Hour,
    /// Failed ones only.
    Cause,
    /// Runs of steps instead of executions.
    Step,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    #[default]
    Runs,
    Failed,
    FailureRate,
    Duration,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Path of a playbook; all of them unless given.
    playbook: Option<String>,
    /// Only executions in this state: RUNNING, COMPLETED, FAILED or CANCELLED.
    status: Option<String>,
    /// What is counted together.
    by: By,
    /// What comes first; days and hours come in their own order.
    order: Order,
    /// Beginning: 30m, 24h, 7d, 4w back, or a moment in RFC 3339; 7d unless given.
    since: Option<String>,
    /// End, in the same forms; now unless given.
    until: Option<String>,
    /// How many lines at most.
    limit: Option<u64>,
}

/// One line.
#[derive(Debug, Default)]
struct Line {
    what: String,
    runs: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    running: u64,
    median_ms: Option<f64>,
    p95_ms: Option<f64>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let within = stretch(input.since.as_deref(), input.until.as_deref(), Duration::days(7))?;
    if let Some(status) = &input.status
        && !["RUNNING", "COMPLETED", "FAILED", "CANCELLED"].contains(&status.as_str())
    {
        return Err(Trouble::new(Code::InvalidRequest, format!("{status:?} is no state of an execution"))
            .hint("RUNNING, COMPLETED, FAILED or CANCELLED"));
    }
    let query = query(&input, within);
    let asked = SqlQuestion { query: query.clone(), max_rows: Some(2_000), max_seconds: Some(20) };
    match answers.sql(&asked).await {
        Ok(found) => {
            let lines: Vec<Line> = found.rows.iter().map(|row| line(row)).collect();
            Ok(told(&input, &lines, Some(&query), Vec::new()))
        }
        // The store has the executions too; it is slower and knows nothing of steps and causes.
        Err(trouble)
            if trouble.is(&[Code::LayerOff, Code::LayerStarting, Code::LayerFailed])
                && !matches!(input.by, By::Step | By::Cause) =>
        {
            let (lines, is_cut) = listed(answers, &input, within).await?;
            let mut notes = vec![format!("counted without the analytic tables: {}", trouble.0.detail)];
            if is_cut {
                notes.push(format!("only the newest {MOST_LISTED} executions were looked at"));
            }
            Ok(told(&input, &lines, None, notes))
        }
        Err(trouble) => Err(trouble),
    }
}

fn query(input: &Input, within: Stretch) -> String {
    let (table, at, duration) = match input.by {
        By::Step => ("noetl_steps", "exited_at", "total_ms"),
        _ => ("noetl_executions", "started_at", "duration_ms"),
    };
    let what = match input.by {
        By::Playbook => "playbook",
        By::Version => "concat(playbook, ' v', toString(version))",
        By::Day => "toString(toDate(started_at))",
        By::Hour => "toString(toStartOfHour(started_at))",
        By::Cause => "cause",
        By::Step => "concat(playbook, ': ', step)",
    };
    let mut conditions = vec![within.sql(at)];
    if let Some(playbook) = &input.playbook {
        conditions.push(format!("playbook = {}", quoted(playbook)));
    }
    match (&input.status, input.by) {
        (Some(status), _) => conditions.push(format!("status = {}", quoted(status))),
        (None, By::Cause) => conditions.push("status = 'FAILED'".to_owned()),
        (None, By::Step) => conditions.push("status != 'SKIPPED'".to_owned()),
        (None, _) => {}
    }
    let order = match (input.by, input.order) {
        (By::Day | By::Hour, _) => "what",
        (_, Order::Runs) => "runs DESC, what",
        (_, Order::Failed) => "failed DESC, runs DESC, what",
        (_, Order::FailureRate) => "failed / runs DESC, failed DESC, what",
        (_, Order::Duration) => "median_ms DESC, what",
    };
    format!(
        "SELECT {what} AS what, count() AS runs, countIf(status = 'COMPLETED') AS completed, countIf(status = 'FAILED') AS \
         failed, countIf(status = 'CANCELLED') AS cancelled, countIf(status = 'RUNNING') AS running, \
         quantileIf(0.5)({duration}, status != 'RUNNING') AS median_ms, quantileIf(0.95)({duration}, status != 'RUNNING') \
         AS p95_ms FROM {table} FINAL WHERE {} GROUP BY what ORDER BY {order}",
        conditions.join(" AND ")
    )
}

/// A value as SQL writes it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn line(row: &[Value]) -> Line {
    let count = |at: usize| row.get(at).and_then(number).unwrap_or_default() as u64;
    let time = |at: usize| row.get(at).and_then(number).filter(|ms| ms.is_finite());
    Line {
        what: row.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        runs: count(1),
        completed: count(2),
        failed: count(3),
        cancelled: count(4),
        running: count(5),
        median_ms: time(6),
        p95_ms: time(7),
    }
}

/// Whole numbers of 64 bits come as strings.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// The newest executions in a stretch, page by page; and whether there were more than are looked at.
pub(super) async fn pages<A: Answers>(
    answers: &A,
    filter: &ExecutionFilter,
    within: Stretch,
    most: usize,
) -> Result<(Vec<ExecutionSummary>, bool), Trouble> {
    let (mut found, mut looked_at, mut before) = (Vec::new(), 0, None);
    loop {
        let page = ExecutionFilter { before: before.take(), limit: Some(PAGE), ..filter.clone() };
        let listed = answers.executions(&page).await?;
        looked_at += listed.len();
        let is_last = listed.len() < PAGE as usize
            || listed.last().is_none_or(|oldest| within.is_after(&oldest.started_at));
        before = listed.last().map(|oldest| oldest.execution_id.to_string());
        found.extend(listed.into_iter().filter(|one| within.holds(&one.started_at)));
        if is_last || found.len() >= most || looked_at >= MOST_LISTED {
            return Ok((found, !is_last));
        }
    }
}

async fn listed<A: Answers>(
    answers: &A,
    input: &Input,
    within: Stretch,
) -> Result<(Vec<Line>, bool), Trouble> {
    let filter = ExecutionFilter {
        path: input.playbook.clone(),
        status: input.status.clone(),
        ..ExecutionFilter::default()
    };
    let (found, is_cut) = pages(answers, &filter, within, MOST_LISTED).await?;
    let mut groups: indexmap::IndexMap<String, Vec<ExecutionSummary>> = indexmap::IndexMap::new();
    for one in found {
        let what = match input.by {
            By::Version => format!("{} v{}", one.path, one.version),
            By::Day => one.started_at.chars().take(10).collect(),
            By::Hour => one.started_at.chars().take(13).collect(),
            By::Playbook | By::Cause | By::Step => one.path.clone(),
        };
        groups.entry(what).or_default().push(one);
    }
    let mut lines: Vec<Line> = groups.into_iter().map(|(what, members)| counted(what, &members)).collect();
    lines.sort_by(|a, b| match (input.by, input.order) {
        (By::Day | By::Hour, _) => a.what.cmp(&b.what),
        (_, Order::Runs) => b.runs.cmp(&a.runs),
        (_, Order::Failed) => b.failed.cmp(&a.failed),
        (_, Order::FailureRate) => (b.failed * a.runs).cmp(&(a.failed * b.runs)),
        (_, Order::Duration) => b.median_ms.unwrap_or_default().total_cmp(&a.median_ms.unwrap_or_default()),
    });
    Ok((lines, is_cut))
}

fn counted(what: String, members: &[ExecutionSummary]) -> Line {
    let of = |status: &str| members.iter().filter(|one| one.status == status).count() as u64;
    let ended = members.iter().filter(|one| one.status != "RUNNING");
    let mut durations: Vec<f64> = ended.map(|one| one.duration * 1_000.0).collect();
    durations.sort_by(f64::total_cmp);
    let at = |share: f64| {
        durations.get(((durations.len() as f64 - 1.0).max(0.0) * share).round() as usize).copied()
    };
    Line {
        what,
        runs: members.len() as u64,
        completed: of("COMPLETED"),
        failed: of("FAILED"),
        cancelled: of("CANCELLED"),
        running: of("RUNNING"),
        median_ms: at(0.5),
        p95_ms: at(0.95),
    }
}

fn told(input: &Input, lines: &[Line], query: Option<&str>, notes: Vec<String>) -> Answer {
    let (unit, column) = match input.by {
        By::Playbook => ("executions", "playbook"),
        By::Version => ("executions", "version"),
        By::Day => ("executions", "day"),
        By::Hour => ("executions", "hour"),
        By::Cause => ("failed executions", "cause"),
        By::Step => ("runs of steps", "step"),
    };
    let mut answer = Answer { notes, ..Answer::default() };
    let mut table = Table::new(
        format!("{unit} by {column}"),
        &[
            (column, K::Name),
            ("runs", K::Number),
            ("completed", K::Number),
            ("failed", K::Number),
            ("failure rate", K::Share),
            ("cancelled", K::Number),
            ("running", K::Number),
            ("median", K::Milliseconds),
            ("p95", K::Milliseconds),
        ],
    );
    if let Some(query) = query {
        table = table.by(query);
    }
    let sum = |of: fn(&Line) -> u64| lines.iter().map(of).sum::<u64>();
    let (runs, failed, completed) =
        (sum(|line| line.runs), sum(|line| line.failed), sum(|line| line.completed));
    let (cancelled, running) = (sum(|line| line.cancelled), sum(|line| line.running));
    let mut best: Option<String> = None;
    let limit = usize::try_from(input.limit.unwrap_or(20)).unwrap_or(20).clamp(1, 200);
    for line in lines.iter().take(limit) {
        let rate = (line.runs > 0).then(|| line.failed as f64 / line.runs as f64);
        let reference = table.row(vec![
            json!(line.what),
            json!(line.runs),
            json!(line.completed),
            json!(line.failed),
            json!(rate),
            json!(line.cancelled),
            json!(line.running),
            json!(line.median_ms),
            json!(line.p95_ms),
        ]);
        if best.is_none() && lines.len() > 1 && !matches!(input.by, By::Day | By::Hour) {
            let name = if line.what.is_empty() { "unknown" } else { &line.what };
            best = match (input.order, input.by) {
                (Order::Duration, _) => line.median_ms.map(|ms| {
                    format!("The slowest is `{name}`: {} at the median [e:{reference}].", milliseconds(ms))
                }),
                (Order::Failed | Order::FailureRate, _) if line.failed > 0 => Some(format!(
                    "Most failures has `{name}`: {} of {} [e:{reference}].",
                    line.failed, line.runs
                )),
                (Order::Failed | Order::FailureRate, _) => None,
                (Order::Runs, _) => Some(format!("Most has `{name}`: {} [e:{reference}].", line.runs)),
            };
        }
    }
    let is_about_states = input.status.is_none() && input.by != By::Cause;
    let counted = if is_about_states {
        format!(
            "{runs} {unit}: {completed} completed, {failed} failed, {cancelled} cancelled, {running} running"
        )
    } else {
        let state = input.status.as_deref().map(str::to_ascii_lowercase);
        match state {
            Some(state) => format!("{runs} {unit} {state}"),
            None => format!("{runs} {unit}"),
        }
    };
    let reference = answer.fact("counts", &counted, query.unwrap_or("executions"));
    answer.say(format!("{counted} [e:{reference}]."));
    if let Some(best) = best {
        answer.say(best);
    }
    let left_out = lines.len().saturating_sub(limit);
    if left_out > 0 {
        answer.notes.push(format!("{left_out} more lines are not shown"));
    }
    table.give(&mut answer);
    answer.data = json!({
        "runs": runs, "completed": completed, "failed": failed, "cancelled": cancelled, "running": running,
    });
    if let (Some(playbook), _) | (None, [Line { what: playbook, .. }]) = (&input.playbook, lines)
        && (input.playbook.is_some() || input.by == By::Playbook)
    {
        answer.about.playbook = Some(playbook.clone());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted("a' OR 1=1 --\\"), "'a\\' OR 1=1 --\\\\'");
    }
}
