//! The texts of `tests/playbooks`: lint accepts the good ones, and refuses each broken one for the right reason.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::app::{Cli, binary};
use crate::place;

/// What `noetl lint --json` says of each file: whether it is valid, and every error with its line.
fn lint(files: &[PathBuf]) -> Vec<(bool, Vec<(String, u64)>)> {
    let output = Command::new(binary()).args(["lint", "--json"]).args(files).stdin(Stdio::null()).output();
    let printed = Cli::of(&output.expect("the binary runs"));
    let answer: Value =
        serde_json::from_str(&printed.stdout).unwrap_or_else(|error| panic!("{error}: {}", printed.all()));
    let judged = answer.as_array().expect("a list");
    assert_eq!(judged.len(), files.len(), "one answer for each file");
    judged.iter().map(|judged| (judged["valid"] == true, errors(&judged["findings"]))).collect()
}

fn errors(findings: &Value) -> Vec<(String, u64)> {
    let findings = findings.as_array().into_iter().flatten();
    findings
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| {
            let code = finding["code"].as_str().unwrap_or_default();
            let line = finding["line"].as_u64().or(finding["span"]["line"].as_u64());
            (code.to_owned(), line.unwrap_or_default())
        })
        .collect()
}

#[test]
fn every_playbook_is_accepted() {
    let mut files = place::playbook_files(&place::playbooks());
    files.retain(|path| !path.components().any(|part| part.as_os_str() == "broken"));
    let mut wrong = Vec::new();
    for (path, (valid, errors)) in files.iter().zip(lint(&files)) {
        if !valid || !errors.is_empty() {
            wrong.push(format!("{}: {errors:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} playbooks are refused:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_broken_playbook_is_refused_for_its_reason() {
    let mut wrong = Vec::new();
    let files = place::playbook_files(&place::playbooks().join("broken"));
    for (path, (valid, found)) in files.iter().zip(lint(&files)) {
        let text = place::read(path);
        let mut missing: Vec<String> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let codes =
                line.split_once("# !").map(|(_, codes)| codes.split_whitespace()).into_iter().flatten();
            let unseen = codes.filter(|code| !found.contains(&((*code).to_owned(), number)));
            missing.extend(unseen.map(|code| format!("{code} on line {number}")));
        }
        if let Some(codes) = text.lines().next().and_then(|line| line.strip_prefix("# expect:")) {
            let unseen =
                codes.split_whitespace().filter(|code| !found.iter().any(|(found, _)| found == code));
            missing.extend(unseen.map(|code| format!("{code} anywhere")));
        }
        if valid {
            missing.push("a refusal".to_owned());
        }
        if !missing.is_empty() {
            wrong.push(format!("{}: missing {}; found {found:?}", path.display(), missing.join(", ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} broken playbooks are not refused as they should be:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
