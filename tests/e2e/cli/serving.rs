//! `noetl up`, and commands that find it.

use std::time::Instant;

use serde_json::json;

use super::home::{Home, example, transcript};
use crate::app::{App, PATIENCE, pause};

#[test]
fn up_registers_runs_one_and_says_what_to_type_next() {
    let home = Home::new();
    let hello = example("hello.yaml");
    let examples = example("");
    let printed = home.noetl(&["up", "--port", "0", "--register", &examples, "--run", &hello, "--once"]);
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    insta::assert_snapshot!(transcript(&printed, &home));
    let listed = home.noetl(&["catalog", "list"]);
    assert!(listed.stdout.contains("examples/parallel_loop"), "{}", listed.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_find_the_server_that_holds_the_store() {
    let app = App::start().await;
    let data = app.data().display().to_string();
    let home = Home::new();
    let run = home.noetl(&["run", &example("routing.yaml"), "--data", &data]);
    assert_eq!(run.code, Some(0), "{}", run.all());
    let listed = app.get("/api/executions").await;
    assert_eq!(listed[0]["path"], json!("examples/routing"), "the server ran it: {listed}");
    let second = home.noetl(&["up", "--port", "0", "--data", &data]);
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("AP008"), "{}", second.stderr);
    let stopped = home.noetl(&["server", "stop", "--data", &data]);
    assert_eq!(stopped.code, Some(0), "{}", stopped.all());
    let deadline = Instant::now() + PATIENCE;
    while home.noetl(&["server", "stop", "--data", &data]).code == Some(0) {
        assert!(Instant::now() < deadline);
        pause().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_playbook_is_executed_without_waiting_and_followed() {
    let app = App::start().await;
    let home = Home::new();
    let at = ["--server-url", app.url.as_str()];
    let noetl = |arguments: &[&str]| home.noetl(&[arguments, &at].concat());
    assert_eq!(noetl(&["register", &example("sleep.yaml")]).code, Some(0));
    let started = noetl(&["execute", "playbook", "examples/sleep"]);
    let id = started.stdout.trim().to_owned();
    assert!(id.parse::<u64>().is_ok(), "stdout is the id alone: {}", started.all());
    let followed = noetl(&["events", &id, "--follow"]);
    assert!(followed.stdout.contains("playbook.completed"), "{}", followed.all());
    let logs = noetl(&["logs", &id, "--follow", "--json"]);
    assert_eq!(logs.code, Some(0), "{}", logs.all());
    let none = home.noetl(&["execute", "playbook", "examples/sleep"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("AP007") && none.stderr.contains("noetl up"), "{}", none.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_are_added_paused_and_removed() {
    let home = Home::new();
    assert_eq!(home.noetl(&["register", &example("hello.yaml")]).code, Some(0));
    let added = home.noetl(&["schedule", "add", "examples/hello", "--every", "5m", "--json"]);
    let schedule: serde_json::Value =
        serde_json::from_str(&added.stdout).unwrap_or_else(|_| panic!("{}", added.all()));
    let id = schedule["id"].as_str().expect("an id").to_owned();
    assert!(home.noetl(&["schedule", "pause", &id]).stdout.contains("paused"));
    assert!(home.noetl(&["schedule", "list"]).stdout.contains("paused"));
    assert!(home.noetl(&["schedule", "resume", &id]).stdout.contains("resumed"));
    assert_eq!(home.noetl(&["schedule", "remove", &id]).code, Some(0));
    assert!(!home.noetl(&["schedule", "list"]).stdout.contains(&id));
    let wrong = home.noetl(&["schedule", "add", "examples/hello", "--cron", "61 * * * *"]);
    assert_ne!(wrong.code, Some(0), "{}", wrong.all());
}
