//! One labelled case of the fault laboratory, as its file writes it.

use std::collections::BTreeMap;
use std::path::Path;

use noetl_test_service::Answer;
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    #[serde(rename = "case")]
    pub(super) name: String,
    pub(super) truth: Truth,
    /// The last error says something else than what happened.
    #[serde(default)]
    pub(super) misleading: bool,
    /// How the run must end; FAILED when not given.
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) credentials: Vec<Value>,
    /// Sub-playbooks, by the last part of their path.
    #[serde(default)]
    pub(super) children: BTreeMap<String, String>,
    /// Runs before the fault, which must complete.
    #[serde(default)]
    pub(super) good: Vec<Run>,
    /// The version of the good runs, when the fault is a new version.
    #[serde(default)]
    pub(super) good_playbook: Option<String>,
    #[serde(default)]
    pub(super) fault: Run,
    /// `workload` and `workflow`; the head is the same for all.
    pub(super) playbook: String,
}

/// What is to be found out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Truth {
    pub(super) step: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) lasts: Option<String>,
    /// The evidence supports nothing, and that has to be said.
    pub(super) insufficient: bool,
    /// Kinds of changes that must be named.
    pub(super) changed: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Run {
    pub(super) payload: Value,
    /// Credentials that are put in place of earlier ones.
    pub(super) credentials: Vec<Value>,
    /// How the service answers, by the last part of the address.
    pub(super) answers: BTreeMap<String, Answer>,
    /// Cancelled as soon as this was asked for: `GET /path`.
    pub(super) cancel_at: Option<String>,
    /// It is asked about as soon as this was asked for: `GET /path`.
    pub(super) asked_at: Option<String>,
    /// It is asked about while it waits for a worker.
    pub(super) is_left_running: bool,
}

pub(super) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("tests/faults")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut cases: Vec<Case> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        let document = noetl_domain::yaml::parse(&text);
        let root = document.root.unwrap_or_else(|| panic!("{}: {:?}", file.display(), document.findings));
        let read: Vec<Case> = serde_json::from_value(root.to_value())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        cases.extend(read);
    }
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "two cases have the same name");
    cases
}

/// A whole playbook from what a case writes of it.
pub(super) fn playbook(path: &str, body: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: {name}, path: {path} }}\n{body}")
}
