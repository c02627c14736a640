use super::*;
use crate::finding::Span;

mod files;
mod findings;
mod forms;
mod generations;
mod specification;

/// The playbook, and nothing said against it.
fn good(text: &str) -> Playbook {
    let reading = read(text);
    assert_eq!(reading.findings, Vec::new(), "{text}");
    reading.playbook.expect("a playbook without findings")
}
