//! What every part of the reader shares: findings, places, the workbook, and which generation was met.

use std::cell::Cell;
use std::collections::HashSet;

use indexmap::IndexMap;

use super::fields::Fields;
use super::source::SourceMap;
use super::{condition, keys};
use crate::code::Code;
use crate::finding::{Finding, Span};
use crate::playbook::{Dialect, Expr};
use crate::yaml::{Data, Entry, Node};
use crate::{Map, Value};

pub(super) struct Reader<'a> {
    pub(super) findings: Vec<Finding>,
    pub(super) source: SourceMap,
    pub(super) workbook: IndexMap<String, &'a Node>,
    /// Of the step being read.
    pub(super) met: Met,
    /// What `next: {arcs}` means for the generation: `apiVersion: noetl.io/v10` is D.
    pub(super) arcs_dialect: Dialect,
    /// Workbook tasks being expanded, against tasks that name each other.
    pub(super) expanding: usize,
    /// Words of steps that could not be read: one of them may be the name that an arc asks for.
    pub(super) unread: HashSet<String>,
    /// Names that may still be compared for a "did you mean".
    comparisons: Cell<usize>,
}

/// A file that misspells more names than this many comparisons can tell apart gets plainer hints.
const COMPARISONS: usize = 100_000;

/// The generations that the constructs met so far can belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Met {
    /// The newest generation that a construct started in.
    pub(super) newest: Option<Dialect>,
    /// The oldest generation that a construct ended in.
    pub(super) ended: Option<Dialect>,
}

impl Met {
    pub(super) fn add(&mut self, first: Dialect, last: Dialect) {
        self.newest = Some(self.newest.map_or(first, |known| known.max(first)));
        self.ended = Some(self.ended.map_or(last, |known| known.min(last)));
    }

    /// The generation of a step inside a file of the generation `file`.
    pub(super) fn dialect(self, file: Dialect) -> Dialect {
        let (Some(newest), Some(ended)) = (self.newest, self.ended) else { return file };
        file.min(ended).max(newest)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new() -> Self {
        Self {
            findings: Vec::new(),
            source: SourceMap::default(),
            workbook: IndexMap::new(),
            met: Met::default(),
            arcs_dialect: Dialect::E,
            expanding: 0,
            unread: HashSet::new(),
            comparisons: Cell::new(COMPARISONS),
        }
    }

    /// The one of the author's own names that `word` may be a slip of, while looking is cheap.
    pub(super) fn did_you_mean(&self, word: &str, names: &[&str]) -> Option<String> {
        self.comparisons.set(self.comparisons.get().checked_sub(names.len())?);
        keys::did_you_mean(word, names.iter().copied())
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.findings.push(Finding::error(code, span, message));
    }

    pub(super) fn error_hint(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.findings.push(Finding::error(code, span, message).hint(hint));
    }

    pub(super) fn warning(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.findings.push(Finding::warning(code, span, message));
    }

    /// Remembers what a step that could not be read may be called.
    pub(super) fn unread(&mut self, item: &Node) {
        let values = item.as_map().unwrap_or_default().iter().map(|entry| &entry.value);
        self.unread.extend(values.chain([item]).filter_map(Node::scalar_text));
    }

    pub(super) fn met(&mut self, first: Dialect, last: Dialect) {
        self.met.add(first, last);
    }

    /// Says that a value is not what its key asks for.
    pub(super) fn wrong_type(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} must be {wanted}, not {}", node.describe());
        self.error(Code::WrongType, node.span, message);
    }

    pub(super) fn fields(&mut self, node: &'a Node, what: &str) -> Option<Fields<'a>> {
        let fields = Fields::new(node);
        if fields.is_none() {
            self.wrong_type(node, what, "a map");
        }
        fields
    }

    /// Text, or another scalar as its text.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = node.scalar_text();
        if text.is_none() {
            self.wrong_type(node, what, "text");
        }
        text
    }

    pub(super) fn expr(&mut self, node: &Node, path: &str, what: &str) -> Option<Expr> {
        self.source.mark(path, node.span);
        let text = self.text(node, what)?;
        Some(Expr(text))
    }

