//! `sql`: a question in SQL over the analytic tables; it may read.

use noetl_api::chat::ColumnKind as K;
use noetl_api::insight::SqlQuestion;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "One SELECT in ClickHouse's SQL over the tables noetl_executions, noetl_steps, noetl_events, \
    noetl_logs (read with FINAL) and noetl_failures_hourly; read only, at most 200 rows and 20 seconds. Columns of \
    noetl_executions: execution_id, playbook, version, status, started_at, finished_at, duration_ms, retries, failed_step, \
    cause; of noetl_steps: execution_id, playbook, version, step, tool, pool, status, entered_at, exited_at, queue_ms, \
    run_ms, total_ms, attempts, iterations, bytes_out, rows_out, cause, status_code. For what no other tool answers.";

const MOST_ROWS: u64 = 200;
const MOST_SECONDS: u64 = 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// The query.
    query: String,
    /// Rows at most; 50 unless given.
    #[serde(default)]
    max_rows: Option<u64>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let question = SqlQuestion {
        query: input.query.clone(),
        max_rows: Some(input.max_rows.unwrap_or(50).clamp(1, MOST_ROWS)),
        max_seconds: Some(MOST_SECONDS),
    };
    let found = answers.sql(&question).await?;
    let mut answer = Answer::of(&found);
    let columns: Vec<(&str, K)> =
        found.columns.iter().map(|column| (column.name.as_str(), kind(&column.kind))).collect();
    let mut table = Table::new("rows", &columns).by(&input.query);
    for row in &found.rows {
        table.row(row.clone());
    }
    table.give(&mut answer);
    let more = if found.is_cut { ", and there are more" } else { "" };
    let count = format!("{} rows{more}", found.rows.len());
    let reference = answer.fact("rows", &count, &input.query);
    answer.say(match (found.rows.as_slice(), found.columns.as_slice()) {
        ([row], [column]) => {
            let cell = noetl_api::chat::shown(kind(&column.kind), &row[0]);
            let cell = cell.replace('"', "'").chars().take(200).collect::<String>();
            format!("{} is \"{cell}\" [e:{reference}].", column.name)
        }
        _ => format!("{count} [e:{reference}]."),
    });
    answer.data = json!(found);
    Ok(answer)
}

/// Only numbers, moments and columns of few distinct values (states, names) are shown to a model as they are.
fn kind(of: &str) -> K {
    let inner = of.trim_start_matches("Nullable(");
    if inner.starts_with("UInt")
        || inner.starts_with("Int")
        || inner.starts_with("Float")
        || inner.starts_with("Decimal")
    {
        K::Number
    } else if inner.starts_with("Date") {
        K::Moment
    } else if inner.starts_with("LowCardinality") || inner.starts_with("Enum") || inner.starts_with("Bool") {
        K::Name
    } else {
        K::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_kind_is_not_taken_for_a_name() {
        assert_eq!(kind("Nullable(UInt64)"), K::Number);
        assert_eq!(kind("LowCardinality(String)"), K::Name);
        for text in ["String", "Array(String)", "Nullable(String)", "FixedString(4)", "Map(String, String)"] {
            assert_eq!(kind(text), K::Text, "{text}");
        }
    }
}
