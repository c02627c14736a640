//! Pagination: `loop.pagination` (C), success policies of `retry` (C), and our own `pagination` on a tool.

use super::fields::Fields;
use super::reader::Reader;
use super::{keys, retry, save};
use crate::code::Code;
use crate::playbook::{Dialect, Expr, Merge, Repeat};
use crate::yaml::Node;
use crate::{Map, Value};

const KEYS: &[&str] = &[
    "type",
    "continue_while",
    "while",
    "next_page",
    "next_call",
    "next",
    "merge_strategy",
    "strategy",
    "merge_path",
    "path",
    "into",
    "max_iterations",
    "max_pages",
    "max_attempts",
    "retry",
    "save",
    "sink",
    "per_iteration",
    "collect",
    "initial_delay",
    "delay",
    "backoff_multiplier",
    "backoff",
    "params",
    "body",
    "url",
    "headers",
    "json",
    "data",
    "payload",
    "method",
    "args",
];

pub(super) const MERGES: &[(&str, Merge)] = &[
    ("append", Merge::Append),
    ("extend", Merge::Extend),
    ("replace", Merge::Replace),
    ("collect", Merge::Collect),
];

/// Pages at most when nothing says otherwise.
const MAX_PAGES: i64 = 100;

pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Option<Repeat> {
    reader.source.mark(path, node.span);
    let mut fields = reader.fields(node, "`pagination`")?;
    let Some(condition) = fields.take_any(&["continue_while", "while"]) else {
        let hint = "add for example `continue_while: \"{{ response.data.paging.hasMore }}\"`";
        reader.error_hint(Code::MissingKey, node.span, "`pagination` needs `continue_while`", hint);
        return None;
    };
    let while_true = reader.expr(condition, &format!("{path}/while"), "`continue_while`")?;
    Some(repeat(reader, fields, while_true, path))
}

/// A `then` that calls again, rather than one that tries again.
pub(super) fn is_repeat(fields: &Fields<'_>) -> bool {
    fields.has_any(&["next_call", "next_page", "collect"]) || changes(fields)
}

pub(super) const CHANGES: &[&str] =
    &["params", "body", "url", "headers", "json", "data", "payload", "method", "args"];

pub(super) fn changes(fields: &Fields<'_>) -> bool {
    fields.has_any(CHANGES)
}

pub(super) fn repeat<'a>(
    reader: &mut Reader<'a>,
    mut fields: Fields<'a>,
    while_true: Expr,
    path: &str,
) -> Repeat {
    reader.met(Dialect::C, Dialect::E);
    fields.ignore(&["type"]);
    let mut repeat = Repeat {
        while_true,
        next: Map::new(),
        merge: Merge::Append,
        path: None,
        into: None,
        max_pages: Value::from(MAX_PAGES),
        retry: Vec::new(),
        saves: Vec::new(),
    };
    if let Some(node) = fields.take_any(&["next_page", "next_call", "next"]) {
        repeat.next = reader.map(node, &format!("{path}/next"), "`next_page`");
    }
    for entry in fields.rest_if(|key| CHANGES.contains(&key)) {
        let value = reader.entry_value(entry, &format!("{path}/next"));
        repeat.next.insert(entry.key.clone(), value);
    }
    let collect = fields.take("collect");
    if let Some(mut collect) = collect.and_then(|node| reader.fields(node, "`collect`")) {
        merging(reader, &mut collect, &mut repeat);
    }
    merging(reader, &mut fields, &mut repeat);
    if let Some(node) = fields.take_any(&["max_iterations", "max_pages", "max_attempts"]) {
        repeat.max_pages = reader.number(node, "`max_iterations`").unwrap_or(repeat.max_pages);
    }
    fields.ignore(&["initial_delay", "delay", "backoff_multiplier", "backoff"]);
    if let Some(node) = fields.take("retry") {
        repeat.retry = retry::read(reader, node, &format!("{path}/retry")).retry;
    }
    if let Some(mut each) =
        fields.take("per_iteration").and_then(|node| reader.fields(node, "`per_iteration`"))
    {
        repeat.saves.extend(save::take(reader, &mut each, &format!("{path}/saves")));
    }
    repeat.saves.extend(save::take(reader, &mut fields, &format!("{path}/saves")));
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`pagination`", KEYS);
    }
    repeat
}

fn merging<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, repeat: &mut Repeat) {
    if let Some(node) = fields.take_any(&["merge_strategy", "strategy"]) {
        repeat.merge = reader.word(node, "`merge_strategy`", MERGES).unwrap_or(repeat.merge);
    }
    if let Some(node) = fields.take_any(&["merge_path", "path"]) {
        repeat.path = reader.text(node, "`merge_path`");
    }
    if let Some(node) = fields.take("into") {
        repeat.into = reader.text(node, "`into`");
    }
}
