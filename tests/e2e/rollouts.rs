//! The closed loop over the real binary: a Proposal is approved, tried beside a control arm, and promoted or rolled back
//! by itself, also when the server is killed in between.

use std::time::Instant;

use serde_json::{Value, json};

use crate::app::{App, PATIENCE, pause};

/// Fails in a third of its runs, and takes a while in half of them.
const PATH: &str = "tests/rollouts/orders";

fn text(more: &str) -> String {
    format!(
        "apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: orders
  path: {PATH}
workload:
  failures: 0.34
  slow: 0.0
workflow:
  - step: fetch
    idempotent: true
{more}    tool:
      kind: python
      input: {{ failures: \"{{{{ workload.failures }}}}\", slow: \"{{{{ workload.slow }}}}\" }}
      code: |
        import random, time
        if random.random() < slow:
            time.sleep(1.5)
        if random.random() < failures:
            raise RuntimeError('HTTP 429: too many requests')
        result = {{'ok': True}}
"
    )
}

fn proposal(parameter: &str, after: &Value, more: &str, metric: &str) -> Value {
    let share = |value: f64| json!({ "what": "a share", "unit": "share", "value": value, "low": value - 0.1, "high": value + 0.1 });
    json!({
        "playbook": PATH, "base_version": 1, "kind": if metric == "failure_rate" { "retry" } else { "timeout" },
        "step": "fetch", "title": "Change fetch", "reason": "It pays [e:1].", "content": text(more),
        "changes": [{ "step": "fetch", "parameter": parameter, "before": null, "after": after }],
        "grounds": {
            "from": "2026-11-20T00:00:00Z", "to": "2026-11-27T00:00:00Z", "n": 100, "censored": 1,
            "estimate": share(0.9), "counterfactual": share(0.5), "bound": "the policy", "query": "SELECT 1",
        },
        "effect": { "metric": metric, "before": 0.34, "expected": 0.02, "low": 0.0, "high": 0.2 },
        "evidence_hash": "first", "written_by": "rules",
    })
}

const RETRIES: &str = "    retry: { max_attempts: 4, initial_delay: 0.02 }\n";

/// Made and approved over HTTP: the Proposal's id and the Rollout's.
async fn approved(app: &App, proposal: &Value) -> (String, String) {
    app.register(&text("")).await.expect("a first version");
    let made = app.post("/api/proposals", proposal).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    assert!(made["diff"].as_str().is_some_and(|diff| diff.contains("\n+")), "{made}");
    let told = app.cli(&["proposals", "approve", &id]);
    assert_eq!(told.code, Some(0), "{}", told.all());
    let proposal = app.get(&format!("/api/proposals/{id}")).await;
    (id, proposal["rollout_id"].as_str().expect("a rollout").to_owned())
}

/// Ten executions to their end; their versions.
async fn ten(app: &App, payload: &Value) -> Vec<u64> {
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(app.execute(PATH, payload).await.expect("an execution"));
    }
    let mut versions = Vec::new();
    for id in ids {
        app.ended(&id).await.expect("it ends");
        versions
            .push(app.get(&format!("/api/executions/{id}")).await["version"].as_u64().expect("a version"));
    }
    versions
}

async fn state(app: &App, rollout: &str) -> String {
    app.get(&format!("/api/rollouts/{rollout}")).await["state"].as_str().unwrap_or_default().to_owned()
}

/// Waits for what the control plane does by itself.
async fn until(app: &App, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = app.get(path).await;
        if holds(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "still waiting: {found}\n{}", app.log());
        pause().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_better_is_promoted_by_itself_through_a_kill_and_a_pause() {
    let mut app = App::start().await;
    let (id, rollout) =
        approved(&app, &proposal("retry.max_attempts", &json!(4), RETRIES, "failure_rate")).await;
    let first = [ten(&app, &json!({})).await, ten(&app, &json!({})).await].concat();
    assert!(first.contains(&1) && first.contains(&2), "both arms get some: {first:?}");
    app.kill();
    app.restart().await;
    assert_eq!(state(&app, &rollout).await, "running");

    let told = app.cli(&["rollout", "pause", PATH]);
    assert_eq!(told.code, Some(0), "{}", told.all());
    assert_eq!(ten(&app, &json!({})).await, [1; 10], "a pause gives everybody the stable version");
    assert_eq!(app.cli(&["rollout", "resume", PATH]).code, Some(0));

    // What a schedule starts is in an arm as well.
    let schedule = json!({ "path": PATH, "interval_seconds": 1 });
    let schedule = app.post("/api/schedules", &schedule).await["id"].as_str().expect("an id").to_owned();
    let fired =
        until(&app, "/api/schedules", |found| found["items"][0]["last_execution_id"].is_string()).await;
    let fired = fired["items"][0]["last_execution_id"].as_str().expect("an id").to_owned();
    let events = app.events(&fired).await;
    assert_eq!(events[0]["meta"]["rollout"]["rollout"], json!(rollout), "{}", events[0]);
    app.ask(&format!("DELETE /api/schedules/{schedule}"), None).await;

    for _ in 0..20 {
        if state(&app, &rollout).await != "running" {
            break;
        }
        ten(&app, &json!({})).await;
    }
    let ended = until(&app, &format!("/api/rollouts/{rollout}"), |found| found["state"] != "running").await;
    assert_eq!(ended["state"], "promoted", "{ended}");
    assert_eq!(ten(&app, &json!({})).await, [2; 10]);
    for _ in 0..3 {
        ten(&app, &json!({})).await;
    }
    let ledger = until(&app, "/api/proposals/ledger", |found| found["items"][0]["state"] != "promoted").await;
    assert_eq!(ledger["items"][0]["state"], "verified", "{ledger}");
    let shown = app.cli(&["proposals", "show", &id]);
    for part in [
        "max_attempts: 4",
        "rollout.paused by",
        "rollout.promoted by rollout",
        "proposal.verified by rollout",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.all());
    }
    let told = app.cli(&["proposals", "ledger"]);
    assert!(told.stdout.contains("verified") && told.stdout.contains("34.0 %"), "{}", told.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_harm_is_rolled_back_within_a_hundred_executions() {
    let app = App::start().await;
    let bad = proposal("timeout", &json!(0.5), "    timeout: 0.5\n", "duration_ms");
    let (id, rollout) = approved(&app, &bad).await;
    let payload = json!({ "failures": 0.05, "slow": 0.6 });
    let mut ran = 0;
    while state(&app, &rollout).await == "running" {
        assert!(ran < 100, "{}", app.get(&format!("/api/rollouts/{rollout}")).await);
        ten(&app, &payload).await;
        ran += 10;
    }
    let ended = app.get(&format!("/api/rollouts/{rollout}")).await;
    assert_eq!(ended["state"], "rolled_back", "{ended}");
    assert_eq!(ten(&app, &json!({ "failures": 0.0 })).await, [1; 10]);
    let (status, again) = app.ask("POST /api/proposals", Some(&bad)).await;
    assert_eq!((status, &again["code"]), (409, &json!("PR003")), "{again}");
    let shown = app.cli(&["proposals", "show", &id]);
    assert!(shown.stdout.contains("rollout.rolled_back by rollout"), "{}", shown.all());
}

/// A child is an execution of its own: its own id says which arm it is in, whichever arm its parent is in, so that the
/// children of one parent are spread over both.
#[tokio::test(flavor = "multi_thread")]
async fn the_children_of_one_parent_are_in_both_arms_by_their_own_ids() {
    let app = App::start().await;
    // One look would end the Rollout in the middle; more executions are needed for that than run here.
    let (_, rollout) =
        approved(&app, &proposal("retry.max_attempts", &json!(4), RETRIES, "failure_rate")).await;
    let parent = format!(
        "apiVersion: noetl.io/v2
kind: Playbook
metadata: {{ name: parent, path: tests/rollouts/parent }}
workflow:
  - step: start
    loop: {{ in: \"{{{{ range(40) | list }}}}\", iterator: item, spec: {{ mode: parallel, max_in_flight: 8 }} }}
    tool: {{ kind: playbook, path: {PATH}, input: {{ failures: 0.0 }} }}
"
    );
    let id = app.run(&parent, &json!({})).await;
    let status = app.ended(&id).await.expect("it ends");
    assert_eq!(status["status"], "COMPLETED", "{status}");
    let children = app.get(&format!("/api/executions?path={PATH}&limit=100")).await;
    let children = children.as_array().or_else(|| children["items"].as_array()).cloned().expect("a list");
    assert_eq!(children.len(), 40);
    let mut arms = std::collections::BTreeMap::new();
    for child in &children {
        let child = child["execution_id"].as_str().expect("an id");
        let version = app.get(&format!("/api/executions/{child}")).await["version"].as_u64();
        let assigned = app.events(child).await[0]["meta"]["rollout"].clone();
        if assigned["rollout"] == json!(rollout) {
            let arm = assigned["arm"].as_str().expect("an arm").to_owned();
            assert_eq!(version, Some(if arm == "canary" { 2 } else { 1 }), "{assigned}");
            *arms.entry(arm).or_insert(0) += 1;
        }
    }
    assert!(arms["canary"] > 0 && arms["control"] > 0, "{arms:?}");
    // Asked for by its version, a child is in no arm: who calls a version means it.
    let pinned = parent.replace(&format!("path: {PATH}"), &format!("path: {PATH}, version: 1"));
    let pinned = pinned.replace("rollouts/parent", "rollouts/pinned").replace("range(40)", "range(3)");
    let id = app.run(&pinned, &json!({})).await;
    assert_eq!(app.ended(&id).await.expect("it ends")["status"], "COMPLETED");
    let newest = app.get(&format!("/api/executions?path={PATH}&limit=3")).await;
    let newest = newest.as_array().or_else(|| newest["items"].as_array()).cloned().expect("a list");
    for child in &newest {
        let child = child["execution_id"].as_str().expect("an id");
        let first = app.events(child).await[0].clone();
        assert!(first["meta"]["rollout"].is_null(), "{first}");
    }
}

#[tokio::test]
async fn a_diagnosis_names_the_proposal_that_answers_it() {
    let app = App::start().await;
    app.register(&text("")).await.expect("a first version");
    let failed = app.execute(PATH, &json!({ "failures": 1.0 })).await.expect("an execution");
    assert_eq!(app.ended(&failed).await.expect("it ends")["status"], "FAILED");
    let why = format!("/api/executions/{failed}/diagnose");
    let named = |told: &Value| {
        let all = told["recommendations"].as_array().cloned().unwrap_or_default();
        all.iter().find_map(|one| one["proposal_id"].as_str().map(str::to_owned))
    };
    assert_eq!(named(&app.post(&why, &Value::Null).await), None, "nothing is proposed yet");
    let made =
        app.post("/api/proposals", &proposal("retry.max_attempts", &json!(4), RETRIES, "failure_rate")).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(named(&app.post(&why, &Value::Null).await), Some(id.clone()));
    let told = app.cli(&["why", &failed]);
    assert!(told.stdout.contains(&format!("noetl proposals show {id}")), "{}", told.all());
    let told = app.cli(&["proposals", "reject", &id, "--note", "not now"]);
    assert_eq!(told.code, Some(0), "{}", told.all());
    assert_eq!(named(&app.post(&why, &Value::Null).await), None, "what was rejected is not offered");
}
