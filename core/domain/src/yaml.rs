//! YAML text as a tree of nodes that know their place.
//!
//! It knows nothing of playbooks.
//! Size, depth and alias expansion are bounded, so hostile text ends in a Finding.

mod build;
mod lenient;
mod places;
mod print;

mod scalar;

pub use print::{flow, print};
use serde_json::Number;

use crate::code::Code;
use crate::finding::{Finding, Span};
use crate::{Map, Value};

/// Text larger than this is refused unread.
pub const MAX_BYTES: usize = 4 << 20;
/// Lists and maps inside each other, aliases expanded.
pub const MAX_DEPTH: usize = 128;
/// Nodes after aliases are expanded.
pub const MAX_NODES: usize = 500_000;
/// Text after aliases are expanded.
pub const MAX_EXPANDED_BYTES: usize = 64 << 20;

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub data: Data,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

/// What became of a text: its first document, and everything there is to say about it.
#[derive(Debug, Default)]
pub struct Document {
    pub root: Option<Node>,
    pub findings: Vec<Finding>,
}

/// Reads the first document of a text.
pub fn parse(text: &str) -> Document {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than the {MAX_BYTES} allowed", text.len());
        return failed(Finding::error(
            Code::YamlTooLarge,
            Span { line: 1, column: 1, ..Span::default() },
            message,
        ));
    }
    let first = build::build(text, &[]);
    let odd_keys = first.document.findings.iter().any(|finding| finding.message == build::COMPLEX_KEY);
    if first.document.root.is_some() && !odd_keys || first.too_large {
        return first.document;
    }
    // `key: {{ x }}` without quotes is no YAML, or a map nobody meant; older engines quoted it first.
    let (quoted, insertions) = lenient::quote_templates(text);
    if insertions.is_empty() {
        return first.document;
    }
    let second = build::build(&quoted, &insertions);
    if second.document.root.is_some() { second.document } else { first.document }
}

/// As [`parse`], for bytes that may not be text at all.
pub fn parse_bytes(bytes: &[u8]) -> Document {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(error) => failed(not_utf8(bytes, error.valid_up_to())),
    }
}

pub(crate) fn not_utf8(bytes: &[u8], at: usize) -> Finding {
    let before = &bytes[..at];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |index| index + 1);
    let span = Span {
        line: before.split(|&byte| byte == b'\n').count() as u32,
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() as u32 + 1,
        start: at,
        end: at,
    };
    Finding::error(Code::YamlSyntax, span, format!("the file is not UTF-8 text: byte {at} cannot be read"))
        .hint("save the file as UTF-8")
}

fn failed(finding: Finding) -> Document {
    Document { root: None, findings: vec![finding] }
}

impl Node {
    pub fn is_null(&self) -> bool {
        self.data == Data::Null
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The text of any scalar, as an author would write it; None for null, lists and maps.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.data {
            Data::String(text) => Some(text.clone()),
            Data::Bool(value) => Some(value.to_string()),
            Data::Number(number) => Some(number.to_string()),
            Data::Null | Data::List(_) | Data::Map(_) => None,
        }
    }

    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(number) => Value::Number(number.clone()),
            Data::String(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Data::Map(entries) => Value::Object(entries_to_map(entries)),
        }
    }

    /// In words, for messages.
    pub fn describe(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "true or false",
            Data::Number(_) => "a number",
            Data::String(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }
}

pub fn entries_to_map(entries: &[Entry]) -> Map {
    entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect()
}

#[cfg(test)]
mod tests;
