//! Every playbook file of the repository: the good ones are read without findings, the broken ones are not.

use std::path::{Path, PathBuf};

use super::*;

pub(super) fn files(directory: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(directory);
    let mut found = Vec::new();
    let mut left = vec![root];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml")
                && !path.to_string_lossy().contains(".expect.")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_good_file_is_read() {
    let mut failures = Vec::new();
    for path in files("examples").into_iter().chain(files("tests/playbooks")) {
        if path.components().any(|part| part.as_os_str() == "broken") {
            continue;
        }
        let reading = read(&std::fs::read_to_string(&path).expect("text"));
        if !reading.findings.is_empty() || reading.playbook.is_none() {
            let lines = reading.findings.iter().map(|finding| {
                format!(
                    "  {}:{} {:?} {} {} {:?}",
                    finding.span.line,
                    finding.span.column,
                    finding.severity,
                    finding.code,
                    finding.message,
                    finding.hint
                )
            });
            failures.push(format!("{}\n{}", path.display(), lines.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Codes that lint finds on the normalised model, not the reader.
const OF_LINT: &[&str] = &["PB104", "PB105", "PB106", "TP001", "TP004"];

#[test]
fn every_broken_file_is_refused_with_its_code_at_its_line() {
    let mut failures = Vec::new();
    for path in files("tests/playbooks/broken") {
        let text = std::fs::read_to_string(&path).expect("text");
        let reading = read(&text);
        let found: Vec<(u32, &str)> =
            reading.findings.iter().map(|finding| (finding.span.line, finding.code.as_str())).collect();
        let mut wanted = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if let Some(code) = line.strip_prefix("# expect: ") {
                wanted.push((None, code.trim()));
            } else if let Some((_, code)) = line.rsplit_once("# !") {
                wanted.push((Some(index as u32 + 1), code.trim()));
            }
        }
        assert!(!wanted.is_empty(), "{}: expects nothing", path.display());
        for (line, code) in wanted.iter().filter(|(_, code)| !OF_LINT.contains(code)) {
            if !found.iter().any(|(at, is)| is == code && line.is_none_or(|line| line == *at)) {
                failures.push(format!("{}: no {code} in line {line:?}; found {found:?}", path.display()));
            }
        }
        if wanted.iter().any(|(_, code)| !OF_LINT.contains(code)) && reading.playbook.is_some() {
            failures.push(format!("{}: was accepted", path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_canonical_form_of_every_good_file_reads_as_the_same_playbook() {
    for path in files("examples").into_iter().chain(files("tests/playbooks")) {
        let Some(playbook) = read(&std::fs::read_to_string(&path).expect("text")).playbook else { continue };
        let text = canonical(&playbook);
        let again = read(&text);
        assert_eq!(
            again.playbook.as_ref(),
            Some(&playbook),
            "{}\n{text}\n{:?}",
            path.display(),
            again.findings
        );
    }
}
