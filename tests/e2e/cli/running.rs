//! `noetl run`: results, failures, cancels, and what is left to look at.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::home::{Home, example, transcript};
use crate::app::Cli;

#[test]
fn a_good_run_prints_its_result_to_stdout_and_the_rest_to_stderr() {
    let home = Home::new();
    let printed = home.noetl(&["run", &example("hello.yaml"), "--set", "name=Ada"]);
    insta::assert_snapshot!(transcript(&printed, &home));
    let answer: Value = serde_json::from_str(&printed.stdout).expect("stdout is the result alone");
    assert_eq!(answer["message"], "Hello, Ada!");
}

#[test]
fn a_failed_run_names_the_step_the_error_and_the_next_thing_to_type() {
    let home = Home::new();
    let printed = home.noetl(&["run", &example("failure.yaml")]);
    insta::assert_snapshot!(transcript(&printed, &home));
}

#[test]
fn a_bad_playbook_shows_every_finding_and_runs_nothing() {
    let home = Home::new();
    home.write(
        "bad.yaml",
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: bad }\nworkflow:\n  - step: start\n    tool: { kind: shell, command: \"touch ran\" }\n    next: { arcs: [ { step: laod } ] }\n  - step: load\n    tol: { kind: noop }\n",
    );
    let printed = home.noetl(&["run", "bad.yaml"]);
    assert!(!home.path().join("ran").exists());
    insta::assert_snapshot!(transcript(&printed, &home));
}

#[test]
fn json_is_one_document_with_status_and_result() {
    let home = Home::new();
    for (name, code, status) in [("routing.yaml", 0, "COMPLETED"), ("failure.yaml", 1, "FAILED")] {
        let printed = home.noetl(&["run", &example(name), "--json"]);
        let answer: Value = serde_json::from_str(&printed.stdout).expect("one document");
        assert_eq!(
            (printed.code, answer["status"].as_str()),
            (Some(code), Some(status)),
            "{}",
            printed.all()
        );
        assert_eq!(printed.stderr, "", "nobody talks beside a document");
    }
}

#[test]
fn ctrl_c_cancels_the_run() {
    let home = Home::new();
    home.playbook("long", "  - step: start\n    tool: { kind: shell, command: \"echo began; sleep 300\" }\n");
    let mut command = home.command(&["run", "long.yaml", "--verbose"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut said = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(said.any(|line| line == "start | began"), "the step did not begin");
    let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(told.expect("kill runs").success());
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(3), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("CANCELLED")), "{rest:?}");
}

#[test]
fn a_run_can_be_looked_at_afterwards_and_retried() {
    let home = Home::new();
    home.playbook(
        "twice",
        "  - step: start\n    tool: { kind: shell, command: \"echo once >> counted; echo hi\" }\n    next: { arcs: [ { step: check } ] }\n  - step: check\n    tool: { kind: shell, command: \"test -e ready\" }\n",
    );
    assert_eq!(home.noetl(&["run", "twice.yaml"]).code, Some(1));
    let shown = home.noetl(&["status", "last"]);
    assert!(shown.stdout.contains("FAILED") && shown.stdout.contains("check"), "{}", shown.all());
    assert!(home.noetl(&["executions"]).stdout.contains("tests/cli/twice"));
    assert!(home.noetl(&["events", "last"]).stdout.contains("playbook.failed"));
    assert!(
        home.noetl(&["logs", "last"]).stdout.contains("start | hi"),
        "{}",
        home.noetl(&["logs", "last"]).all()
    );
    home.write("ready", "");
    let retried = home.noetl(&["retry", "last"]);
    assert_eq!(retried.code, Some(0), "{}", retried.all());
    let counted = std::fs::read_to_string(home.path().join("counted")).expect("the first step ran");
    assert_eq!(counted, "once\n", "a completed step is not run again");
}

#[test]
fn two_runs_at_once_share_a_store() {
    let home = Home::new();
    // Each waits for the other's file, so that both are at work at the same time.
    for (name, own, other) in [("left", "l", "r"), ("right", "r", "l")] {
        home.playbook(
            name,
            &format!(
                "  - step: start\n    tool: {{ kind: shell, command: \"touch {own}; until [ -e {other} ]; do sleep 0.05; done; echo {name}\", timeout: 60 }}\n"
            ),
        );
    }
    let children: Vec<_> = ["left.yaml", "right.yaml"]
        .iter()
        .map(|file| {
            let mut command = home.command(&["run", file]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
        })
        .collect();
    for child in children {
        let printed = Cli::of(&child.wait_with_output().expect("it ends"));
        assert_eq!(printed.code, Some(0), "{}", printed.all());
    }
    let listed: Value = serde_json::from_str(&home.noetl(&["executions", "--json"]).stdout).expect("a list");
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_dry_run_and_a_target_do_as_they_say() {
    let home = Home::new();
    home.playbook(
        "steps",
        "  - step: start\n    tool: { kind: shell, command: \"touch first\" }\n    next: { arcs: [ { step: later } ] }\n  - step: later\n    tool: { kind: shell, command: \"touch second\" }\n",
    );
    let printed = home.noetl(&["run", "steps.yaml", "--dry-run"]);
    assert_eq!(printed.stdout, "start: shell -> later\nlater: shell\n", "{}", printed.all());
    assert!(!home.path().join("first").exists());
    assert_eq!(home.noetl(&["run", "steps.yaml", "-t", "start"]).code, Some(0));
    assert!(home.path().join("first").exists() && !home.path().join("second").exists());
    let unknown = home.noetl(&["run", "steps.yaml", "-t", "nowhere"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("its steps are start, later"), "{}", unknown.stderr);
}
