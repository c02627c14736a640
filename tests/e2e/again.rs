//! Retry of an execution, and schedules.

use std::time::Instant;

use noetl_test_service::Service;
use serde_json::{Value, json};

use crate::app::{App, PATIENCE, pause};

const STEPS: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: steps, path: tests/again/steps }
workload: { api_url: "" }
workflow:
  - step: start
    next: { arcs: [ { step: one } ] }
  - step: one
    tool: { kind: http, method: POST, url: "{{ api_url }}/effects/one" }
    next: { arcs: [ { step: two } ] }
  - step: two
    tool: { kind: http, method: GET, url: "{{ api_url }}/unsteady/two", params: { failures: 1, status: 400 } }
    next: { arcs: [ { step: three } ] }
  - step: three
    tool: { kind: http, method: POST, url: "{{ api_url }}/effects/three" }
    next: { arcs: [ { step: end } ] }
  - step: end
    tool: { kind: python, input: { one: "{{ one.data.count }}", three: "{{ three.data.count }}" }, code: "return {'one': one, 'three': three}" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_keeps_the_results_of_completed_steps() {
    let service = Service::start().await.unwrap();
    let app = App::start().await;
    let id = app.run(STEPS, &json!({"api_url": service.url})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!((&status["status"], &status["failed_steps"]), (&json!("FAILED"), &json!(["two"])), "{status}");

    let answer = app.post(&format!("/api/executions/{id}/retry"), &json!({})).await;
    let id = answer["execution_id"].as_str().unwrap_or(&id).to_owned();
    let status = app.until(&id, |status| status["status"] == "COMPLETED").await.unwrap();
    assert_eq!(status["result"], json!({"one": 1, "three": 1}), "{status}");
    assert_eq!(
        (service.effects("one"), service.effects("three")),
        (1, 1),
        "the first step was not run again"
    );

    // From a step that completed: it and all after it run again, what was before is kept.
    let answer = app.post(&format!("/api/executions/{id}/retry"), &json!({"from": "three"})).await;
    let id = answer["execution_id"].as_str().unwrap_or(&id).to_owned();
    app.until(&id, |status| status["status"] == "COMPLETED" && status["result"]["three"] == 2).await.unwrap();
    assert_eq!((service.effects("one"), service.effects("three")), (1, 2));
}

const TICK: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: tick, path: tests/again/tick }
workload: { api_url: "" }
workflow:
  - step: start
    tool: { kind: http, method: POST, url: "{{ api_url }}/effects/tick" }
"#;

async fn firings(app: &App) -> Vec<Value> {
    let list = app.get("/api/executions?path=tests/again/tick&limit=100").await;
    list.as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_fires_at_its_interval_and_never_twice() {
    let service = Service::start().await.unwrap();
    let mut app = App::start().await;
    app.register(TICK).await.unwrap();
    let request = json!({"path": "tests/again/tick", "interval_seconds": 1.0, "payload": {"api_url": service.url}, "catch_up": "skip"});
    let schedule = app.post("/api/schedules", &request).await;
    let (before, deadline) = (Instant::now(), Instant::now() + PATIENCE);
    while firings(&app).await.len() < 3 {
        assert!(Instant::now() < deadline, "it does not fire: {}", app.get("/api/schedules").await);
        pause().await;
    }
    assert!(
        before.elapsed().as_secs_f64() >= 1.9,
        "three firings at an interval of one second take two at least"
    );
    app.kill();
    app.restart().await;
    let seen = firings(&app).await.len();
    while firings(&app).await.len() <= seen {
        assert!(
            Instant::now() < deadline,
            "it does not fire after a restart: {}",
            app.get("/api/schedules").await
        );
        pause().await;
    }
    let id = schedule["id"].as_str().expect("an id");
    let (status, answer) = app.ask(&format!("DELETE /api/schedules/{id}"), None).await;
    assert!(status < 300, "{status} {answer}");
    let after = firings(&app).await;
    for firing in &after {
        app.ended(firing["execution_id"].as_str().unwrap()).await.unwrap();
    }
    let again = firings(&app).await;
    assert!(again.len() <= after.len() + 1, "a removed schedule stays silent");
    // The kill may have met one firing between its effect and the note of it; that one was done again.
    let effects = service.effects("tick");
    assert!(
        (again.len()..=again.len() + 1).contains(&effects),
        "{effects} effects of {} firings",
        again.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_in_the_playbook_is_registered_with_it() {
    let app = App::start().await;
    let text = TICK.replace(
        "path: tests/again/tick }",
        "path: tests/again/tick, schedule: { cron: \"0 6 * * MON-FRI\", timezone: UTC } }",
    );
    app.register(&text).await.unwrap();
    let schedules = app.get("/api/schedules").await;
    let list = schedules
        .as_array()
        .or_else(|| schedules["schedules"].as_array())
        .or_else(|| schedules["items"].as_array());
    let schedule = list.and_then(|list| list.first()).expect("one schedule");
    assert_eq!(schedule["cron"], "0 6 * * MON-FRI", "{schedule}");
    assert!(schedule["next_at"].is_string(), "{schedule}");
}
