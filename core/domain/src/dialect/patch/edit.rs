//! The edit of a text: a value is replaced where it stands, or a key is added beside its siblings.
//!
//! None says that no edit is known for the place; whether an edit means what was wanted is for others to check.

use serde_json::json;

use super::model::{Tries, tries};
use super::{Parameter, Setting};
use crate::Value;
use crate::dialect::{self, Reading};
use crate::finding::Span;
use crate::playbook::{Playbook, RouteMode, Step};
use crate::yaml::{self, Data, Entry, Node};

pub(super) fn set(text: &str, setting: &Setting) -> Option<String> {
    let reading = dialect::read(text);
    let playbook = reading.playbook.as_ref()?;
    let step = playbook.step(&setting.step)?;
    let root = yaml::parse(text).root?;
    let editor = Editor { text, root: &root, reading: &reading, step };
    let value = yaml::flow(&setting.value);
    match setting.parameter {
        Parameter::MaxAttempts | Parameter::InitialDelay | Parameter::Multiplier | Parameter::MaxDelay => {
            editor.tries(setting)
        }
        Parameter::Timeout => editor.timeout(&value),
        Parameter::BatchSize => editor.put(editor.at("loop")?, &["chunk", "batch_size"], &value),
        Parameter::MaxInFlight => editor.in_flight(&value),
        Parameter::Pool => editor.put(editor.at("")?, &["pool", "execution_pool"], &value),
        Parameter::Arcs => {
            let names: Vec<&str> = setting.value.as_array()?.iter().filter_map(Value::as_str).collect();
            editor.arcs(editor.at("")?, &names)
        }
        Parameter::Guard => editor.guard(&setting.value),
        Parameter::Steps => editor.new_step(playbook, &setting.value),
    }
}

struct Editor<'a> {
    text: &'a str,
    root: &'a Node,
    reading: &'a Reading,
    step: &'a Step,
}

/// Spellings of each number of a retry, the one to write first.
const ATTEMPTS: &[&str] = &["max_attempts", "attempts", "max_retries"];
const DELAY: &[&str] = &["initial_delay", "delay", "initial_delay_seconds"];
const MULTIPLIER: &[&str] = &["backoff_multiplier", "multiplier"];
const MAX_DELAY: &[&str] = &["max_delay", "max_delay_seconds"];

