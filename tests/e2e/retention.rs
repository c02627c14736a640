//! Old executions go, with everything that is kept beside their logs.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::app::{App, Options, PATIENCE, pause};

/// Its result is too large for the log.
const LARGE: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: large, path: tests/retention/large }
workflow:
  - step: start
    tool: { kind: python, code: "print('hello')\nreturn {'text': 'x' * 200000}" }
"#;

/// Files of large results that are left.
fn results(app: &App) -> usize {
    fn count(directory: &Path) -> usize {
        let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
        let paths = entries.map(|entry| entry.expect("readable").path());
        paths.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&app.data().join("results"))
}

async fn run(app: &App) -> String {
    let id = app.execute("tests/retention/large", &json!({})).await.expect("an execution");
    assert_eq!(app.ended(&id).await.expect("an end")["status"], "COMPLETED");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleanup_deletes_what_ended_long_ago_and_a_dry_run_only_says_so() {
    let app = App::start().await;
    app.register(LARGE).await.unwrap();
    let id = run(&app).await;
    assert!(results(&app) > 0);
    let delete = |days: &str, dry: bool| {
        let mut arguments = vec!["cleanup", "--delete-older-than-days", days, "--json"];
        arguments.extend(dry.then_some("--dry-run"));
        app.cli(&arguments)
    };
    let none = delete("1", false);
    assert!(none.stdout.contains(r#""deleted": 0"#), "{}", none.all());
    let dry = delete("0", true);
    assert!(dry.stdout.contains("would delete 1 execution"), "{}", dry.all());
    assert!(results(&app) > 0);
    assert_eq!(app.status(&id).await["status"], "COMPLETED");
    let done = delete("0", false);
    assert!(done.stdout.contains(r#""deleted": 1"#), "{}", done.all());
    assert_eq!(results(&app), 0, "large results go with their execution");
    for path in ["", "/status", "/events", "/logs"] {
        let (status, body) = app.ask(&format!("GET /api/executions/{id}{path}"), None).await;
        assert_eq!((status, &body["code"]), (404, &json!("AP002")), "{path}: {body}");
    }
    let (status, body) =
        app.ask(&format!("POST /api/executions/{id}/retry"), Some(&json!({"from": "start"}))).await;
    assert_eq!(status, 404, "{body}");
    run(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_deletes_what_ended_before_its_days_were_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("noetl.toml");
    std::fs::write(&file, "[retention]\nkeep_days = 7\n").unwrap();
    let env = vec![("NOETL_CONFIG".to_owned(), file.display().to_string())];
    let mut app = App::start_with(Options { env, ..Options::default() }).await;
    app.register(LARGE).await.unwrap();
    let (old, new) = (run(&app).await, run(&app).await);
    let before = results(&app);
    app.kill();
    // Eight days pass for one of them.
    let code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
        db.execute('UPDATE execution_row SET finished_ms = finished_ms - 8 * 86400000 WHERE execution_id = ?', (int(sys.argv[2]),)); \
        db.commit()";
    let database = app.data().join("noetl.db").display().to_string();
    let aged = std::process::Command::new("python3").args(["-c", code, &database, &old]).status().unwrap();
    assert!(aged.success());
    app.restart().await;
    let deadline = Instant::now() + PATIENCE;
    while results(&app) == before {
        assert!(Instant::now() < deadline, "nothing is deleted:\n{}", app.log());
        pause().await;
    }
    let (status, body) = app.ask(&format!("GET /api/executions/{old}/status"), None).await;
    assert_eq!(status, 404, "{body}");
    assert_eq!(app.status(&new).await["status"], "COMPLETED");
}
