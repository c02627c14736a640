//! `compare`: two executions side by side: definition, inputs, results, durations, and the shapes of what was said.

use std::collections::BTreeMap;

use clickhouse::Row;
use noetl_api::insight::{Comparison, Shape, Side, StepComparison, StepSide};
use serde::Deserialize;

use super::{hex, moment_of_ms};
use crate::analytics::{Analytics, AnalyticsError};

/// Durations that differ by less are the same.
const SAME_FACTOR: f64 = 1.5;
const SAME_MS: f64 = 20.0;
/// Shapes shown of each kind.
const MOST_SHAPES: usize = 50;

#[derive(Clone, Row, Deserialize)]
struct Execution {
    execution_id: u64,
    playbook: String,
    version: u32,
    status: String,
    started_ms: i64,
    duration_ms: f64,
    input_shape: u64,
    input_hash: u64,
    bytes_in: u64,
    bytes_out: u64,
    failed_step: String,
    cause: String,
    message: String,
}

#[derive(Row, Deserialize)]
struct Step {
    execution_id: u64,
    step: String,
    status: String,
    tool: String,
    runs: u64,
    total_ms: f64,
    attempts: u32,
    bytes_out: u64,
    rows_out: u64,
    result_shape: u64,
    worker: String,
}

#[derive(Row, Deserialize)]
struct Said {
    fingerprint: u64,
    template: String,
    in_a: u64,
    in_b: u64,
}

/// The two definitions, for the difference between them.
pub(crate) struct Definitions {
    pub(crate) a: Option<String>,
    pub(crate) b: Option<String>,
}

/// What is known of two executions; none for one that was not indexed.
pub(crate) struct Known {
    a: Execution,
    b: Execution,
}

impl Known {
    pub(crate) fn versions(&self) -> [(&str, u32); 2] {
        [(&self.a.playbook, self.a.version), (&self.b.playbook, self.b.version)]
    }
}

/// Finds both executions; the error of the outer result names the one that is not there.
pub(crate) async fn known(
    analytics: &Analytics,
    a: u64,
    b: u64,
) -> Result<Result<Known, u64>, AnalyticsError> {
    let sql =
        "SELECT execution_id, playbook, version, status, toUnixTimestamp64Milli(started_at) AS started_ms,
            duration_ms, input_shape, input_hash, bytes_in, bytes_out, failed_step, cause, message
        FROM {database}.noetl_executions FINAL WHERE execution_id IN (?, ?)";
    let rows = analytics.all::<Execution>("find executions", analytics.query(sql).bind(a).bind(b)).await?;
    let find = |id: u64| rows.iter().find(|row| row.execution_id == id).cloned().ok_or(id);
    Ok(find(a).and_then(|a| Ok(Known { a, b: find(b)? })))
}

pub(crate) async fn compare(
    analytics: &Analytics,
    known: Known,
    definitions: Definitions,
) -> Result<Comparison, AnalyticsError> {
    let (a, b) = (known.a.execution_id, known.b.execution_id);
    let steps = steps(analytics, a, b).await?;
    let (new_lines, vanished_lines) = said(analytics, "noetl_logs", a, b).await?;
    let (new_failures, vanished_failures) = said(analytics, "noetl_events", a, b).await?;
    Ok(Comparison {
        definition_diff: diff(&known, &definitions),
        same_input: known.a.input_hash == known.b.input_hash,
        same_input_shape: known.a.input_shape == known.b.input_shape,
        a: side(known.a),
        b: side(known.b),
        steps,
        new_lines,
        vanished_lines,
        new_failures,
        vanished_failures,
    })
}

fn side(row: Execution) -> Side {
    Side {
        execution_id: row.execution_id.to_string(),
        playbook: row.playbook,
        version: row.version,
        status: row.status,
        started_at: moment_of_ms(row.started_ms),
        duration_ms: row.duration_ms,
        bytes_in: row.bytes_in,
        bytes_out: row.bytes_out,
        failed_step: row.failed_step,
        cause: row.cause,
        message: row.message,
    }
}

fn diff(known: &Known, definitions: &Definitions) -> Option<String> {
    let (a, b) = (definitions.a.as_deref()?, definitions.b.as_deref()?);
    if a == b {
        return None;
    }
    let name = |row: &Execution| format!("{} version {}", row.playbook, row.version);
    let diff = similar::TextDiff::from_lines(a, b);
    Some(diff.unified_diff().context_radius(2).header(&name(&known.a), &name(&known.b)).to_string())
}

