//! Where the parts of the normalised Playbook stand in the text.

use std::collections::HashMap;

use crate::finding::Span;

/// Places remembered at most; what is beyond falls back to its nearest ancestor.
const LIMIT: usize = 100_000;

/// From model paths such as `steps/fetch/body/0/config/url`, `steps/fetch/arcs/1` and `steps/fetch/loop/in`
/// to places in the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceMap {
    places: HashMap<String, Span>,
    whole: Span,
}

impl SourceMap {
    /// The place of a path, or of its nearest known ancestor.
    pub fn span(&self, path: &str) -> Span {
        let mut rest = path;
        loop {
            if let Some(span) = self.places.get(rest) {
                return *span;
            }
            match rest.rfind('/') {
                Some(end) => rest = &rest[..end],
                None => return self.whole,
            }
        }
    }

    pub fn contains(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    pub(super) fn mark(&mut self, path: impl Into<String>, span: Span) {
        if self.places.len() < LIMIT {
            self.places.insert(path.into(), span);
        }
    }

    pub(super) fn whole(&mut self, span: Span) {
        self.whole = span;
    }
}
