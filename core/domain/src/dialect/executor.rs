//! `executor`: where to start, what to run last, how arcs are chosen.

use super::keys;
use super::reader::Reader;
use super::routes;
use crate::Map;
use crate::playbook::{Playbook, RouteMode, Start};
use crate::yaml::{Data, Node};

const SPEC: &[&str] =
    &["entry_step", "final_step", "no_next_is_error", "next_mode", "timeout", "entry", "transitions"];

#[derive(Default)]
pub(super) struct Executor {
    pub(super) entry_step: Option<String>,
    pub(super) next_mode: Option<RouteMode>,
}

pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node, playbook: &mut Playbook) -> Executor {
    let mut executor = Executor::default();
    reader.source.mark("executor", node.span);
    let Some(mut fields) = reader.fields(node, "`executor`") else { return executor };
    let spec = fields.take("spec").and_then(|node| reader.fields(node, "`executor.spec`"));
    for place in [Some(&mut fields), spec.map(Box::new).as_deref_mut()].into_iter().flatten() {
        if let Some(node) = place.take("entry_step") {
            reader.source.mark("executor/entry_step", node.span);
            executor.entry_step = reader.text(node, "`entry_step`");
        }
        if let Some(node) = place.take("final_step") {
            reader.source.mark("executor/final_step", node.span);
            playbook.final_step = reader.text(node, "`final_step`");
        }
        if let Some(node) = place.take("no_next_is_error") {
            playbook.no_next_is_error = reader.boolean(node, "`no_next_is_error`").unwrap_or_default();
        }
        if let Some(node) = place.take("next_mode") {
            executor.next_mode = routes::mode(reader, node);
        }
        if let Some(node) = place.take_any(&["timeout", "timeout_s", "timeout_seconds"]) {
            playbook.timeout_seconds = reader.fixed_seconds(node, "`timeout`");
        }
        if let Some(node) = place.take("entry") {
            reader.source.mark("executor/entry_step", node.span);
            playbook.entry = starts(reader, node);
        }
        if let Some(node) = place.take("transitions") {
            playbook.transitions = transitions(reader, node);
        }
        place.ignore(&["profile", "version", "requires", "desc", "policy", "runtime", "pool"]);
        for entry in place.rest() {
            keys::unknown(reader, entry, "`executor`", SPEC);
        }
    }
    executor
}

/// `initialSettings.start` and `entry`: a name, a list of names, `{step, input}` or `{name: {input: …}}`.
pub(super) fn starts<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<Start> {
    match &node.data {
        Data::List(items) => items.iter().flat_map(|item| starts(reader, item)).collect(),
        Data::Null => Vec::new(),
        Data::Map(entries) => {
            if let Some(step) = node.get("step").or(node.get("taskName")).and_then(Node::scalar_text) {
                let input = ["input", "inputs", "params", "args"].iter().find_map(|key| node.get(key));
                let inputs =
                    input.map(|node| reader.map(node, "executor/entry", "`input`")).unwrap_or_default();
                return vec![Start { step, inputs }];
            }
            let mut starts = Vec::new();
            for entry in entries {
                let value = &entry.value;
                // `fetch: {input: {ZONE: 1}}`, `fetch: {input: 1}` and `fetch: {ZONE: 1}`.
                let inputs = match value.get("input").or(value.get("params")) {
                    Some(inner) if inner.as_map().is_some() => reader.map(inner, "executor/entry", "`input`"),
                    _ if value.as_map().is_some() => reader.map(value, "executor/entry", "`input`"),
                    _ if value.is_null() => Map::new(),
                    _ => Map::from_iter([("input".to_owned(), value.to_value())]),
                };
                starts.push(Start { step: entry.key.clone(), inputs });
            }
            starts
        }
        Data::String(_) | Data::Bool(_) | Data::Number(_) => {
            node.scalar_text().map(|step| vec![Start { step, inputs: Map::new() }]).unwrap_or_default()
        }
    }
}

/// States an execution may pass into from each state, in upper case.
pub(super) fn transitions(reader: &mut Reader<'_>, node: &Node) -> indexmap::IndexMap<String, Vec<String>> {
    let Some(entries) = node.as_map() else {
        reader.wrong_type(node, "`transitions`", "a map from a state to the states that may follow");
        return indexmap::IndexMap::new();
    };
    let mut transitions = indexmap::IndexMap::new();
    for entry in entries {
        let targets = super::task::words(reader, &entry.value);
        let targets = targets.into_iter().map(|state| state.to_uppercase()).collect();
        transitions.insert(entry.key.to_uppercase(), targets);
    }
    transitions
}
