//! What must come out of a playbook, read from the `.expect.yaml` beside it.
//!
//! One file serves every generation of the same shape: same graph, same answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::place;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Expectation {
    /// One line for people.
    pub(crate) about: String,
    /// `postgres`.
    pub(crate) needs: Vec<String>,
    /// Playbooks to register first; `{dialect}` stands for the dialect's prefix.
    pub(crate) register: Vec<String>,
    pub(crate) credentials: Vec<Value>,
    /// Environment of the server.
    pub(crate) env: BTreeMap<String, String>,
    /// Texts that must appear nowhere but in the vault.
    pub(crate) secrets: Vec<String>,
    /// Executions, one after another.
    pub(crate) runs: Vec<Run>,
    /// Where a dialect differs: its runs replace the common ones.
    pub(crate) dialects: BTreeMap<String, Override>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Override {
    pub(crate) runs: Option<Vec<Run>>,
    pub(crate) r#final: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) payload: Value,
    /// Forget the test service's counters first.
    pub(crate) reset: bool,
    /// COMPLETED when not given.
    pub(crate) status: Option<String>,
    /// Expressions as templates see them, and their values.
    pub(crate) results: BTreeMap<String, Value>,
    /// The execution's result.
    pub(crate) r#final: Option<Value>,
    /// Steps entered exactly once, and completed.
    pub(crate) once: Vec<String>,
    pub(crate) never: Vec<String>,
    pub(crate) skipped: Vec<String>,
    pub(crate) runs: BTreeMap<String, usize>,
    /// Steps in the order in which they ended.
    pub(crate) order: Vec<String>,
    pub(crate) last: Option<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) handled: Vec<String>,
    /// Text that the error holds.
    pub(crate) error: Option<String>,
    /// Code that the answer holds.
    pub(crate) code: Option<String>,
    pub(crate) vars: BTreeMap<String, Value>,
    pub(crate) children: Option<usize>,
    pub(crate) logs: Vec<String>,
    /// `METHOD /path` and how often the test service saw it.
    pub(crate) http: BTreeMap<String, usize>,
    /// The queries of all requests that had one, in order.
    pub(crate) queries: Vec<String>,
    pub(crate) sql: Vec<Sql>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sql {
    pub(crate) query: String,
    pub(crate) rows: Vec<Value>,
}

/// A playbook with what must come out of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) path: PathBuf,
    pub(crate) dialect: String,
    pub(crate) expectation: Expectation,
}

impl Case {
    pub(crate) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The playbooks to register before this one.
    pub(crate) fn companions(&self) -> Vec<PathBuf> {
        let beside = self.path.parent().unwrap_or(Path::new("."));
        self.expectation
            .register
            .iter()
            .map(|name| beside.join(name.replace("{dialect}", &self.dialect)))
            .collect()
    }
}

const DIALECTS: [&str; 7] = ["first", "l0", "a", "b", "c", "d", "e"];

/// Every playbook of a family that has an expectation: `<dialect>_<shape>.yaml` or `<dialect>_<way>_<shape>.yaml`.
pub(crate) fn cases(family: &str) -> Vec<Case> {
    let directory = place::playbooks().join(family);
    let shapes: Vec<(String, Expectation)> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .filter_map(|entry| {
            let path = entry.expect("a directory entry").path();
            let shape = path.file_name()?.to_str()?.strip_suffix(".expect.yaml")?.to_owned();
            Some((shape, parse(&path)))
        })
        .collect();
    let mut cases = Vec::new();
    for path in place::playbook_files(&directory) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some((dialect, rest)) = stem.split_once('_').filter(|(dialect, _)| DIALECTS.contains(dialect))
        else {
            continue;
        };
        let shape = shapes.iter().find(|(shape, _)| rest == shape || rest.ends_with(&format!("_{shape}")));
        let Some((_, expectation)) = shape else { continue };
        let mut expectation = expectation.clone();
        let special = expectation.dialects.remove(dialect).unwrap_or_default();
        if let Some(runs) = special.runs {
            expectation.runs = runs;
        }
        if let (Some(run), Some(result)) = (expectation.runs.first_mut(), special.r#final) {
            run.r#final = Some(result);
        }
        cases.push(Case { path, dialect: dialect.to_owned(), expectation });
    }
    cases
}

fn parse(path: &Path) -> Expectation {
    let document = noetl_domain::yaml::parse(&place::read(path));
    let root = document.root.unwrap_or_else(|| panic!("{}: {:?}", path.display(), document.findings));
    serde_json::from_value(root.to_value()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Puts the addresses and names of this run in place of `$SERVICE` and the like, in every string.
pub(crate) fn fill(value: &Value, names: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, names)),
        Value::Array(items) => items.iter().map(|item| fill(item, names)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), fill(value, names))).collect()
        }
        other => other.clone(),
    }
}

pub(crate) fn fill_text(text: &str, names: &[(&str, &str)]) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}
