//! An Event that nobody can read.

use std::process::Command;

use serde_json::json;

use super::{MIXED, caught_up, configure, library, numbers, options, run_some};
use crate::app::App;

/// Breaks the newest Event that ends the run of a step, and says where it lies.
const BREAK: &str = r#"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
(position,) = db.execute("select max(position) from event_row where event_type = 'step.exit'").fetchone()
db.execute("update event_row set data = ? where position = ?", ('{"type":"step.exit","data":{"step":7}}', position))
db.commit()
print(position)
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_event_is_set_aside_and_the_feed_goes_on() {
    if library().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("noetl.toml");
    let mut app = App::start_with(options(&file, "enabled = false")).await;
    app.register(MIXED).await.unwrap();
    run_some(&app, 0..3).await;
    app.kill();
    let broken =
        Command::new("python3").args(["-c", BREAK]).arg(app.data().join("noetl.db")).output().unwrap();
    let position: u64 = String::from_utf8_lossy(&broken.stdout).trim().parse().unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&broken.stderr));
    });
    configure(&file, "");
    app.restart().await;
    run_some(&app, 3..6).await;
    let status = caught_up(&app).await;
    assert_eq!(status["poison"], 1, "{status}");

    let told = app.get("/api/insights/status").await["poison"][0].clone();
    assert_eq!((&told["kind"], &told["position"]), (&json!("event"), &json!(position)), "{told}");
    let reason = told["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("invalid type: integer `7`, expected a string"), "{told}");
    let shown = app.cli(&["cluster", "status"]).stdout;
    let line =
        shown.lines().find(|line| line.contains(&position.to_string()) && line.contains("invalid type"));
    assert!(line.is_some(), "the reason is for everybody to see:\n{shown}");

    // Everything else is there: all but one Event, before it and behind it.
    let found = numbers(&app, "SELECT countIf(item = 0), max(position) FROM noetl_events").await;
    let head = status["head"].as_u64().unwrap_or_default();
    assert_eq!(found, [head - 1, head], "positions have no gaps here, so there is one Event for each");
}
