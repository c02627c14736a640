//! Lint: everything that can be said against a playbook before it runs, each remark with its place in the text.
//!
//! Reading the text ([`crate::dialect::read`]) already finds what breaks the language; here come the checks that look
//! at templates, at the whole graph, and at the fields of each tool.

mod doubt;
mod fields;
mod graph;
mod names;
mod place;
mod render;
mod templates;

use std::collections::BTreeMap;

use doubt::Doubt;
pub(crate) use names::is_always_there;
pub use render::{render, render_colored};

use crate::dialect;
use crate::finding::{Finding, Severity, has_errors};
use crate::playbook::Playbook;
use crate::{Value, yaml};

/// Tool kind to the JSON schema of its fields, as schemars makes it. Empty: tools are not checked.
pub type ToolSchemas = BTreeMap<String, Value>;

/// What linting a text gave.
#[derive(Clone, Debug, Default)]
pub struct Linted {
    /// None when a finding is an error.
    pub playbook: Option<Playbook>,
    /// In the order of the text.
    pub findings: Vec<Finding>,
}

impl Linted {
    pub fn is_good(&self) -> bool {
        self.playbook.is_some()
    }
}

/// Findings shown at most: a hostile file could make millions.
const MOST: usize = 500;

/// Lints playbook text of any generation.
pub fn lint(text: &str, tools: &ToolSchemas) -> Linted {
    let reading = dialect::read(text);
    let mut findings = reading.findings;
    let document = yaml::parse(text);
    if let Some(root) = &document.root {
        let doubt = Doubt::new(root, &findings);
        templates::check(text, root, &mut findings);
        // Beside errors, what could be read is checked all the same: nobody should have to mend a file in two rounds.
        if let Some(playbook) = reading.playbook.as_ref().or(reading.draft.as_ref()) {
            names::check(text, root, &doubt, &mut findings);
            templates::check_conditions(playbook, &reading.source, &mut findings);
            graph::check(playbook, &reading.source, &doubt, &mut findings);
            fields::check(text, playbook, &reading.source, &doubt, tools, &mut findings);
        }
    }
    settle(&mut findings);
    let playbook = reading.playbook.filter(|_| !has_errors(&findings));
    Linted { playbook, findings }
}

/// As [`lint`], for bytes that may not be text at all.
pub fn lint_bytes(bytes: &[u8], tools: &ToolSchemas) -> Linted {
    match std::str::from_utf8(bytes) {
        Ok(text) => lint(text, tools),
        Err(_) => Linted { playbook: None, findings: dialect::read_bytes(bytes).findings },
    }
}

/// Text order, without repetition: one remark per Code and place, errors before warnings when there are too many.
fn settle(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        (a.span.line, a.span.column, a.code, a.severity, &a.message).cmp(&(
            b.span.line,
            b.span.column,
            b.code,
            b.severity,
            &b.message,
        ))
    });
    findings.dedup_by(|a, b| a.code == b.code && a.span == b.span && a.message == b.message);
    cut(findings);
}

/// As many as are shown.
fn cut(findings: &mut Vec<Finding>) {
    if findings.len() > MOST {
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        if errors > 0 {
            findings.retain(|finding| finding.severity == Severity::Error);
        }
        findings.truncate(MOST);
    }
}

/// Names that may be compared for hints, so that a hostile file with many of them is told plainly instead of slowly.
const COMPARISONS: usize = 100_000;

/// `did you mean …?` for a name near one of the known ones.
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(score, candidate)| *score > 0.84 && *candidate != name)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
