//! The limit that group commit is measured against: the same rows, nothing else.

use std::path::Path;
use std::time::Instant;

use sqlx::Arguments as _;

use super::script::{Rows, Script};
use super::{SqliteStore, StoreError};

const ROWS: Rows = Rows {
    before: "INSERT INTO event_row (execution_id, seq, event_id, at_ms, event_type, node_name, data) VALUES ",
    row: "(?,?,?,?,?,?,?)",
    after: "",
};

/// Inserts rows as large as a small Event's, `rows` to a commit; returns rows per second and microseconds per commit.
pub async fn bare_inserts(directory: &Path, rows: u64, commits: u64) -> Result<(f64, f64), StoreError> {
    let failed = |source| StoreError::failed("measure inserts", source);
    let store = SqliteStore::open(directory).await?;
    let data =
        format!("{{\"type\":\"step.enter\",\"data\":{{\"step\":\"a\",\"note\":\"{}\"}}}}", "x".repeat(120));
    let began = Instant::now();
    for commit in 0..commits {
        let mut script = Script::begin();
        script
            .rows(&ROWS, (0..rows as usize).collect::<Vec<_>>(), |arguments, row| {
                let number = (commit * rows) as i64 + row as i64;
                arguments.add(1 + row as i64 % 64)?;
                arguments.add(number)?;
                arguments.add(number)?;
                arguments.add(1_700_000_000_000_i64)?;
                arguments.add("step.enter")?;
                arguments.add("a")?;
                arguments.add(data.as_str())
            })
            .map_err(failed)?;
        let mut writer = store.writer.lock().await;
        script.commit(writer.take_up().await.map_err(failed)?).await.map_err(failed)?;
        writer.settled();
    }
    let spent = began.elapsed().as_secs_f64();
    store.close().await;
    Ok(((rows * commits) as f64 / spent, spent * 1e6 / commits as f64))
}
