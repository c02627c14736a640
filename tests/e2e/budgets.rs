//! Retry budgets over the real binary: a host that fails gets no storm of retries, and its neighbour notices nothing.

use noetl_test_service::Service;
use serde_json::{Value, json};

use crate::app::{App, Options};

/// Time brings next to nothing, so that what is counted does not depend on how fast this machine is.
const LIMITS: &str = "[worker.retry_budget]\nshare = 0.1\nfloor_per_second = 0.01\nburst = 10\n";

async fn app_with(limits: &str) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("noetl.toml"), limits).expect("a configuration");
    let options = Options { cwd: Some(folder.path().to_owned()), ..Options::default() };
    (App::start_with(options).await, folder)
}

const BOTH: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: both, path: tests/budgets/both }
workload: { sick: "", well: "" }
workflow:
  - step: start
    next: { spec: { mode: inclusive }, arcs: [ { step: sick }, { step: well } ] }
  - step: sick
    loop: { in: "{{ range(300) | list }}", iterator: item, spec: { mode: parallel, max_in_flight: 300, policy: { failure: { mode: best_effort } } } }
    tool: { kind: http, url: "{{ workload.sick }}/half", retry: { max_attempts: 5, initial_delay: 0.01 } }
  - step: well
    loop: { in: "{{ range(300) | list }}", iterator: item, spec: { mode: parallel, max_in_flight: 300 } }
    tool: { kind: http, url: "{{ workload.well }}/unsteady/well", params: { failures: 3 }, retry: { max_attempts: 5, initial_delay: 0.01 } }
"#;