impl<'a> Editor<'a> {
    /// The node that a path below the step came from.
    fn at(&self, path: &str) -> Option<&'a Node> {
        let mut full = format!("steps/{}", self.step.name);
        if !path.is_empty() {
            full = format!("{full}/{path}");
        }
        let span = self.reading.source.contains(&full).then(|| self.reading.source.span(&full))?;
        find(self.root, span)
    }

    fn tries(&self, setting: &Setting) -> Option<String> {
        let names = match setting.parameter {
            Parameter::MaxAttempts => ATTEMPTS,
            Parameter::InitialDelay => DELAY,
            Parameter::Multiplier => MULTIPLIER,
            _ => MAX_DELAY,
        };
        match tries(self.step) {
            Tries::Several => None,
            Tries::Nowhere => {
                let block = json!({ names[0]: setting.value });
                self.insert(self.at("")?, "retry", &spaced(&block))
            }
            Tries::Block { task, .. } => {
                let own = task.and_then(|task| self.at(&format!("body/{task}/retry")));
                let node = innermost(own.or_else(|| self.at("retry"))?);
                if node.as_map().is_none() {
                    // A bare count or `true` becomes a block with the count it stood for.
                    let mut block = serde_json::Map::new();
                    if setting.parameter != Parameter::MaxAttempts && !matches!(node.data, Data::Bool(true)) {
                        block.insert("max_attempts".to_owned(), node.to_value());
                    }
                    block.insert(names[0].to_owned(), setting.value.clone());
                    return self.replace(node.span, &spaced(&Value::Object(block)));
                }
                let counted = setting.parameter == Parameter::MaxAttempts
                    && node.get("max_attempts").or(node.get("attempts")).is_none()
                    && node.get("max_retries").is_some();
                let value = match setting.value.as_i64() {
                    Some(attempts) if counted => json!(attempts - 1),
                    _ => setting.value.clone(),
                };
                self.put(node, names, &yaml::flow(&value))
            }
            Tries::Rule { task, rule } => {
                let node = self.at(&format!("body/{task}/rules/{rule}"))?;
                let node = node.get("then").or(node.get("else")).unwrap_or(node);
                let node = node.get("then").unwrap_or(node);
                let names = match setting.parameter {
                    Parameter::MaxAttempts => &["attempts", "max_attempts"][..],
                    Parameter::InitialDelay => &["delay"],
                    _ => return None,
                };
                self.put(node, names, &yaml::flow(&setting.value))
            }
        }
    }

    fn timeout(&self, value: &str) -> Option<String> {
        let stands = self.at("timeout").or_else(|| self.at("body/0/timeout"));
        match stands {
            Some(node) => self.replace(node.span, value),
            None => self.insert(self.at("")?, "timeout", value),
        }
    }

    fn in_flight(&self, value: &str) -> Option<String> {
        let names = ["max_in_flight", "concurrency", "max_concurrency"];
        let node = self.at("loop")?;
        let spec = node.get("spec").filter(|spec| spec.as_map().is_some());
        let holder = match spec {
            Some(spec) if names.iter().all(|name| node.get(name).is_none()) => spec,
            _ => node,
        };
        self.put(holder, &names, value)
    }

    /// Replaces the ways onward of a step by plain ones, in the form that the file uses.
    fn arcs(&self, step: &Node, names: &[&str]) -> Option<String> {
        let arcs: Value = names.iter().map(|name| json!({ "step": name })).collect();
        let next = step.get("next");
        let mode = match self.step.routes.mode {
            RouteMode::First if names.len() == 1 => "exclusive",
            RouteMode::First | RouteMode::All => "inclusive",
            RouteMode::Chain => return None,
        };
        let is_map = next.is_none_or(|next| next.as_map().is_some());
        let written = if is_map { json!({ "spec": { "mode": mode }, "arcs": arcs }) } else { arcs };
        match step.as_map()?.iter().find(|entry| entry.key == "next") {
            Some(entry) => self.replace_value(step, entry, &spaced(&written)),
            None => self.insert(step, "next", &spaced(&written)),
        }
    }

    fn guard(&self, when: &Value) -> Option<String> {
        let task = self.step.body.len().checked_sub(1)?;
        let mut node = self.at(&format!("body/{task}"))?;
        let rule = json!({ "when": when, "then": { "do": "fail" } });
        let mut missing = vec!["spec", "policy", "rules"];
        while let Some(inner) = missing.first().and_then(|key| node.get(key)) {
            missing.remove(0);
            node = inner;
        }
        if missing.is_empty() {
            return self.prepend(node, &spaced(&rule));
        }
        let key = missing.remove(0);
        let last = missing.iter().rev().fold(json!([rule]), |value, key| json!({ *key: value }));
        self.insert(node, key, &spaced(&last))
    }

    /// Adds an item at the head of a list.
    fn prepend(&self, list: &Node, item: &str) -> Option<String> {
        let first = list.as_list()?.first()?;
        if self.is_flow(list) {
            return self.splice(first.span.start, first.span.start, &format!("{item}, "));
        }
        let line = self.line_start(first.span.start);
        let dash = self.text[line..].find('-')? + line;
        let indent = &self.text[line..dash];
        if !indent.trim().is_empty() {
            return None;
        }
        self.splice(line, line, &format!("{indent}- {item}{}", self.newline()))
    }

    fn new_step(&self, playbook: &Playbook, step: &Value) -> Option<String> {
        let name = step.get("step")?.as_str()?;
        let node = self.at("")?;
        // The next step's item begins where the new one goes; the last step ends with the list.
        let list = self.root.get("workflow")?.as_list()?;
        let at = list.iter().position(|item| item.span == node.span)?;
        if self.is_flow(node) && self.text[node.span.start..node.span.end].contains('\n') {
            return None;
        }
        let dash_line = self.line_start(node.span.start);
        let indent = self.text[dash_line..].find('-')?;
        let pad = " ".repeat(indent);
        let mut value = step.clone();
        let onward: Vec<&str> = self.step.routes.arcs.iter().map(|arc| arc.to.as_str()).collect();
        if !onward.is_empty() {
            let mode = if self.step.routes.mode == RouteMode::First { "exclusive" } else { "inclusive" };
            let arcs: Value = onward.iter().map(|to| json!({ "step": to })).collect();
            let next = json!({ "spec": { "mode": mode }, "arcs": arcs });
            value.as_object_mut()?.insert("next".to_owned(), next);
        }
        let _ = playbook;
        let printed = yaml::print(&json!([value]));
        let block: String =
            printed.lines().map(|line| format!("{pad}{line}{}", self.newline())).collect::<Vec<_>>().concat();
        let place = match list.get(at + 1) {
            // Comments above the next step are the next step's.
            Some(next) => self.before_comments(self.line_start(next.span.start)),
            None => self.line_end(node.span.end.min(self.text.len())),
        };
        let separator = if self.text[..place].ends_with('\n') { "" } else { self.newline() };
        let with_step = self.splice(place, place, &format!("{separator}{block}"))?;
        // The way onward of the step before stands in front of the new text, so its place has not moved.
        let edited = Editor { text: &with_step, ..*self };
        edited.arcs(node, &[name])
    }

    fn before_comments(&self, mut line: usize) -> usize {
        while line > 0 {
            let above = self.line_start(line - 1);
            let text = self.text[above..line].trim();
            if !text.starts_with('#') && !text.is_empty() {
                break;
            }
            line = above;
        }
        line
    }

    /// Sets a key of a map under the first spelling that is there.
    fn put(&self, map: &Node, names: &[&str], value: &str) -> Option<String> {
        let entries = map.as_map()?;
        let found = names.iter().find_map(|name| entries.iter().find(|entry| entry.key == *name));
        match found {
            Some(entry) if matches!(entry.value.data, Data::Map(_) | Data::List(_)) => None,
            Some(entry) => self.replace_value(map, entry, value),
            None => self.insert(map, names[0], value),
        }
    }

    fn replace_value(&self, map: &Node, entry: &Entry, value: &str) -> Option<String> {
        let span = entry.value.span;
        if entry.value.is_null() && span.start == span.end {
            return self.splice(entry.key_span.end + 1, entry.key_span.end + 1, &format!(" {value}"));
        }
        let is_block =
            matches!(entry.value.data, Data::Map(_) | Data::List(_)) && !self.is_flow(&entry.value);
        if is_block {
            // From behind the colon to the end of the last line of the block.
            if self.is_flow(map) {
                return None;
            }
            let colon = self.text[entry.key_span.end..].find(':')? + entry.key_span.end + 1;
            let end = self.text[..span.end].trim_end().len();
            return self.splice(colon, end, &format!(" {value}"));
        }
        self.replace(span, value)
    }

    /// Adds a key to a map, behind a sibling that fills one line.
    fn insert(&self, map: &Node, key: &str, value: &str) -> Option<String> {
        let entries = map.as_map()?;
        let Some(first) = entries.first() else {
            return self.replace(map.span, &format!("{{ {key}: {value} }}"));
        };
        if self.is_flow(map) {
            let end = first.value.span.end;
            return if first.value.scalar_text().is_some() {
                self.splice(end, end, &format!(", {key}: {value}"))
            } else {
                let start = first.key_span.start;
                self.splice(start, start, &format!("{key}: {value}, "))
            };
        }
        let indent = " ".repeat(first.key_span.column.checked_sub(1)? as usize);
        // What comes next reads best last.
        let ways = entries.iter().position(|entry| matches!(entry.key.as_str(), "next" | "case"));
        let before = &entries[..ways.unwrap_or(entries.len())];
        if let Some(line) = before.iter().rev().find(|entry| self.fills_one_line(entry)) {
            let end = self.line_end(line.value.span.end);
            return self.splice(end, end, &format!("{}{indent}{key}: {value}", self.newline()));
        }
        let place = entries.get(1).unwrap_or(first).key_span.start;
        self.splice(place, place, &format!("{key}: {value}{}{indent}", self.newline()))
    }

    fn fills_one_line(&self, entry: &Entry) -> bool {
        let (start, end) = (entry.key_span.start, entry.value.span.end);
        let Some(text) = self.text.get(start..end) else { return false };
        let value = self.text.get(entry.value.span.start..end).unwrap_or_default();
        !entry.value.is_null() && !text.contains('\n') && !value.starts_with(['|', '>', '&', '*'])
    }

    fn is_flow(&self, node: &Node) -> bool {
        self.text.get(node.span.start..).is_some_and(|rest| rest.starts_with(['{', '[']))
    }

    fn replace(&self, span: Span, value: &str) -> Option<String> {
        if self.text.get(span.start..span.end)?.contains('\n') {
            return None;
        }
        self.splice(span.start, span.end, value)
    }

    fn splice(&self, start: usize, end: usize, value: &str) -> Option<String> {
        Some(format!("{}{value}{}", self.text.get(..start)?, self.text.get(end..)?))
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        if self.text[..end].ends_with('\r') { end - 1 } else { end }
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }
}

/// The map with the numbers: the only one of a list, or what stands below `on_error` or `then`.
fn innermost(node: &Node) -> &Node {
    let node = match &node.data {
        Data::List(items) if items.len() == 1 => &items[0],
        _ => node,
    };
    let node = node.get("on_error").unwrap_or(node);
    node.get("then").unwrap_or(node)
}

fn find(node: &Node, span: Span) -> Option<&Node> {
    if node.span == span {
        return Some(node);
    }
    match &node.data {
        Data::List(items) => items.iter().find_map(|item| find(item, span)),
        Data::Map(entries) => entries.iter().find_map(|entry| find(&entry.value, span)),
        _ => None,
    }
}

/// As authors write flow maps, with room inside the braces.
fn spaced(value: &Value) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}: {}", spaced(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) if !items.is_empty() => {
            let items: Vec<String> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        other => yaml::flow(other),
    }
}
