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
    /// Sub-playbooks that get another version after the good runs.
    #[serde(default)]
    pub(super) bad_children: BTreeMap<String, String>,
    /// Runs before the fault, which must complete.
    #[serde(default)]
    pub(super) good: Vec<Run>,
    /// The version of the good runs, when the fault is a new version.
    #[serde(default)]
    pub(super) good_playbook: Option<String>,
    #[serde(default)]
    pub(super) fault: Run,
    /// What is taken away before anybody asks.
    #[serde(default)]
    pub(super) remove: Vec<Removed>,
    /// A whole document, or `workload` and `workflow` under a head that is the same for all.
    pub(super) playbook: String,
    /// The file it stands in.
    #[serde(skip)]
    pub(super) file: String,
}

/// What is to be found out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Truth {
    pub(super) step: Option<String>,
    /// Several where the closed list has more than one name for it.
    pub(super) cause: Option<Words>,
    pub(super) lasts: Option<String>,
    /// The sort of action that helps; that of the cause when not given.
    pub(super) remedy: Option<Words>,
    /// The evidence supports nothing, and that has to be said.
    pub(super) insufficient: bool,
    /// Kinds of changes that must be named.
    pub(super) changed: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    Any(Vec<String>),
}

impl Words {
    pub(super) fn admit(&self, word: &str) -> bool {
        match self {
            Self::One(one) => one == word,
            Self::Any(words) => words.iter().any(|one| one == word),
        }
    }

    pub(super) fn first(&self) -> &str {
        match self {
            Self::One(one) => one,
            Self::Any(words) => words.first().map_or("", String::as_str),
        }
    }
}

/// Evidence that can be removed from a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Removed {
    /// The log of the execution.
    Log,
    /// What lies between its beginning and its end.
    Middle,
    /// The logs of its sub-playbooks.
    Children,
    /// What tools printed.
    Lines,
    /// The playbook.
    Definition,
    /// What errors say.
    Errors,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Run {
    pub(super) payload: Value,
    /// Credentials that are put in place of earlier ones.
    pub(super) credentials: Vec<Value>,
    /// Credentials that are removed.
    pub(super) forget: Vec<String>,
    /// How the service answers, by the last part of the address.
    pub(super) answers: BTreeMap<String, Answer>,
    /// Cancelled as soon as this was asked for: `GET /path`.
    pub(super) cancel_at: Option<String>,
    /// Ended as failed by hand as soon as this was asked for.
    pub(super) finalize_at: Option<String>,
    /// It is asked about as soon as this was asked for: `GET /path`.
    pub(super) asked_at: Option<String>,
    /// It is asked about while it waits for a worker.
    pub(super) is_left_running: bool,
}

impl Case {
    pub(super) fn needs_a_database(&self) -> bool {
        self.playbook.contains("$PG") || self.credentials.iter().any(|one| one.to_string().contains("$PG"))
    }
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
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        cases.extend(read.into_iter().map(|case| Case { file: name.clone(), ..case }));
    }
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "two cases have the same name");
    cases
}

/// A whole playbook from what a case writes of it.
pub(super) fn playbook(path: &str, body: &str) -> String {
    if ["apiVersion:", "version:", "path:"].iter().any(|head| body.trim_start().starts_with(head)) {
        return body.replace("$PATH", path);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: {name}, path: {path} }}\n{body}")
}
