//! Proposals from real executions: the flaky orders of the examples, read from the log, with grounds that SQL repeats.

use serde_json::{Value, json};

use crate::app::App;
use crate::{indexed, place};

const RUNS: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flaky_orders_get_a_retry_that_keeps_the_authors_text() {
    let app = App::start().await;
    let text = place::read(&place::root().join("examples/flaky_orders.yaml"));
    app.register(&text).await.expect("the example is good");
    let hundred = place::read(&place::root().join("examples/flaky_orders_hundred.yaml"));
    let id = app.run(&hundred, &json!({ "runs": RUNS })).await;
    let ended = app.ended(&id).await.expect("an end");
    assert_eq!(ended["status"], "COMPLETED", "{ended}");

    let looked = app.cli(&["proposals", "look", "examples/flaky_orders", "--json"]);
    let looked: Value = serde_json::from_str(&looked.stdout).unwrap_or_else(|_| panic!("{}", looked.all()));
    let proposal = &looked["proposals"][0];
    assert_eq!(proposal["kind"], "retry", "{looked}");
    assert_eq!(proposal["cause"], "remote.unavailable", "{looked}");
    let after = proposal["changes"][0]["after"].as_u64().expect("a number");
    assert!((3..=4).contains(&after), "{proposal}");
    // The author's text, comments and all, with one number changed.
    let changed = text.replace("max_attempts: 2 ", &format!("max_attempts: {after} "));
    let content = proposal["content"].as_str().map(str::to_owned);
    if let Some(content) = content {
        assert_eq!(content.lines().next(), changed.lines().next());
        let differs = text.lines().zip(content.lines()).filter(|(a, b)| a != b).count();
        assert!(differs <= 2, "{content}");
    }
    let effect = &proposal["effect"];
    assert!(effect["expected"].as_f64() < effect["before"].as_f64(), "{effect}");

    // The same law answers for a value that somebody else chooses.
    let asked = ["proposals", "what-if", "examples/flaky_orders", "fetch", "--max-attempts", "5"];
    let foreseen = app.cli(&[&asked[..], &["--json"]].concat());
    let foreseen: Value =
        serde_json::from_str(&foreseen.stdout).unwrap_or_else(|_| panic!("{}", foreseen.all()));
    assert_eq!((&foreseen["present"], &foreseen["value"]), (&json!(2.0), &json!(5.0)), "{foreseen}");
    let expected = &foreseen["expected"][0];
    assert!(expected["then"]["value"].as_f64() > expected["now"]["value"].as_f64(), "{foreseen}");
    let shown = app.cli(&asked);
    assert!(shown.stdout.contains("max_attempts 5 instead of 2"), "{}", shown.all());
    assert_eq!(app.cli(&asked[..4]).code, Some(2), "one parameter has to be named");

    let id = proposal["id"].as_str().expect("an id");
    let simulated = app.cli(&["proposals", "simulate", id, "--json"]);
    let simulated: Value =
        serde_json::from_str(&simulated.stdout).unwrap_or_else(|_| panic!("{}", simulated.all()));
    assert_eq!(simulated["executions"], RUNS, "{simulated}");
    assert_eq!(simulated["failed_before"], simulated["undecided"], "{simulated}");
    assert!(simulated["failed_after"]["value"].as_f64() < simulated["failed_before"].as_f64(), "{simulated}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approved_proposal_ends_with_fewer_failures() {
    let app = App::start().await;
    for file in ["examples/flaky_orders.yaml", "examples/flaky_orders_hundred.yaml"] {
        app.register(&place::read(&place::root().join(file))).await.expect("the example is good");
    }
    let before = hundred(&app).await;
    let looked = app.post("/api/proposals/look?playbook=examples/flaky_orders", &Value::Null).await;
    let id = looked["proposals"][0]["id"].as_str().unwrap_or_else(|| panic!("{looked}")).to_owned();
    let approved = app.cli(&["proposals", "approve", &id]);
    assert_eq!(approved.code, Some(0), "{}", approved.all());
    // Both versions run beside each other until the test is sure.
    let mut state = Value::Null;
    for _ in 0..8 {
        hundred(&app).await;
        state = app.get(&format!("/api/proposals/{id}")).await["state"].clone();
        if state != "canary" {
            break;
        }
    }
    assert!(state == "promoted" || state == "verified", "{state}");
    let after = hundred(&app).await;
    assert!(after < before, "{after} of a hundred failed, and {before} before");
}

/// Runs the flaky orders a hundred times; how many failed.
async fn hundred(app: &App) -> u64 {
    let id =
        app.execute("examples/flaky_orders_hundred", &json!({ "runs": RUNS })).await.expect("an execution");
    let ended = app.ended(&id).await.expect("an end");
    let failed = ended["result"]["failed"].as_u64();
    failed.unwrap_or_else(|| panic!("{ended}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_query_of_the_grounds_counts_the_same() {
    if indexed::library().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let app = App::start_with(indexed::options(&folder.path().join("noetl.toml"), "")).await;
    for file in ["examples/flaky_orders.yaml", "examples/flaky_orders_hundred.yaml"] {
        app.register(&place::read(&place::root().join(file))).await.expect("the example is good");
    }
    let id =
        app.execute("examples/flaky_orders_hundred", &json!({ "runs": RUNS })).await.expect("an execution");
    app.ended(&id).await.expect("an end");
    let looked = app.post("/api/proposals/look?playbook=examples/flaky_orders", &Value::Null).await;
    let grounds = &looked["proposals"][0]["grounds"];
    indexed::caught_up(&app).await;
    let query = grounds["query"].as_str().unwrap_or_else(|| panic!("{looked}"));
    let answer = app.post("/api/insights/sql", &json!({ "query": query })).await;
    let counted = answer["rows"][0][0].clone();
    let counted = counted.as_u64().or_else(|| counted.as_str()?.parse().ok());
    assert_eq!(counted, grounds["n"].as_u64(), "{query}\n{answer}");
}
