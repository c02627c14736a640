//! Where the playbooks of the tests lie.

use std::path::{Path, PathBuf};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn playbooks() -> PathBuf {
    root().join("tests/playbooks")
}

/// Every `.yaml` file below a directory, sorted; expectations are not playbooks.
pub(crate) fn playbook_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in
            std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        {
            let path = entry.expect("a directory entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                pending.push(path);
            } else if name.strip_suffix(".yaml").is_some_and(|stem| !stem.ends_with(".expect")) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files below a directory that hold a text, in whatever format.
pub(crate) fn files_with(directory: &Path, text: &str) -> Vec<PathBuf> {
    // The files of an index are large; a search byte by byte would take minutes.
    let text = regex::bytes::Regex::new(&regex::escape(text)).expect("an escaped text");
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if path.is_dir() {
                pending.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && text.is_match(&bytes)
            {
                found.push(path);
            }
        }
    }
    found
}
