//! Playbook text of every generation, normalised into one [`Playbook`].
//!
//! Recognition is per construct, not per `apiVersion`: any construct may stand in any file.
//! All findings are collected; a Playbook comes out only when none of them is an error.

mod body;
mod canonical;
mod case;
mod condition;
mod cursor;
mod executor;
mod fields;
mod first;
mod graph;
mod keychain;
mod keys;
mod l0;
mod loop_results;
mod looped;
mod nested;
mod pagination;
pub mod patch;
mod pipeline;
mod policy;
mod reader;
mod retry;
mod root;
mod routes;
mod save;
mod schedule;
mod sets;
mod source;
mod step;
mod task;
mod workbook;

pub use canonical::canonical;
pub use source::SourceMap;

use crate::code::Code;
use crate::finding::{Finding, has_errors};
use crate::playbook::Playbook;
use crate::yaml;
use reader::Reader;

/// What reading a text gave.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// None when a finding is an error.
    pub playbook: Option<Playbook>,
    pub findings: Vec<Finding>,
    pub source: SourceMap,
    /// Beside errors: what could be read nevertheless, so that lint can remark on the sound parts. Not valid.
    pub(crate) draft: Option<Playbook>,
}

/// Whether `word` is near enough to `known` to be a slip of it.
pub(crate) fn is_slip(word: &str, known: &str) -> bool {
    keys::nearest(word, [known]).is_some()
}

/// Reads playbook text of any generation.
pub fn read(text: &str) -> Reading {
    document(yaml::parse(text))
}

/// As [`read`], for bytes that may not be text at all.
pub fn read_bytes(bytes: &[u8]) -> Reading {
    document(yaml::parse_bytes(bytes))
}

fn document(document: yaml::Document) -> Reading {
    let mut findings = document.findings;
    let Some(root) = document.root else {
        return Reading { findings, ..Reading::default() };
    };
    let mut reader = Reader::new();
    reader.source.whole(root.span);
    let playbook = if root.as_map().is_none() {
        let message = format!("a playbook is a map, not {}", root.describe());
        reader.error_hint(Code::NotAPlaybook, root.span, message, "start with `apiVersion: noetl.io/v2`");
        None
    } else if first::is_first(&root) {
        first::read(&mut reader, &root)
    } else {
        root::read(&mut reader, &root)
    };
    findings.append(&mut reader.findings);
    findings.sort_by_key(|finding| finding.span.start);
    findings.dedup();
    let (playbook, draft) = if has_errors(&findings) { (None, playbook) } else { (playbook, None) };
    Reading { playbook, findings, source: reader.source, draft }
}

#[cfg(test)]
mod tests;
