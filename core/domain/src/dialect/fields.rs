//! A map that is read key by key, so that what nobody asked for is known at the end.

use crate::finding::Span;
use crate::yaml::{Entry, Node};

pub(super) struct Fields<'a> {
    pub(super) node: &'a Node,
    entries: &'a [Entry],
    taken: Vec<bool>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(node: &'a Node) -> Option<Self> {
        let entries = node.as_map()?;
        Some(Self { node, entries, taken: vec![false; entries.len()] })
    }

    pub(super) fn span(&self) -> Span {
        self.node.span
    }

    /// The value of a key, even when it is null; the key counts as read and is not given out again.
    pub(super) fn take_even_null(&mut self, key: &str) -> Option<&'a Node> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        if self.taken[index] {
            return None;
        }
        self.taken[index] = true;
        Some(&self.entries[index].value)
    }

    /// The value of a key unless it is null.
    pub(super) fn take(&mut self, key: &str) -> Option<&'a Node> {
        self.take_even_null(key).filter(|node| !node.is_null())
    }

    /// The first of several spellings that is present.
    pub(super) fn take_any(&mut self, keys: &[&str]) -> Option<&'a Node> {
        keys.iter().find_map(|key| self.take(key))
    }

    /// Looks without reading.
    pub(super) fn peek(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|entry| entry.key == key && !entry.value.is_null()).map(|entry| &entry.value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.peek(key).is_some())
    }

    pub(super) fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.take_even_null(key);
        }
    }

    /// What nobody has read yet; all of it counts as read afterwards.
    pub(super) fn rest(&mut self) -> Vec<&'a Entry> {
        let left = self.entries.iter().zip(&self.taken).filter(|(_, taken)| !**taken).map(|(entry, _)| entry);
        let left = left.collect();
        self.taken.fill(true);
        left
    }

    /// What nobody has read yet and satisfies a condition; it counts as read afterwards.
    pub(super) fn rest_if(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<&'a Entry> {
        let mut found = Vec::new();
        for (entry, taken) in self.entries.iter().zip(&mut self.taken) {
            if !*taken && wanted(&entry.key) {
                *taken = true;
                found.push(entry);
            }
        }
        found
    }
}
