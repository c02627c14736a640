//! `noetl why`: what a person reads after a failure, without any server.

use serde_json::Value;

use super::home::{Home, example};

const EMPTY: &str = "  - step: fetch\n    tool: { kind: python, input: { n: \"{{ workload.n }}\" }, code: \"result = {'rows': [1] * n}\" }\n    next: { arcs: [ { step: load } ] }\n  - step: load\n    tool: { kind: python, input: { rows: \"{{ fetch.rows }}\" }, code: \"result = rows[0]\" }\n";

#[test]
fn the_last_failure_is_explained_beside_the_last_good_run() {
    let home = Home::new();
    home.write(
        "load.yaml",
        &format!(
            "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: load, path: load }}\nworkload: {{ n: 2 }}\nworkflow:\n{EMPTY}"
        ),
    );
    assert_eq!(home.noetl(&["run", "load.yaml"]).code, Some(0));
    assert_eq!(home.noetl(&["run", "load.yaml", "--set", "n=0"]).code, Some(1));
    let told = home.noetl(&["why", "--last"]);
    assert_eq!(told.code, Some(0), "{}", told.all());
    for said in
        ["step fetch", "data.empty", "what changed since the last good run", "what to do", "load  failed"]
    {
        assert!(told.stdout.contains(said), "{said:?} is missing:\n{}", told.stdout);
    }
    assert!(!told.stdout.contains("[e:"), "citations are for machines:\n{}", told.stdout);
    let printed = home.noetl(&["why", "--last", "--json"]);
    let diagnosis: Value = serde_json::from_str(&printed.stdout).expect("one document");
    assert_eq!(diagnosis["root_step"], "fetch", "{diagnosis}");
    assert_eq!(diagnosis["evidence_status"], "confirmed", "{diagnosis}");
    assert!(diagnosis["last_good_execution_id"].is_string(), "{diagnosis}");
}

#[test]
fn an_execution_that_did_not_fail_is_told_as_such() {
    let home = Home::new();
    assert_eq!(home.noetl(&["run", &example("hello.yaml")]).code, Some(0));
    let told = home.noetl(&["why", "last"]);
    assert!(told.code == Some(0) && told.stdout.contains("did not fail"), "{}", told.all());
}

#[test]
fn an_execution_that_is_not_there_is_no_mystery() {
    let home = Home::new();
    let told = home.noetl(&["why", "42"]);
    assert_eq!(told.code, Some(1), "{}", told.all());
    assert!(told.stderr.contains("AP002") && told.stderr.contains("noetl executions"), "{}", told.stderr);
}
