//! Loops: step-level `loop` of every generation, and the iterator tool of A and B.

use super::fields::Fields;
use super::reader::Reader;
use super::{cursor, keys};
use crate::code::Code;
use crate::playbook::{Dialect, ItemFailure, Loop, LoopMode, LoopSource};
use crate::yaml::{Data, Node};
use crate::{Map, Value};

pub(super) const MODES: &[(&str, LoopMode)] = &[
    ("sequential", LoopMode::Sequential),
    ("serial", LoopMode::Sequential),
    ("async", LoopMode::Parallel),
    ("parallel", LoopMode::Parallel),
    ("cursor", LoopMode::Cursor),
];

const FAILURES: &[(&str, ItemFailure)] = &[
    ("fail_fast", ItemFailure::FailFast),
    ("best_effort", ItemFailure::BestEffort),
    ("continue", ItemFailure::BestEffort),
];

/// Step-level `loop`; None for one that only paginates. `pagination` is what it says about pages.
pub(super) struct StepLoop<'a> {
    pub(super) looped: Option<Loop>,
    pub(super) pagination: Option<&'a Node>,
}

pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node, step: &str) -> StepLoop<'a> {
    let path = format!("steps/{step}/loop");
    reader.source.mark(path.clone(), node.span);
    let none = StepLoop { looped: None, pagination: None };
    let Some(mut fields) = reader.fields(node, "`loop`") else { return none };
    let pagination = fields.take("pagination");
    if pagination.is_some() {
        reader.met(Dialect::C, Dialect::C);
        if !fields.has_any(&["in", "collection", "items", "cursor"]) {
            fields.ignore(&["iterator", "element", "mode", "spec"]);
            for entry in fields.rest() {
                keys::unknown(reader, entry, "`loop`", keys::LOOP);
            }
            return StepLoop { looped: None, pagination };
        }
    }
    if fields.has_any(&["collection", "element"]) {
        reader.met(Dialect::B, Dialect::B);
    }
    if fields.has_any(&["spec", "cursor"]) {
        reader.met(if fields.has("cursor") { Dialect::E } else { Dialect::D }, Dialect::E);
    }
    let looped = common(reader, &mut fields, &path, None);
    if looped.iterator.is_empty() && matches!(looped.source, LoopSource::In(_)) {
        let message = format!("the loop of step `{step}` does not name its element");
        reader.error_hint(Code::InvalidLoop, node.span, message, "add `iterator: item`");
    }
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`loop`", keys::LOOP);
    }
    StepLoop { looped: Some(looped), pagination }
}

/// The loop keys of an iterator tool; its body and other keys stay in `fields`.
pub(super) fn iterator<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    base: &str,
    inputs: &Map,
) -> Loop {
    let path = format!("{base}/loop");
    reader.source.mark(path.clone(), fields.span());
    let mut looped = common(reader, fields, &path, Some(inputs));
    if looped.iterator.is_empty() {
        "item".clone_into(&mut looped.iterator);
    }
    looped
}

