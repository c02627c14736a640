//! Error texts of many systems, each with its cause, given to the whole of the rules as the last words of a step.
//!
//! `tests/faults/words/*.jsonl` were written by somebody who had not seen the rules. `NOETL_WORDS=FILE` asks about
//! another file and prints what is wrong; nothing is asserted then.

use std::path::{Path, PathBuf};

use noetl_domain::error::TaskError;
use noetl_domain::report::LogLine;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::testing::{Lab, error, ok, python_error};

#[derive(Deserialize)]
struct Case {
    /// One code, or a list of those that are right.
    cause: Value,
    /// `shell`, `python:Class`, or `body:STATUS`.
    via: String,
    text: String,
}

impl Case {
    fn is_right(&self, cause: &str) -> bool {
        match &self.cause {
            Value::String(one) => one == cause,
            Value::Array(many) => many.iter().any(|one| one == cause),
            _ => false,
        }
    }

    /// What the rules say.
    fn told(&self) -> String {
        let told = match self.via.split_once(':') {
            Some(("python", class)) => {
                let last = self.text.lines().next().unwrap_or_default();
                let whole = if self.text.contains('\n') { self.text.as_str() } else { last };
                Lab::new("steps: a").run(&[("a", python_error(class, whole))])
            }
            Some(("body", "200")) => {
                let body: Value = serde_json::from_str(&self.text).unwrap_or_else(|_| json!(self.text));
                let null = python_error("TypeError", "'NoneType' object is not iterable");
                Lab::new("a\nb reads a.rows").run(&[("a", ok(body)), ("b", null)])
            }
            Some(("body", status)) => {
                let code: u16 = status.parse().expect("a status");
                let body: Value = serde_json::from_str(&self.text).unwrap_or_else(|_| json!(self.text));
                let kind = if code >= 500 { "server_error" } else { "client_error" };
                let told = TaskError::new(kind, format!("HTTP {code} response from POST http://x/y"))
                    .with_code(status)
                    .with_details(json!({ "body": body }));
                Lab::new("steps: a").run(&[(
                    "a",
                    error(TaskError { status_code: Some(code), source: "http".into(), ..told }),
                )])
            }
            _ => {
                let last = self.text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let message = format!("the command ended with exit status 1: {}", last.trim());
                let told =
                    TaskError { source: "shell".into(), ..TaskError::new("shell", message).with_code("1") };
                let mut told = Lab::new("steps: a").run(&[("a", error(told))]);
                let run = told.evidence.run.id;
                told.evidence.lines = self
                    .text
                    .lines()
                    .map(|line| LogLine {
                        execution: run,
                        step: "a".to_owned(),
                        run: 1,
                        index: None,
                        at_ms: 1,
                        stream: "stderr".to_owned(),
                        level: "error".to_owned(),
                        text: line.to_owned(),
                        fields: Value::Null,
                    })
                    .collect();
                told
            }
        };
        told.diagnosis().cause.unwrap_or_default()
    }
}

/// Right ones, all of them, and what was wrong.
fn examined(file: &Path) -> (usize, usize, Vec<String>) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let cases: Vec<Case> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let told = case.told();
        if !case.is_right(&told) {
            wrong.push(format!("{} not {}: [{}] {:?}", told, case.cause, case.via, case.text));
        }
    }
    (cases.len() - wrong.len(), cases.len(), wrong)
}

/// Shares of right answers below which the test fails: what was reached, a little below.
const FLOORS: &[(&str, f64)] = &[];

#[test]
fn texts_of_many_systems_are_understood() {
    if let Ok(file) = std::env::var("NOETL_WORDS") {
        let (right, all, wrong) = examined(Path::new(&file));
        eprintln!("{}\n{file}: {right} of {all}", wrong.join("\n"));
        return;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/faults/words");
    for (name, floor) in FLOORS {
        let (right, all, wrong) = examined(&folder.join(name));
        let share = right as f64 / all as f64;
        assert!(share >= *floor, "{name}: {right} of {all}\n{}", wrong.join("\n"));
    }
}