    /// A number, or a template that gives one.
    pub(super) fn number(&mut self, node: &Node, what: &str) -> Option<Value> {
        match &node.data {
            Data::Number(number) => Some(Value::Number(number.clone())),
            Data::String(text) if condition::is_template(text) => Some(Value::String(text.clone())),
            Data::String(text) => {
                if let Some(number) = text.trim().parse::<f64>().ok().and_then(plain_number) {
                    Some(number)
                } else {
                    self.wrong_type(node, what, "a number");
                    None
                }
            }
            Data::Null | Data::Bool(_) | Data::List(_) | Data::Map(_) => {
                self.wrong_type(node, what, "a number");
                None
            }
        }
    }

    /// A number of seconds: `30`, `"30s"`, `"1m30s"`, `"500ms"`; or a template.
    pub(super) fn seconds(&mut self, node: &Node, what: &str) -> Option<Value> {
        match node.as_str() {
            Some(text) if !condition::is_template(text) => {
                if let Some(seconds) = duration(text) {
                    plain_number(seconds)
                } else {
                    let message = format!("{what} `{text}` is not a time");
                    self.error_hint(
                        Code::WrongType,
                        node.span,
                        message,
                        "write seconds, or `30s`, `5m`, `1h30m`",
                    );
                    None
                }
            }
            _ => self.number(node, what),
        }
    }

    /// As [`Self::seconds`], without templates.
    pub(super) fn fixed_seconds(&mut self, node: &Node, what: &str) -> Option<f64> {
        let seconds = self.seconds(node, what)?;
        let fixed = seconds.as_f64();
        if fixed.is_none() {
            self.wrong_type(node, what, "a number of seconds");
        }
        fixed
    }

    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        let value = match &node.data {
            Data::Bool(value) => Some(*value),
            Data::String(text) => match text.to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            Data::Number(number) => number.as_i64().map(|number| number != 0),
            Data::Null | Data::List(_) | Data::Map(_) => None,
        };
        if value.is_none() {
            self.wrong_type(node, what, "true or false");
        }
        value
    }

    /// A map as written, its places remembered below `path`.
    pub(super) fn map(&mut self, node: &Node, path: &str, what: &str) -> Map {
        match &node.data {
            Data::Map(entries) => {
                self.source.mark(path, node.span);
                entries.iter().map(|entry| (entry.key.clone(), self.entry_value(entry, path))).collect()
            }
            Data::Null => Map::new(),
            Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::List(_) => {
                self.wrong_type(node, what, "a map");
                Map::new()
            }
        }
    }

    pub(super) fn entry_value(&mut self, entry: &Entry, path: &str) -> Value {
        self.value(&entry.value, &format!("{path}/{}", entry.key))
    }

    pub(super) fn value(&mut self, node: &Node, path: &str) -> Value {
        self.source.mark(path, node.span);
        match &node.data {
            Data::List(items) => Value::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.value(item, &format!("{path}/{index}")))
                    .collect(),
            ),
            Data::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), self.entry_value(entry, path))).collect(),
            ),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => node.to_value(),
        }
    }

    /// One of a few words; says which when it is none of them.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        let found =
            words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim())).map(|(_, value)| *value);
        if found.is_none() {
            let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = keys::did_you_mean(&text, allowed.iter().copied())
                .unwrap_or_else(|| format!("use one of: {}", allowed.join(", ")));
            self.error_hint(Code::UnknownValue, node.span, format!("{what} `{text}` is not known"), hint);
        }
        found
    }
}

/// The first names of a list that may be long.
pub(super) fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// A whole number stays one.
pub(super) fn plain_number(number: f64) -> Option<Value> {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Value::from(number as i64));
    }
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// `30`, `30s`, `1m30s`, `500ms`, `2 hours`.
pub(super) fn duration(text: &str) -> Option<f64> {
    let text = text.trim().to_lowercase();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0).then_some(seconds);
    }
    let mut total = 0.0;
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let amount: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let factor = match &rest[..letters] {
            "ms" | "millis" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86400.0,
            "w" | "week" | "weeks" => 604_800.0,
            _ => return None,
        };
        total += amount * factor;
        rest = rest[letters..].trim_start();
    }
    (!text.is_empty()).then_some(total)
}
