//! What a file that could be read only in part may still mean, so that one mistake is told once.
//!
//! A part with a structural error may hide ways onward or the names it provides.
//! Every name that it mentions then counts as meant; the rest of the file is judged as it stands.

use std::collections::{HashMap, HashSet};

use crate::code::Code;
use crate::finding::{Finding, Severity, Span};
use crate::yaml::{Data, Node};

/// The text of every scalar inside a part.
type Mentions = HashSet<String>;

#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// Steps that could be read but for something inside them.
    pub(super) steps: HashMap<String, Mentions>,
    /// Everything broken outside of readable steps: it may lead anywhere that it mentions.
    pub(super) elsewhere: Mentions,
    /// Nothing tells where the execution starts.
    pub(super) no_start: bool,
    /// Where the errors begin, in order.
    errors: Vec<usize>,
}

impl Doubt {
    /// `findings` are those of reading the text.
    pub(super) fn new(root: &Node, findings: &[Finding]) -> Self {
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
        let no_start = errors.clone().any(|finding| finding.code == Code::MissingStart);
        let hiding = errors.filter(|finding| hides(finding.code));
        let mut errors: Vec<usize> = hiding.map(|finding| finding.span.start).collect();
        errors.sort_unstable();
        let mut doubt = Self { no_start, errors, ..Self::default() };
        if doubt.errors.is_empty() {
            return doubt;
        }
        for entry in root.as_map().unwrap_or_default() {
            let workflow = matches!(entry.key.as_str(), "workflow" | "steps" | "tasks");
            match entry.value.as_list().filter(|_| workflow) {
                Some(items) => items.iter().for_each(|item| doubt.item(item)),
                None if doubt.touches(entry.key_span) || doubt.touches(entry.value.span) => {
                    mentions(&entry.value, &mut doubt.elsewhere);
                }
                None => {}
            }
        }
        doubt
    }

    fn item(&mut self, item: &Node) {
        if !self.touches(item.span) {
            return;
        }
        let name = ["step", "name", "taskName", "task"].iter().find_map(|key| item.get(key));
        match name.and_then(Node::scalar_text) {
            Some(name) => mentions(item, self.steps.entry(name.trim().to_owned()).or_default()),
            None => mentions(item, &mut self.elsewhere),
        }
    }

    /// Whether something inside this part could not be read.
    pub(super) fn touches(&self, part: Span) -> bool {
        let first = self.errors.partition_point(|start| *start < part.start);
        self.errors.get(first).is_some_and(|start| *start < part.end.max(part.start + 1))
    }
}

/// Whether an error may hide what its part says; others are about parts that were read.
fn hides(code: Code) -> bool {
    !matches!(
        code,
        Code::DuplicateStep
            | Code::MissingTool
            | Code::MissingStart
            | Code::UnknownTaskLabel
            | Code::UnknownWorkbookTask
    )
}

fn mentions(node: &Node, found: &mut Mentions) {
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| mentions(item, found)),
        Data::Map(entries) => {
            for entry in entries {
                found.insert(entry.key.clone());
                mentions(&entry.value, found);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => found.extend(node.scalar_text()),
    }
}
