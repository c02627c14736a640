//! What failed is found by what it means, what is like it is shown, and a restart forgets nothing.

use std::time::Instant;

use serde_json::{Value, json};

use crate::app::{App, PATIENCE, pause};

/// Refused when it is told to, in one of two ways.
const ORDERS: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: orders, path: tests/meaning/orders, description: Loads the orders of a shop into the warehouse }
workload: { trouble: none, port: 5432 }
workflow:
  - step: load_orders
    tool:
      kind: python
      input: { trouble: "{{ workload.trouble }}", port: "{{ workload.port }}" }
      code: |
        if trouble == "refused":
            raise ConnectionError(f"connection to 10.0.0.7:{port} refused")
        if trouble == "twice":
            raise ValueError("the customer 4711 is there twice")
        result = {"rows": 3}
"#;

async fn run(app: &App, payload: Value) -> String {
    let id = app.execute("tests/meaning/orders", &payload).await.expect("an execution");
    app.ended(&id).await.expect("an end");
    id
}

/// Comes when the vectors have everything that was committed.
async fn indexed(app: &App) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = app.get("/api/insights/status").await;
        let vectors = &status["vectors"];
        if vectors["state"] == "on" && vectors["head"].as_u64() > Some(0) && vectors["behind"] == 0 {
            return status;
        }
        assert!(Instant::now() < deadline, "the vectors did not catch up: {status}\n{}", app.log());
        pause().await;
    }
}

fn hits(found: &Value) -> Vec<(String, String)> {
    let of = |hit: &Value| {
        (
            hit["kind"].as_str().unwrap_or_default().to_owned(),
            hit["text"].as_str().unwrap_or_default().to_owned(),
        )
    };
    found["hits"].as_array().expect("hits").iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_found_by_its_words_and_by_what_is_like_it() {
    let mut app = App::start().await;
    app.register(ORDERS).await.unwrap();
    run(&app, json!({})).await;
    for port in [5432, 5433, 5434] {
        run(&app, json!({ "trouble": "refused", "port": port })).await;
    }
    let other = run(&app, json!({ "trouble": "twice" })).await;
    let last = run(&app, json!({ "trouble": "refused", "port": 5435 })).await;
    indexed(&app).await;
    for restarted in [false, true] {
        if restarted {
            app.kill();
            app.restart().await;
            indexed(&app).await;
        }
        let found =
            app.get("/api/search?q=connection%20refused%20while%20loading%20orders&kind=failure").await;
        let first = &found["hits"][0];
        assert_eq!(first["step"], "load_orders", "{found}");
        assert!(first["text"].as_str().unwrap_or_default().contains("refused"), "{found}");
        // Four times, one shape: one answer that counts.
        assert_eq!((&first["count"], &first["execution_id"]), (&json!(4), &json!(last)), "{found}");
        assert_eq!(first["playbook"], "tests/meaning/orders");
    }
    let by_id = app.get(&format!("/api/search?q={other}")).await;
    assert_eq!(by_id["hits"][0]["execution_id"], json!(other), "an exact id comes first: {by_id}");
    let filtered = app.get("/api/search?q=orders&kind=failure&filter=count%3E%3D2").await;
    assert_eq!(hits(&filtered).len(), 1, "{filtered}");
    let similar = app.get(&format!("/api/insights/similar?id={last}")).await;
    assert_eq!(similar["of"]["failure"]["step"], "load_orders", "{similar}");
    assert_eq!(similar["failures"][0]["is_same"], json!(true), "{similar}");
    let executions = similar["executions"].as_array().expect("executions");
    assert!(executions.iter().all(|one| one["execution_id"] != json!(last)), "itself is no news: {similar}");
    assert!(executions[0]["text"].as_str().unwrap_or_default().contains("refused"), "{similar}");
    let shown = app.cli(&["search", "customer", "twice", "--kind", "failure"]);
    assert!(shown.stdout.contains("is there twice") && shown.stdout.contains(&other), "{}", shown.all());
    let shown = app.cli(&["similar", &last]);
    assert!(shown.stdout.contains("EXECUTIONS"), "{}", shown.all());

    // An explanation names failures like it, and how they ended.
    run(&app, json!({})).await;
    let again = run(&app, json!({ "trouble": "refused", "port": 5436 })).await;
    indexed(&app).await;
    let told = app.post(&format!("/api/executions/{again}/diagnose"), &Value::Null).await;
    let same =
        told["similar"].as_array().into_iter().flatten().find(|one| one["execution_id"] == json!(last));
    let same = same.unwrap_or_else(|| panic!("the one before it is like it: {told}"));
    assert!(same["ended_by"].as_str().is_some_and(|by| by == "a good run of version 1"), "{same}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_that_cannot_be_meant_say_what_can() {
    let app = App::start().await;
    indexed_or_empty(&app).await;
    for (path, code, says) in [
        ("/api/search?q=%20", 400, "nothing is looked for"),
        ("/api/search?q=x&kind=car", 400, "kinds: failure"),
        ("/api/search?q=x&filter=colour%3Dred", 400, "their fields"),
        ("/api/search?q=x&since=yesterday", 400, "such as 30m"),
        ("/api/insights/similar?id=abc", 400, "decimal digits"),
        ("/api/insights/similar?id=17", 404, "noetl executions"),
    ] {
        let (status, body) = app.ask(&format!("GET {path}"), None).await;
        assert_eq!(status, code, "{path}: {body}");
        assert!(body.to_string().contains(says), "{path}: {body}");
    }
}

/// Comes when the vector store answers.
async fn indexed_or_empty(app: &App) {
    let deadline = Instant::now() + PATIENCE;
    while app.get("/api/insights/status").await["vectors"]["state"] != "on" {
        assert!(Instant::now() < deadline, "the vectors did not open\n{}", app.log());
        pause().await;
    }
}