/// Calls of a step that were the last of their item and failed: with a note, or with the fifth try.
fn last_failures<'e>(events: &'e [Value], step: &str) -> Vec<&'e Value> {
    let calls = events.iter().filter(|event| event["node_name"] == step);
    let calls = calls.flat_map(|event| event["meta"]["calls"].as_array().into_iter().flatten());
    let is_last = |call: &&Value| call["error"]["notes"].is_array() || call["attempt"] == 5;
    calls.filter(|call| call["error"].is_object()).filter(is_last).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_at_a_failing_host_stay_within_its_budget_and_a_healthy_one_has_its_own() {
    let (sick, well) = (Service::start().await.unwrap(), Service::start().await.unwrap());
    let (app, _folder) = app_with(&format!("{LIMITS}longest_wait_seconds = 0\n")).await;
    let id = app.run(BOTH, &json!({"sick": sick.url, "well": well.url})).await;
    let status = app.ended(&id).await.unwrap();

    // The burst, a tenth of 300 first tries, and what time brings in a minute.
    let requests = sick.count("GET /half");
    assert!((301..=300 + 10 + 30 + 1).contains(&requests), "{requests} requests; {status}");
    assert_eq!(well.count("GET /unsteady/well"), 303, "three failed and were tried again at once; {status}");

    let events = app.events(&id).await;
    let last = last_failures(&events, "sick");
    // Every other request is answered well.
    assert_eq!(last.len(), 300 - requests / 2, "{requests} requests");
    let host = sick.url.trim_start_matches("http://");
    let note = json!([format!("no further try: the retry budget of host {host} is spent")]);
    let spent = last.iter().filter(|call| call["error"]["notes"] == note).count();
    assert!(spent > 50, "half of 300 cannot all have been saved by 41 retries: {spent}");
    for call in last {
        let error = &call["error"];
        assert_eq!((&error["kind"], &error["status_code"]), (&json!("server_error"), &json!(503)), "{error}");
        assert!(error["notes"] == note || error["notes"].is_null(), "{error}");
    }

    // The budgets can be looked at: the sick host's is spent, its neighbour's is not.
    let shown = app.cli(&["cluster", "status", "--json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap_or_else(|_| panic!("{}", shown.all()));
    let budgets = shown["retry_budgets"]["items"].as_array().expect("budgets").clone();
    let of = |url: &str| {
        let name = url.trim_start_matches("http://");
        let found = budgets.iter().find(|budget| budget["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {budgets:?}")).clone()
    };
    let (tired, fresh) = (of(&sick.url), of(&well.url));
    assert_eq!((&tired["kind"], &tired["retries"]), (&json!("host"), &json!(requests - 300)), "{tired}");
    assert!(tired["left"].as_f64().is_some_and(|left| left < 1.0), "{tired}");
    assert!(tired["refused"].as_u64().is_some_and(|refused| refused >= spent as u64), "{tired}");
    assert_eq!((&fresh["retries"], &fresh["refused"]), (&json!(3), &json!(0)), "{fresh}");
    let table = app.cli(&["cluster", "status"]);
    assert!(table.stdout.contains("RETRY BUDGET"), "{}", table.all());
    let metrics = reqwest::get(format!("{}/metrics", app.url)).await.unwrap().text().await.unwrap();
    let line = format!("noetl_retries_total{{kind=\"host\",name=\"{host}\"}} {}", requests - 300);
    assert!(metrics.lines().any(|told| told == line), "{line} is not in\n{metrics}");

    // Explained by what the host said; the budget is evidence.
    let one = BOTH.replace("path: tests/budgets/both", "path: tests/budgets/one");
    let one =
        one.replace("policy: { failure: { mode: best_effort } }", "").replace("/half", "/unsteady/always");
    let one = one.replace(
        "tool: { kind: http, url: \"{{ workload.sick }}/unsteady/always\"",
        "tool: { kind: http, url: \"{{ workload.sick }}/unsteady/always\", params: { failures: 100000 }",
    );
    let id = app.run(&one, &json!({"sick": sick.url, "well": well.url})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "FAILED", "{status}");
    let why = app.cli(&["why", &id, "--json"]);
    let told: Value = serde_json::from_str(&why.stdout).unwrap_or_else(|_| panic!("{}", why.all()));
    assert_eq!(told["root_step"], "sick", "{told}");
    assert!(why.stdout.contains("is spent"), "{}", why.all());
    assert!(told["cause"].as_str().is_some_and(|cause| cause.starts_with("remote")), "{told}");
}

const ONE: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: waiting, path: tests/budgets/waiting }
workload: { sick: "" }
workflow:
  - step: start
    tool: { kind: http, url: "{{ workload.sick }}/unsteady/waiting", params: { failures: 100 }, retry: { max_attempts: 9, initial_delay: 0.01 } }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_that_waits_for_its_budget_can_be_cancelled_and_says_that_it_waits() {
    let sick = Service::start().await.unwrap();
    // One retry at once, the next after hundreds of seconds.
    let limits = "[worker.retry_budget]\nfloor_per_second = 0.01\nburst = 1\nlongest_wait_seconds = 3600\n";
    let (app, _folder) = app_with(limits).await;
    let id = app.run(ONE, &json!({"sick": sick.url})).await;
    let says =
        |events: &[Value]| events.iter().any(|event| event.to_string().contains("retry budget of host"));
    let deadline = std::time::Instant::now() + crate::app::PATIENCE;
    while !says(&app.events(&id).await) {
        assert!(std::time::Instant::now() < deadline, "{:#?}", app.events(&id).await);
        crate::app::pause().await;
    }
    assert_eq!(sick.count("GET /unsteady/waiting"), 2, "the third try waits");
    app.post(&format!("/api/executions/{id}/cancel"), &json!({})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "CANCELLED", "{status}");
    assert_eq!(sick.count("GET /unsteady/waiting"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_out_of_bounds_is_refused_with_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "[worker.retry_budget]\nshare = 3.0\n").unwrap();
    let told = std::process::Command::new(crate::app::binary())
        .args(["--config", &file.to_string_lossy(), "config"])
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stderr);
    assert!(!told.status.success() && text.contains("`share` is 3, but must lie between 0 and 1"), "{text}");
}

const ENDLESS: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: endless, path: tests/budgets/endless }
workflow:
  - step: ask
    tool: { kind: sqlite, database: ":memory:", command: "SELECT * FROM nowhere" }
    retry: { max_attempts: 100000, initial_delay: 0 }
"#;

/// However many attempts an author wrote, and though nobody else is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_task_is_tried_for_ever() {
    let app = App::start().await;
    let id = app.run(ENDLESS, &json!({})).await;
    let status = app.ended(&id).await.expect("it ends");
    assert_eq!(status["status"], "FAILED", "{status}");
    let events = app.events(&id).await;
    let calls = events.iter().filter_map(|event| event["meta"]["calls"].as_array());
    let last = calls.flatten().filter_map(|call| call["attempt"].as_u64()).max();
    assert_eq!(last, Some(1_000), "the hard bound");
    let note = "no further try: 1000 are the most that are made of one task";
    assert!(events.iter().any(|event| event["meta"]["error"]["notes"] == json!([note])), "{status}");
}
