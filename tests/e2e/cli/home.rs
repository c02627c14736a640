//! A place to type commands in: a directory, a store of its own, no server.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::app::{Cli, binary};
use crate::place;

pub(super) struct Home {
    pub(super) directory: tempfile::TempDir,
}

impl Home {
    pub(super) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file of this place, by its name.
    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("a writable directory");
    }

    /// A playbook of this place; `workflow` is its steps.
    pub(super) fn playbook(&self, name: &str, workflow: &str) {
        let text = format!(
            "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: {name}, path: tests/cli/{name} }}\nworkflow:\n{workflow}"
        );
        self.write(&format!("{name}.yaml"), &text);
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("NOETL_DATA_DIR", self.path().join("data"))
            .stdin(Stdio::null());
        command
    }

    pub(super) fn noetl(&self, arguments: &[&str]) -> Cli {
        Cli::of(&self.command(arguments).output().expect("the binary runs"))
    }
}

/// An example of the repository.
pub(super) fn example(name: &str) -> String {
    place::root().join("examples").join(name).display().to_string()
}

/// What varies from run to run, by its kind: times, ids, addresses, places.
pub(super) fn redacted(text: &str, home: &Home) -> String {
    let text = text.replace(&home.path().display().to_string(), "[HOME]");
    let text = text.replace(&place::root().display().to_string(), "[ROOT]");
    let rules = [
        (r"\b\d{15,20}\b", "[ID]"),
        (r"\b\d+(\.\d+)? (ms|s)\b", "[TIME]"),
        (r"127\.0\.0\.1:\d+", "[ADDRESS]"),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", "[MOMENT]"),
        (r" +\n", "\n"),
    ];
    rules.iter().fold(text, |text, (pattern, word)| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&text, *word).into_owned()
    })
}

/// stdout, stderr and exit status in one text, for snapshots.
pub(super) fn transcript(printed: &Cli, home: &Home) -> String {
    let code = printed.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
    redacted(&format!("{}--- stderr\n{}--- exit {code}\n", printed.stdout, printed.stderr), home)
}