fn common<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, path: &str, inputs: Option<&Map>) -> Loop {
    let mut looped = Loop {
        source: LoopSource::In(Value::Null),
        iterator: String::new(),
        mode: LoopMode::Sequential,
        max_in_flight: None,
        filter: None,
        order_by: None,
        limit: None,
        chunk: None,
        enumerate: false,
        until: None,
        on_item_failure: ItemFailure::FailFast,
    };
    if let Some(node) = fields.take_any(&["iterator", "element", "item", "as"]) {
        looped.iterator = reader.text(node, "`iterator`").unwrap_or_default();
    }
    if let Some(node) = fields.take("mode") {
        looped.mode = reader.word(node, "`mode`", MODES).unwrap_or_default();
    }
    if let Some(node) = fields.take_any(&["concurrency", "max_in_flight", "max_concurrency"]) {
        looped.max_in_flight = reader.number(node, "`concurrency`");
    }
    if let Some(node) = fields.take_any(&["where", "filter"]) {
        looped.filter = reader.expr(node, &format!("{path}/filter"), "`where`");
    }
    if let Some(node) = fields.take("order_by") {
        reader.source.mark(format!("{path}/order_by"), node.span);
        looped.order_by = reader.text(node, "`order_by`");
    }
    if let Some(node) = fields.take("limit") {
        looped.limit = reader.number(node, "`limit`");
    }
    if let Some(node) = fields.take_any(&["chunk", "batch_size"]) {
        looped.chunk = reader.number(node, "`chunk`");
    }
    if let Some(node) = fields.take("enumerate") {
        looped.enumerate = reader.boolean(node, "`enumerate`").unwrap_or_default();
    }
    if let Some(node) = fields.take("until") {
        looped.until = reader.expr(node, &format!("{path}/until"), "`until`");
    }
    for key in ["policy", "failure", "on_item_failure"] {
        if let Some(node) = fields.take(key) {
            failure(reader, node, &mut looped);
        }
    }
    let mut frame = None;
    if let Some(mut spec) = fields.take("spec").and_then(|node| reader.fields(node, "`loop.spec`")) {
        if let Some(node) = spec.take("mode") {
            looped.mode = reader.word(node, "`mode`", MODES).unwrap_or_default();
        }
        if let Some(node) = spec.take_any(&["max_in_flight", "concurrency"]) {
            looped.max_in_flight = reader.number(node, "`max_in_flight`");
        }
        if let Some(node) = spec.take("policy") {
            failure(reader, node, &mut looped);
        }
        frame = spec.take("frame");
        // A hint on placement, and names that only label.
        spec.ignore(&["exec", "desc", "batch", "chunk_size"]);
        for entry in spec.rest() {
            keys::unknown(reader, entry, "`loop.spec`", &["mode", "max_in_flight", "policy", "frame"]);
        }
    }
    source(reader, fields, path, inputs, frame, &mut looped);
    looped
}

fn source<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    path: &str,
    inputs: Option<&Map>,
    frame: Option<&'a Node>,
    looped: &mut Loop,
) {
    let collection = fields.take_any(&["in", "collection", "items", "over"]);
    let cursor = fields.take("cursor");
    if collection.is_some() && cursor.is_some() {
        reader.error(Code::InvalidLoop, fields.span(), "a loop has `in` or `cursor`, not both");
    }
    if let Some(node) = cursor {
        looped.mode = LoopMode::Cursor;
        looped.source = LoopSource::Cursor(cursor::read(reader, node, frame, &format!("{path}/cursor")));
        if looped.iterator.is_empty() {
            "row".clone_into(&mut looped.iterator);
        }
        return;
    }
    if let Some(node) = collection {
        if matches!(node.data, Data::Bool(_)) {
            reader.wrong_type(node, "a loop's collection", "a list, or a template that gives one");
        }
        looped.source = LoopSource::In(reader.value(node, &format!("{path}/in")));
        return;
    }
    // The iterator of B also looked among its inputs.
    let found = inputs.and_then(|inputs| {
        let plural = format!("{}s", looped.iterator);
        let irregular = plural.strip_suffix("ys").map(|stem| format!("{stem}ies")).unwrap_or_default();
        [plural.as_str(), irregular.as_str(), "items", "values", "collection"]
            .iter()
            .find_map(|key| inputs.get(*key))
    });
    match found {
        Some(value) => looped.source = LoopSource::In(value.clone()),
        None if looped.mode == LoopMode::Cursor => {
            reader.error_hint(
                Code::InvalidLoop,
                fields.span(),
                "a cursor loop needs `cursor`",
                "add `cursor: { kind, auth, claim }`",
            );
        }
        None => {
            let hint = "add for example `in: \"{{ workload.items }}\"`";
            reader.error_hint(Code::InvalidLoop, fields.span(), "the loop has nothing to loop over", hint);
        }
    }
}

/// `policy: {failure: {mode}}`, `{failure: best_effort}` or the word itself.
pub(super) fn failure(reader: &mut Reader<'_>, node: &Node, looped: &mut Loop) {
    let node = node.get("failure").unwrap_or(node);
    let node = node.get("mode").unwrap_or(node);
    if node.as_str().is_some() {
        looped.on_item_failure = reader.word(node, "the failure mode", FAILURES).unwrap_or_default();
    }
}
