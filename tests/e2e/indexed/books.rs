//! The books: what the log says must be in the tables, against what is in them.

use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::app::{App, PATIENCE, pause};
use crate::indexed::numbers;

/// Counts the log, with nothing of ours in between.
const COUNT: &str = r#"
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
one = lambda sql: db.execute(sql).fetchone()[0]
looped, items = set(), 0
for execution, data in db.execute("select execution_id, data from event_row where event_type = 'loop.started'"):
    event = json.loads(data)["data"]
    looped.add((execution, event["step"], event["run"]))
for execution, data in db.execute("select execution_id, data from event_row where event_type in ('call.done', 'call.error')"):
    event = json.loads(data)["data"]
    if (execution, event["id"]["step"], event["id"]["run"]) in looped:
        items += sum(run["count"] for run in event.get("runs", [])) + len(event.get("items", []))
skipped = one("select count(*) from event_row where event_type = 'step.skipped'")
exits = one("select count(*) from event_row where event_type = 'step.exit'")
print(json.dumps({
    "events": one("select count(*) from event_row"),
    "items": items,
    "steps": skipped + exits,
    "runs": exits,
    "failed": one("select count(*) from event_row where event_type = 'step.exit' and json_extract(data, '$.data.status') = 'FAILED'"),
    "executions": one("select count(distinct execution_id) from event_row"),
    "ended": one("select count(*) from event_row where event_type in ('playbook.completed', 'playbook.failed', 'execution.cancelled')"),
    "lines": one("select count(*) from log_row"),
}))
"#;

/// Everything that was committed is in the tables, and nothing is there twice, in the hourly counts neither.
///
/// Lines come a moment after the Events that they belong to, so the books have a little time to balance.
pub(super) async fn balance(app: &App) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let wrong = differences(app).await;
        if wrong.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{}\n{}", wrong.join("\n"), app.log());
        pause().await;
    }
}

async fn differences(app: &App) -> Vec<String> {
    let output = Command::new("python3")
        .args(["-c", COUNT])
        .arg(app.data().join("noetl.db"))
        .output()
        .expect("python3 runs");
    let log: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let log = |name: &str| log[name].as_u64().unwrap_or_else(|| panic!("{name} in {log}"));
    let from = |what: &str, table: &str| format!("(SELECT {what} FROM noetl_{table})");
    // What is counted, what the log says, and the tables.
    let books = [
        ("events", log("events"), from("countIf(item = 0)", "events")),
        ("events, double ones merged", log("events"), from("uniqExactIf(event_id, item = 0)", "events")),
        ("iterations", log("items"), from("countIf(event_type = 'call.item')", "events")),
        ("runs of steps", log("steps"), from("count()", "steps")),
        ("failed runs", log("failed"), from("countIf(status = 'FAILED')", "steps")),
        ("executions", log("executions"), from("count()", "executions FINAL")),
        ("ended executions", log("ended"), from("countIf(status != 'RUNNING')", "executions FINAL")),
        ("runs by the hour", log("runs"), from("sum(runs)", "steps_hourly")),
        ("failed runs by the hour", log("failed"), from("sum(failed)", "steps_hourly")),
        ("failures by the hour", log("failed"), from("sum(failures)", "failures_hourly")),
        ("ended executions by the hour", log("ended"), from("sum(executions)", "executions_hourly")),
        ("lines", log("lines"), from("count()", "logs")),
    ];
    let sql = books.iter().map(|(_, _, sql)| sql.as_str()).collect::<Vec<_>>().join(", ");
    let found = numbers(app, &format!("SELECT {sql}")).await;
    assert!(
        log("events") > 0 && log("items") > 0 && log("failed") > 0,
        "the log holds something of each kind"
    );
    books
        .iter()
        .zip(&found)
        .filter(|((_, expected, _), found)| expected != *found)
        .map(|((name, expected, _), found)| format!("{name}: {expected} in the log, {found} in the tables"))
        .collect()
}
