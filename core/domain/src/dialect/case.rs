//! `case:` (C): entries tried for every event of a step; the first true one acts.

use super::fields::Fields;
use super::reader::Reader;
use super::{keys, pagination, retry, routes, save, sets};
use crate::Value;
use crate::code::Code;
use crate::playbook::{Action, Case, Dialect, Merge, SetScope};
use crate::yaml::{Data, Node};

const ACTIONS: &[&str] = &[
    "next", "set", "set_ctx", "set_iter", "vars", "result", "collect", "retry", "call", "sink", "save",
    "fail", "skip",
];

pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Vec<Case> {
    reader.met(Dialect::C, Dialect::C);
    reader.source.mark(path, node.span);
    let items = match &node.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut cases = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}/{index}");
        reader.source.mark(path.clone(), item.span);
        let Some(mut fields) = reader.fields(item, "an entry of `case`") else { continue };
        let when = fields.take("when").and_then(|node| reader.expr(node, &format!("{path}/when"), "`when`"));
        let otherwise = fields.take("else");
        let then = fields.take("then");
        fields.ignore(&["desc", "description", "name"]);
        for entry in fields.rest() {
            keys::unknown(reader, entry, "an entry of `case`", &["when", "then", "else"]);
        }
        if let Some(node) = then {
            let then = actions(reader, node, &format!("{path}/then"));
            cases.push(Case { when: when.clone(), then });
        }
        if let Some(node) = otherwise {
            let then = actions(reader, node.get("then").unwrap_or(node), &format!("{path}/then"));
            cases.push(Case { when: None, then });
        } else if then.is_none() {
            let hint = "add for example `then: { next: [ { step: name } ] }`";
            reader.error_hint(Code::MissingKey, item.span, "an entry of `case` needs `then`", hint);
        }
    }
    cases
}

fn actions<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Vec<Action> {
    reader.source.mark(path, node.span);
    let mut actions = Vec::new();
    match &node.data {
        Data::Null => {}
        Data::String(text) if text == "skip" => actions.push(Action::Skip),
        Data::String(_) => actions.push(next(reader, node)),
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                actions.extend(self::actions(reader, item, &format!("{path}/{index}")));
            }
        }
        Data::Map(_) => {
            let Some(fields) = reader.fields(node, "`then`") else { return actions };
            if fields.has("step") {
                actions.push(next(reader, node));
                return actions;
            }
            actions.extend(map(reader, fields, path));
        }
        Data::Bool(_) | Data::Number(_) => reader.wrong_type(node, "`then`", "a map or a list of actions"),
    }
    actions
}

/// One map may hold several actions; they run as written, and routing comes last.
fn map<'a>(reader: &mut Reader<'a>, mut fields: Fields<'a>, path: &str) -> Vec<Action> {
    let (mut actions, mut last) = (Vec::new(), Vec::new());
    for entry in fields.rest() {
        let node = &entry.value;
        let path = format!("{path}/{}", entry.key);
        match entry.key.as_str() {
            "next" => last.push(next(reader, node)),
            "set" | "set_ctx" | "vars" => {
                actions.push(Action::Set(sets::read(reader, node, SetScope::Ctx, &path)));
            }
            "set_iter" => actions.push(Action::Set(sets::read(reader, node, SetScope::Iter, &path))),
            "result" => actions.push(Action::Result(result(reader, node, &path))),
            "collect" => actions.extend(collect(reader, node)),
            "retry" => actions.extend(again(reader, node, &path)),
            "call" => actions.extend(call(reader, node, &path)),
            "sink" | "save" => {
                actions.extend(save::read_all(reader, node, &path).into_iter().map(Action::Save));
            }
            "fail" => match &node.data {
                Data::Bool(false) => {}
                Data::Bool(true) | Data::Null => actions.push(Action::Fail(None)),
                _ => actions.push(Action::Fail(Some(reader.value(node, &path)))),
            },
            "skip" => {
                if node.as_bool() != Some(false) {
                    actions.push(Action::Skip);
                }
            }
            "desc" | "description" | "name" => {}
            _ => keys::unknown(reader, entry, "`then`", ACTIONS),
        }
    }
    actions.extend(last);
    actions
}

fn next<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Action {
    let found = routes::targets(reader, node);
    for found in &found {
        reader.source.mark(format!("arcs/{}@{}", found.arc.to, found.span.start), found.span);
    }
    Action::Next(found.into_iter().map(|found| found.arc).collect())
}

/// `{from: name}` reads a variable; anything else is the value itself.
fn result(reader: &mut Reader<'_>, node: &Node, path: &str) -> Value {
    match (node.as_map(), node.get("from").and_then(Node::as_str)) {
        (Some([_]), Some(from)) => Value::String(format!("{{{{ {from} }}}}")),
        _ => reader.value(node, path),
    }
}

fn collect<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Option<Action> {
    let mut fields = reader.fields(node, "`collect`")?;
    let merge = fields.take_any(&["strategy", "merge_strategy", "mode"]);
    let merge =
        merge.and_then(|node| reader.word(node, "`strategy`", pagination::MERGES)).unwrap_or(Merge::Append);
    let path = fields.take_any(&["path", "merge_path", "from"]).and_then(|node| reader.text(node, "`path`"));
    let into = fields.take_any(&["into", "as", "name"]).and_then(|node| reader.text(node, "`into`"));
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`collect`", &["strategy", "path", "into"]);
    }
    Some(Action::Collect { merge, path, into })
}

/// With changes to the request it is the next call; without, a plain retry.
fn again<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Option<Action> {
    if node.as_map().is_none() {
        return retry::read(reader, node, path).retry.into_iter().next().map(Action::Retry);
    }
    let mut fields = reader.fields(node, "`retry`")?;
    if !pagination::is_repeat(&fields) {
        return Some(Action::Retry(retry::block(reader, fields, None, path)));
    }
    let mut next = crate::Map::new();
    if let Some(node) = fields.take_any(&["next_call", "next_page"]) {
        next = reader.map(node, path, "`next_call`");
    }
    let mut max_pages = Value::from(100);
    if let Some(node) = fields.take_any(&["max_attempts", "max_iterations"]) {
        max_pages = reader.number(node, "`max_attempts`").unwrap_or(max_pages);
    }
    fields.ignore(&["delay", "initial_delay", "backoff", "backoff_multiplier", "jitter"]);
    for entry in fields.rest() {
        let value = reader.entry_value(entry, path);
        next.insert(entry.key.clone(), value);
    }
    Some(Action::Again { next, max_pages })
}

fn call<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Option<Action> {
    if let Data::String(step) = &node.data {
        return Some(Action::Call { step: step.clone(), inputs: crate::Map::new() });
    }
    let mut fields = reader.fields(node, "`call`")?;
    let Some(step) = fields.take_any(&["step", "name"]).and_then(|node| reader.text(node, "`step`")) else {
        reader.error(Code::MissingKey, node.span, "`call` needs `step`");
        return None;
    };
    reader.source.mark(format!("{path}/step"), node.span);
    let inputs = fields.take_any(&["args", "data", "with", "input"]);
    let inputs = inputs.map(|node| reader.map(node, path, "`args`")).unwrap_or_default();
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`call`", &["step", "args", "input"]);
    }
    Some(Action::Call { step, inputs })
}
