//! Sub-playbooks of a file that is run by itself: those that lie near it are registered along with it.

use std::collections::BTreeSet;
use std::path::Path;

use noetl_domain::Value;
use noetl_domain::playbook::Playbook;

use crate::playbook_file::{self, PlaybookFile};

/// Directories with more files than this are not searched for children.
const MOST_FILES: usize = 500;

/// Valid playbooks below the file's directory that it calls by path, and those that they call.
pub(crate) fn of(file: &PlaybookFile) -> Vec<PlaybookFile> {
    let mut wanted = called(&file.playbook);
    if wanted.is_empty() {
        return Vec::new();
    }
    let directory = file.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut near: Vec<PlaybookFile> = playbook_file::below(directory)
        .unwrap_or_default()
        .into_iter()
        .take(MOST_FILES)
        .filter(|path| *path != file.path)
        .filter_map(|path| playbook_file::judge(&path).ok())
        .filter(|judged| !judged.is_refused())
        .filter_map(|judged| {
            Some(PlaybookFile { path: judged.path, text: judged.text, playbook: judged.playbook? })
        })
        .collect();
    let mut found = Vec::new();
    while let Some(position) = near.iter().position(|file| wanted.contains(&file.playbook.path)) {
        let child = near.swap_remove(position);
        wanted.extend(called(&child.playbook));
        found.push(child);
    }
    found
}

/// Catalog paths that the playbook's tasks name without a template.
fn called(playbook: &Playbook) -> BTreeSet<String> {
    playbook
        .steps
        .iter()
        .flat_map(|step| &step.body)
        .filter(|task| task.kind == "playbook")
        .filter_map(|task| task.config.get("path").and_then(Value::as_str))
        .filter(|path| !path.contains("{{"))
        .map(|path| path.trim_end_matches(".yaml").trim_end_matches(".yml").to_owned())
        .collect()
}