async fn steps(analytics: &Analytics, a: u64, b: u64) -> Result<Vec<StepComparison>, AnalyticsError> {
    let sql = "SELECT execution_id, step, argMax(status, run) AS status, any(tool) AS tool, count() AS runs,
            sum(one.total_ms) AS total_ms, max(one.attempts) AS attempts, argMax(one.bytes_out, run) AS bytes_out,
            argMax(one.rows_out, run) AS rows_out, argMax(one.result_shape, run) AS result_shape,
            argMax(worker, run) AS worker
        FROM {database}.noetl_steps AS one FINAL WHERE execution_id IN (?, ?)
        GROUP BY execution_id, step ORDER BY min(entered_at)";
    let rows = analytics.all::<Step>("compare steps", analytics.query(sql).bind(a).bind(b)).await?;
    let mut order: Vec<String> = Vec::new();
    let mut sides: BTreeMap<String, (Option<StepSide>, Option<StepSide>)> = BTreeMap::new();
    for row in rows {
        if !order.contains(&row.step) {
            order.push(row.step.clone());
        }
        let is_a = row.execution_id == a;
        let entry = sides.entry(row.step.clone()).or_default();
        let told = step_side(row);
        if is_a {
            entry.0 = Some(told);
        } else {
            entry.1 = Some(told);
        }
    }
    let told = |step: String| {
        let (a, b) = sides.remove(&step).unwrap_or_default();
        StepComparison { differs: differs(a.as_ref(), b.as_ref()), step, a, b }
    };
    Ok(order.into_iter().map(told).collect())
}

fn step_side(row: Step) -> StepSide {
    StepSide {
        status: row.status,
        tool: row.tool,
        runs: row.runs,
        total_ms: row.total_ms,
        attempts: row.attempts,
        bytes_out: row.bytes_out,
        rows_out: row.rows_out,
        result_shape: hex(row.result_shape),
        worker: row.worker,
    }
}

fn differs(a: Option<&StepSide>, b: Option<&StepSide>) -> Vec<String> {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (Some(_), None) => return vec!["only_a".to_owned()],
        (None, _) => return vec!["only_b".to_owned()],
    };
    let longer = a.total_ms.max(b.total_ms);
    let shorter = a.total_ms.min(b.total_ms);
    [
        ("status", a.status != b.status),
        ("tool", a.tool != b.tool),
        ("duration", longer - shorter > SAME_MS && longer > shorter * SAME_FACTOR),
        ("attempts", a.attempts != b.attempts),
        ("rows", a.rows_out != b.rows_out),
        ("shape", a.result_shape != b.result_shape),
        (
            "size",
            a.bytes_out.max(b.bytes_out) as f64 > a.bytes_out.min(b.bytes_out) as f64 * SAME_FACTOR + 64.0,
        ),
    ]
    .into_iter()
    .filter(|(_, is_different)| *is_different)
    .map(|(what, _)| what.to_owned())
    .collect()
}

/// Shapes of messages that only B has, and that only A has.
async fn said(
    analytics: &Analytics,
    table: &str,
    a: u64,
    b: u64,
) -> Result<(Vec<Shape>, Vec<Shape>), AnalyticsError> {
    let sql = format!(
        "SELECT if(known.canonical = 0, one.fingerprint, known.canonical) AS fingerprint,
            any(known.template) AS template, countIf(execution_id = ?) AS in_a, countIf(execution_id = ?) AS in_b
        FROM {{database}}.{table} AS one FINAL
        LEFT JOIN (SELECT fingerprint, canonical, template FROM {{database}}.noetl_templates FINAL) AS known
            ON known.fingerprint = one.fingerprint
        WHERE execution_id IN (?, ?) AND one.fingerprint != 0
        GROUP BY fingerprint HAVING in_a = 0 OR in_b = 0 ORDER BY in_a + in_b DESC"
    );
    let query = analytics.query(&sql).bind(a).bind(b).bind(a).bind(b);
    let rows = analytics.all::<Said>("compare what was said", query).await?;
    let (mut new, mut vanished) = (Vec::new(), Vec::new());
    for row in rows {
        let (list, count) = if row.in_a == 0 { (&mut new, row.in_b) } else { (&mut vanished, row.in_a) };
        if list.len() < MOST_SHAPES {
            list.push(Shape { fingerprint: hex(row.fingerprint), template: row.template, count });
        }
    }
    Ok((new, vanished))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_differences_are_named() {
        let a = StepSide {
            status: "COMPLETED".into(),
            total_ms: 100.0,
            bytes_out: 2000,
            attempts: 1,
            ..StepSide::default()
        };
        let close = StepSide { total_ms: 110.0, bytes_out: 2100, ..a.clone() };
        assert_eq!(differs(Some(&a), Some(&close)), Vec::<String>::new());
        let far =
            StepSide { status: "FAILED".into(), total_ms: 900.0, bytes_out: 2, attempts: 3, ..a.clone() };
        assert_eq!(differs(Some(&a), Some(&far)), ["status", "duration", "attempts", "size"]);
        assert_eq!(differs(None, Some(&a)), ["only_b"]);
    }
}
