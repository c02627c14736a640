//! Cancel: processes die, children are cancelled, timers stop, and the answer says so.

use std::time::{Duration, Instant};

use noetl_test_service::Service;
use serde_json::json;

use crate::app::{App, PATIENCE, pause};

fn single(kind_and_fields: &str) -> String {
    format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: long, path: tests/stopping/long }}\nworkload: {{ file: '', api_url: '' }}\n\
         workflow:\n  - step: start\n    tool: {kind_and_fields}\n    next: {{ arcs: [ {{ step: end }} ] }}\n  - step: end\n"
    )
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        pause().await;
    }
}

fn alive(pid: &str) -> bool {
    // A zombie that nobody has waited for yet is as dead as it gets.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z')))
}

/// Starts a tool that writes its process id to a file, cancels it, and sees the process gone.
async fn cancel_kills(tool: &str) {
    let app = App::start().await;
    let file = app.home.path().join("pid");
    let id = app.run(&single(tool), &json!({"file": file})).await;
    let pid = || std::fs::read_to_string(&file).unwrap_or_default().trim().to_owned();
    until("the process has started", || !pid().is_empty()).await;
    let pid = pid();
    assert!(alive(&pid));
    let answer = app.post(&format!("/api/executions/{id}/cancel"), &json!({"reason": "enough"})).await;
    assert_eq!(answer["status"], "cancelled", "{answer}");
    until("the process has died", || !alive(&pid)).await;
    let status = app.ended(&id).await.expect("it ends");
    assert_eq!(status["status"], "CANCELLED", "{status}");
    assert_eq!(status["reason"], "enough", "{status}");
    let again = app.post(&format!("/api/executions/{id}/cancel"), &json!({})).await;
    assert_eq!(again["status"], "error", "{again}");
    assert!(again["message"].to_string().contains("CANCELLED"), "{again}");
    let entered = app
        .events(&id)
        .await
        .iter()
        .any(|event| event["node_name"] == "end" && event["event_type"] == "step.enter");
    assert!(!entered, "nothing runs after a cancel");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_kills_a_running_python() {
    let code = "import os, time\\nopen(path, 'w').write(str(os.getpid()))\\ntime.sleep(300)";
    cancel_kills(&format!("{{ kind: python, input: {{ path: \"{{{{ file }}}}\" }}, code: \"{code}\" }}"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_kills_a_shell_and_its_children() {
    cancel_kills("{ kind: shell, command: \"sh -c 'echo $$ > {{ file }}; sleep 300'; true\" }").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_reaches_the_children_of_an_execution() {
    let service = Service::start().await.unwrap();
    let app = App::start().await;
    let child =
        single("{ kind: http, url: \"{{ api_url }}/gate/never\", timeout: 300 }").replace("long", "child");
    app.register(&child).await.unwrap();
    let parent = single(
        "{ kind: playbook, path: tests/stopping/child, return_step: end, input: { api_url: \"{{ api_url }}\" } }",
    );
    let id = app.run(&parent, &json!({"api_url": service.url})).await;
    until("the child waits at the gate", || service.count("GET /gate/never") == 1).await;
    let answer = app.post(&format!("/api/executions/{id}/cancel"), &json!({"cascade": true})).await;
    assert_eq!(answer["cancelled_executions"].as_array().map(Vec::len), Some(2), "{answer}");
    let children = app.get(&format!("/api/executions?parent_execution_id={id}")).await;
    let child = children[0]["execution_id"].as_str().expect("a child").to_owned();
    for id in [&id, &child] {
        assert_eq!(app.ended(id).await.unwrap()["status"], "CANCELLED");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_ends_a_wait_at_once() {
    let app = App::start().await;
    let id = app.run(&single("{ kind: sleep, seconds: 3600 }"), &json!({})).await;
    app.until(&id, |status| status["waiting"].as_array().is_some_and(|waiting| !waiting.is_empty()))
        .await
        .unwrap();
    let before = Instant::now();
    app.post(&format!("/api/executions/{id}/cancel"), &json!({})).await;
    assert_eq!(app.ended(&id).await.unwrap()["status"], "CANCELLED");
    assert!(before.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_right_after_a_cancel_runs_to_its_end() {
    let service = Service::start().await.unwrap();
    let app = App::start().await;
    let playbook = single("{ kind: http, url: \"{{ api_url }}/gate/held\", timeout: 300 }");
    let id = app.run(&playbook, &json!({"api_url": service.url})).await;
    for tries in 1..=5 {
        until("the step waits at the gate", || service.count("GET /gate/held") == tries).await;
        app.post(&format!("/api/executions/{id}/cancel"), &json!({})).await;
        app.post(&format!("/api/executions/{id}/retry"), &json!({"from": "start"})).await;
    }
    until("the last try waits at the gate", || service.count("GET /gate/held") == 6).await;
    service.open_gate("held");
    assert_eq!(app.ended(&id).await.unwrap()["status"], "COMPLETED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finalize_forces_an_end() {
    let app = App::start().await;
    let id = app.run(&single("{ kind: sleep, seconds: 3600 }"), &json!({})).await;
    let answer = app
        .post(&format!("/api/executions/{id}/finalize"), &json!({"status": "FAILED", "reason": "stuck"}))
        .await;
    assert_eq!(answer["execution_id"], json!(id));
    let status = app.ended(&id).await.unwrap();
    assert_eq!((&status["status"], &status["reason"]), (&json!("FAILED"), &json!("stuck")), "{status}");
}
