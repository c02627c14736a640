//! Faults that need a server of their own: it is killed while it works, or it starts the execution by itself.

use std::time::Instant;

use noetl_test_service::{Answer, Service};
use serde_json::{Value, json};

use crate::app::{App, PATIENCE, pause};

async fn diagnosis(app: &App, id: &str) -> Value {
    let (code, told) = app.ask(&format!("POST /api/executions/{id}/diagnose"), None).await;
    assert_eq!(code, 200, "{told}");
    told
}

/// Kills the server, and the worker inside it, as soon as the request came for the nth time.
async fn die_at(app: &mut App, service: &Service, request: &str, nth: usize) {
    let deadline = Instant::now() + PATIENCE;
    while service.count(request) < nth {
        assert!(Instant::now() < deadline, "{request} did not come {nth} times:\n{}", app.log());
        pause().await;
    }
    app.kill();
    app.restart().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_kills_every_worker_is_told_as_such() {
    let service = Service::start().await.unwrap();
    let mut app = App::start().await;
    let text = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: deadly, path: faults/deadly }}\nworkflow:\n  \
         - step: deadly\n    tool: {{ kind: http, url: \"{}/gate/deadly\", timeout: 60 }}\n",
        service.url
    );
    let id = app.run(&text, &json!({})).await;
    let mut died = 0;
    while app.status(&id).await["status"] == "RUNNING" {
        died += 1;
        die_at(&mut app, &service, "GET /gate/deadly", died).await;
        assert!(died <= 12, "it is given out again for ever:\n{}", app.log());
    }
    let told = diagnosis(&app, &id).await;
    assert_eq!((&told["root_step"], &told["cause"]), (&json!("deadly"), &json!("worker.lost")), "{told}");
    assert_eq!(told["evidence_status"], "confirmed", "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lost_worker_left_behind_is_not_blamed_on_the_second() {
    let service = Service::start().await.unwrap();
    let mut app = App::start().await;
    let slow = Answer { status: Some(201), delay_seconds: 30.0, ..Answer::default() };
    let taken = Answer { status: Some(409), text: Some("order 7 exists".into()), ..Answer::default() };
    service.answer("lost/order", Answer { first: vec![slow], ..taken });
    let text = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: lost, path: faults/lost }}\nworkflow:\n  \
         - step: order\n    tool: {{ kind: http, method: POST, url: \"{}/fault/lost/order\", body: {{ id: 7 }} }}\n",
        service.url
    );
    let id = app.run(&text, &json!({})).await;
    die_at(&mut app, &service, "POST /fault/lost/order", 1).await;
    let status = app.ended(&id).await.expect("it ends");
    assert_eq!(status["status"], "FAILED", "{status}");
    let told = diagnosis(&app, &id).await;
    assert_eq!((&told["root_step"], &told["cause"]), (&json!("order"), &json!("worker.lost")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_that_a_schedule_started_is_explained_like_any_other() {
    let service = Service::start().await.unwrap();
    let app = App::start().await;
    service.answer("nightly/rows", Answer { json: Some(json!({"rows": []})), ..Answer::default() });
    let text = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: nightly, path: faults/nightly }}\nworkflow:\n  \
         - step: fetch\n    tool: {{ kind: http, url: \"{}/fault/nightly/rows\" }}\n    \
         next: {{ arcs: [ {{ step: load }} ] }}\n  \
         - step: load\n    tool: {{ kind: python, input: {{ rows: \"{{{{ fetch.data.rows }}}}\" }}, code: \"result = rows[0]['id']\" }}\n",
        service.url
    );
    app.register(&text).await.expect("a valid playbook");
    app.post("/api/schedules", &json!({"path": "faults/nightly", "interval_seconds": 1.0})).await;
    let deadline = Instant::now() + PATIENCE;
    let id = loop {
        let found = app.get("/api/executions?path=faults/nightly&limit=1").await;
        if let Some(id) = found[0]["execution_id"].as_str() {
            break id.to_owned();
        }
        assert!(Instant::now() < deadline, "it does not fire: {}", app.get("/api/schedules").await);
        pause().await;
    };
    app.ended(&id).await.expect("it ends");
    let told = diagnosis(&app, &id).await;
    assert_eq!((&told["root_step"], &told["cause"]), (&json!("fetch"), &json!("data.empty")), "{told}");
}
