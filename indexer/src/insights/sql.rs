//! `sql`: a question in SQL, read only, with limits on rows and time.

use std::time::Instant;

use noetl_api::insight::{SqlAnswer, SqlColumn, SqlQuestion};
use serde::Deserialize;
use serde_json::Value;

use crate::analytics::{Analytics, AnalyticsError};

const USUAL_ROWS: u64 = 1_000;
const MOST_ROWS: u64 = 100_000;
const USUAL_SECONDS: u64 = 30;
const MOST_SECONDS: u64 = 300;

/// As the engine writes `JSONCompact`.
#[derive(Deserialize)]
struct Answer {
    meta: Vec<SqlColumn>,
    data: Vec<Vec<Value>>,
}

pub(crate) async fn sql(analytics: &Analytics, question: &SqlQuestion) -> Result<SqlAnswer, AnalyticsError> {
    let rows = question.max_rows.unwrap_or(USUAL_ROWS).clamp(1, MOST_ROWS);
    let seconds = question.max_seconds.unwrap_or(USUAL_SECONDS).clamp(1, MOST_SECONDS);
    let began = Instant::now();
    let text = question.query.trim().trim_end_matches(';');
    // One more than asked for tells whether there are more.
    let bytes = analytics.read_only("JSONCompact", text, rows + 1, seconds).await?;
    let mut answer: Answer = serde_json::from_slice(&bytes)
        .map_err(|error| AnalyticsError::Unreadable { reason: error.to_string() })?;
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let is_cut = answer.data.len() > rows;
    answer.data.truncate(rows);
    Ok(SqlAnswer {
        columns: answer.meta,
        rows: answer.data,
        is_cut,
        elapsed_ms: began.elapsed().as_secs_f64() * 1000.0,
    })
}
