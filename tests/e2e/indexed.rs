//! The semantic layer of the real binary: whatever dies, fills up or goes away, runs go on and the index ends up right.

mod away;
mod books;
mod full;
mod grafana;
mod killed;
mod opened;
mod poison;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use crate::app::{App, Options, PATIENCE, pause};

/// Loops, retries, failures that are answered and failures that are not, and lines that tools print.
const MIXED: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: mixed, path: tests/indexed/mixed }
workload: { n: 0, items: 40 }
workflow:
  - step: start
    loop: { in: "{{ workload.items }}", iterator: x, spec: { mode: parallel, max_in_flight: 8 } }
    tool: { kind: noop, result: { n: "{{ iter.x }}" } }
    next: { arcs: [ { step: work } ] }
  - step: work
    tool:
      kind: python
      input: { n: "{{ workload.n }}" }
      code: |
        print(f"working on {n}")
        if int(n) % 3 == 1:
            raise ValueError(f"order {n} has no customer")
        result = {"n": n}
    next:
      arcs:
        - { step: repair, when: "{{ event.name == 'call.error' and workload.n % 2 == 0 }}" }
        - { step: end, when: "{{ event.name == 'call.done' }}" }
  - step: repair
    tool: { kind: noop }
    next: { arcs: [ { step: end } ] }
  - step: end
"#;

/// `None`, and loudly so, on a machine that set-up could not bring the engine to.
pub(crate) fn library() -> Option<PathBuf> {
    let found = noetl_engine_clickhouse::library();
    if found.is_none() {
        eprintln!("NOT TESTED: the ClickHouse engine is not on this machine; cargo xtask setup brings it");
    }
    found
}

/// A configuration file with this `[indexer]`, and the engine's library, which no test may have to look for.
pub(crate) fn options(file: &std::path::Path, indexer: &str) -> Options {
    configure(file, indexer);
    let library = noetl_engine_clickhouse::library().unwrap_or_default();
    let env =
        [("NOETL_CONFIG", file.display().to_string()), ("NOETL_CHDB_LIB", library.display().to_string())];
    Options { env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(), cwd: None }
}

fn configure(file: &std::path::Path, indexer: &str) {
    std::fs::write(file, format!("[indexer]\n{indexer}\n")).expect("a configuration file");
}

/// What `noetl cluster status` shows of the analytics, once it is as wanted.
async fn until(app: &App, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    until_part(app, "analytics", what, wanted).await
}

/// The same of any part.
async fn until_part(app: &App, part: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = app.get("/api/insights/status").await[part].clone();
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "{part} never {what}: {status}\n{}", app.log());
        pause().await;
    }
}

/// Comes when everything that was committed is in the tables.
pub(crate) async fn caught_up(app: &App) -> Value {
    until(app, "level with the log", is_level).await
}

fn is_level(status: &Value) -> bool {
    status["state"] == "on"
        && status["behind"] == 0
        && status["lag_ms"] == 0
        && status["position"] == status["head"]
}

async fn failing(app: &App) -> String {
    let failing = until(app, "failing", |status| status["state"] == "failing").await;
    failing["reason"].as_str().unwrap_or_default().to_owned()
}

/// Runs some of the mixed work to its end: the engine must not matter to it.
async fn run_some(app: &App, numbers: std::ops::Range<u64>) {
    let mut ids = Vec::new();
    for n in numbers {
        ids.push((n, app.execute("tests/indexed/mixed", &json!({"n": n})).await.expect("an execution")));
    }
    for (n, id) in ids {
        let status = app.ended(&id).await.expect("an end");
        let expected = if n % 3 == 1 && n % 2 == 1 { "FAILED" } else { "COMPLETED" };
        assert_eq!(status["status"], expected, "{status}");
    }
}

/// The one row of a query, as numbers.
async fn numbers(app: &App, sql: &str) -> Vec<u64> {
    let answer = app.post("/api/insights/sql", &json!({"query": sql})).await;
    let row = answer["rows"][0].as_array().unwrap_or_else(|| panic!("{answer}"));
    let number = |value: &Value| {
        value
            .as_u64()
            .or_else(|| value.as_str()?.parse().ok())
            .unwrap_or_else(|| panic!("{value} in {answer}"))
    };
    row.iter().map(number).collect()
}

/// Every row of every analytic table, sketches and states made readable.
pub(crate) async fn everything(app: &App) -> Vec<(String, Value)> {
    let columns = "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() \
        AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')";
    let answer = app.post("/api/insights/sql", &json!({"query": columns})).await;
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in answer["rows"].as_array().expect("rows") {
        let [table, name, kind] = [0, 1, 2].map(|at| row[at].as_str().expect("a text").to_owned());
        let is_state = kind.starts_with("AggregateFunction");
        let column = if is_state { format!("finalizeAggregation({name})") } else { name };
        tables.entry(table).or_default().push(format!("toString({column})"));
    }
    assert!(tables.len() >= 10, "{tables:?}");
    let mut everything = Vec::new();
    for (table, columns) in tables {
        let query = format!("SELECT {} FROM {table}", columns.join(", "));
        let answer = app.post("/api/insights/sql", &json!({"query": query, "max_rows": 100_000})).await;
        assert_eq!(answer["is_cut"], false, "{table}");
        everything.push((format!("table {table}"), answer["rows"].clone()));
    }
    everything
}
