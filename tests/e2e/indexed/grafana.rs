//! The dashboards of `deploy/grafana`: every SQL text of them, as Grafana's ClickHouse data source sends it.
//!
//! Grafana itself cannot be had here. What it does to a text is done here as its data source documents it: macros become
//! conditions over the shown time, variables become lists of quoted values, and the text goes over HTTP as the reader.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{MIXED, caught_up, library, options, run_some};
use crate::app::App;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_panel_of_the_dashboards_is_answered() {
    if library().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let app = App::start_with(options(&folder.path().join("noetl.toml"), "")).await;
    app.register(MIXED).await.unwrap();
    run_some(&app, 0..12).await;
    caught_up(&app).await;

    let mut panels = 0;
    for file in dashboards() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let board: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).expect("JSON");
        let variables = &board["templating"]["list"];
        for variable in variables.as_array().unwrap() {
            assert_eq!(variable["datasource"]["uid"], "noetl", "{name}: {variable}");
            let values = ask(&app, &expanded(variable["query"].as_str().unwrap())).await;
            assert_eq!(values["data"], json!([["tests/indexed/mixed"]]), "{name}: {variable}");
        }
        for panel in board["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"]["uid"], "noetl", "{name}: {title}");
                let answer = ask(&app, &expanded(target["rawSql"].as_str().unwrap())).await;
                let rows = answer["data"].as_array().unwrap();
                assert!(!rows.is_empty(), "{name}: {title} shows nothing");
                let types: Vec<&str> = answer["meta"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["type"].as_str().unwrap())
                    .collect();
                // A curve wants a moment first, values behind it, and names between at most.
                if target["format"] == 0 {
                    assert!(types[0].contains("DateTime"), "{name}: {title}: {types:?}");
                    let is_value = |kind: &&str| kind.contains("Int") || kind.contains("Float");
                    assert!(types[1..].iter().any(is_value), "{name}: {title}: {types:?}");
                }
                panels += 1;
            }
        }
    }
    assert!(panels >= 15, "{panels}");

    // What the panels show is true.
    let figures = ask(
        &app,
        "SELECT countIf(status = 'FAILED'), count() FROM noetl_executions FINAL WHERE status != 'RUNNING'",
    )
    .await;
    assert_eq!(figures["data"], json!([[2, 12]]), "{figures}");
}

#[test]
fn the_data_source_is_the_one_that_the_dashboards_name() {
    let text = std::fs::read_to_string(folder().join("datasource.yaml")).unwrap();
    for line in ["uid: noetl", "type: grafana-clickhouse-datasource", "username: reader", "protocol: http"] {
        assert!(text.lines().any(|one| one.trim() == line), "{line}");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana")
}

fn dashboards() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder().join("dashboards")).expect("the folder of dashboards");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() >= 2, "{files:?}");
    files
}

/// As the data source asks: a reader over HTTP, in a session, with a time limit of its own.
async fn ask(app: &App, sql: &str) -> Value {
    let status = app.get("/api/insights/status").await;
    let address = status["analytics"]["address"].as_str().expect("an address").to_owned();
    let key = std::fs::read_to_string(app.data().join("index/reader.key")).expect("the readers' key");
    let request = |format: &str| {
        let pairs = [
            ("default_format", format),
            ("client_protocol_version", "54460"),
            ("database", "observability"),
            ("session_id", "grafana"),
            ("max_execution_time", "65"),
            ("output_format_json_quote_64bit_integers", "0"),
        ];
        app.http.post(&address).query(&pairs).basic_auth("reader", Some(key.trim())).body(sql.to_owned())
    };
    let native = request("Native").send().await.expect("an answer");
    let code = native.headers().get("X-ClickHouse-Exception-Code").cloned();
    let bytes = native.bytes().await.expect("a body");
    assert_eq!(code, None, "{sql}: {}", String::from_utf8_lossy(&bytes));
    let answer = request("JSONCompact").send().await.expect("an answer").text().await.expect("a body");
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{sql}: {error}: {answer}"))
}

const SECONDS: i64 = 20;

/// The macros of the ClickHouse data source, and the variable with all its values.
fn expanded(sql: &str) -> String {
    let now = unix_seconds();
    let (from, to) = (now - 6 * 3600, now + 60);
    let mut sql = sql.replace("${playbook:singlequote}", "'tests/indexed/mixed'");
    sql = call(&sql, "$__timeFilter(", |column| {
        format!("{column} >= toDateTime({from}) AND {column} <= toDateTime({to})")
    });
    sql = call(&sql, "$__timeInterval(", |column| {
        format!("toStartOfInterval(toDateTime({column}), INTERVAL {SECONDS} second)")
    });
    sql = sql.replace("$__interval_s", &SECONDS.to_string());
    assert!(!sql.contains('$'), "a macro that is not known here: {sql}");
    sql
}

fn unix_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    since.as_secs() as i64
}

fn call(sql: &str, name: &str, with: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find(name) {
        let inside = &rest[at + name.len()..];
        let end = inside.find(')').expect("a macro that is closed");
        out.push_str(&rest[..at]);
        out.push_str(&with(&inside[..end]));
        rest = &inside[end + 1..];
    }
    out + rest
}
