//! Error texts of many systems, each with its cause, given to the whole of the rules as the last words of a step.
//!
//! They are the texts that likeness is learned from (`core/domain/src/cause/likeness`), so this says that what was learned
//! arrives; how well texts of another author are understood is measured there.

use std::path::Path;

use noetl_domain::error::TaskError;
use noetl_domain::report::LogLine;
use serde_json::{Value, json};

use crate::testing::{Lab, error, ok, python_error};

/// One text, and how a step came to say it.
struct Case {
    /// Those that are right, between bars.
    causes: String,
    /// `shell`, `python:Class`, or `body:STATUS`.
    via: String,
    text: String,
}

impl Case {
    fn is_right(&self, cause: &str) -> bool {
        self.causes.split('|').any(|one| one == cause)
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

/// The texts of one author.
fn written_by(author: &str) -> Vec<Case> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/domain/src/cause/likeness/texts.tsv"), author)
}

fn read(file: &Path, author: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let case = |line: &str| {
        let [from, causes, via, text] = line.splitn(4, '\t').collect::<Vec<_>>().try_into().ok()?;
        let text = text.replace("\\n", "\n").replace("\\\\", "\\");
        (from == author).then(|| Case { causes: causes.to_owned(), via: via.to_owned(), text })
    };
    text.lines().filter_map(case).collect()
}

#[test]
fn texts_of_many_systems_are_understood() {
    let floors = [
        ("f", 0.85),
        ("g", 0.85),
        ("h", 0.90),
        ("i", 0.85),
        ("j", 0.85),
        ("k", 0.85),
        ("l", 0.85),
        ("m", 0.85),
    ];
    for (author, floor) in floors {
        let cases = written_by(author);
        assert!(cases.len() > 300, "{author}: {} texts", cases.len());
        let mut wrong = Vec::new();
        for case in &cases {
            let told = case.told();
            if !case.is_right(&told) {
                wrong.push(format!("{told} not {}: [{}] {:?}", case.causes, case.via, case.text));
            }
        }
        let share = 1.0 - wrong.len() as f64 / cases.len() as f64;
        eprintln!("author {author}: {share:.3}");
        assert!(share >= floor, "{author}: {share:.3}\n{}", wrong.join("\n"));
    }
}

/// Texts that nothing was learned from yet, in a file of the same columns: how many are understood, and which are not.
#[test]
#[ignore = "wants NOETL_TEXTS=FILE and NOETL_AUTHOR=LETTER"]
fn texts_of_a_new_author() {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let cases = read(Path::new(&variable("NOETL_TEXTS")), &variable("NOETL_AUTHOR"));
    let told: Vec<String> = cases.iter().map(Case::told).collect();
    let wrong = cases.iter().zip(&told).filter(|(case, told)| !case.is_right(told));
    for (case, told) in wrong.clone() {
        eprintln!("{told} not {}: [{}] {:?}", case.causes, case.via, case.text);
    }
    eprintln!("{} of {} are understood", cases.len() - wrong.count(), cases.len());
}
