//! Writes to variables: `set`, `set_ctx`, `set_iter`, `set_vars`, and the lists of C.

use super::fields::Fields;
use super::reader::Reader;
use crate::playbook::{Assignment, Dialect, SetScope};
use crate::yaml::{Data, Node};

/// Takes every key of a map that writes variables.
pub(super) fn take<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, path: &str) -> Vec<Assignment> {
    let mut sets = Vec::new();
    if let Some(node) = fields.take("set") {
        sets.extend(read(reader, node, SetScope::Ctx, &format!("{path}/set")));
    }
    for (key, scope) in
        [("set_ctx", SetScope::Ctx), ("set_vars", SetScope::Ctx), ("set_iter", SetScope::Iter)]
    {
        if let Some(node) = fields.take(key) {
            reader.met(Dialect::D, Dialect::D);
            sets.extend(read(reader, node, scope, &format!("{path}/set")));
        }
    }
    sets
}

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, scope: SetScope, path: &str) -> Vec<Assignment> {
    reader.source.mark(path, node.span);
    let mut sets = Vec::new();
    match &node.data {
        Data::Map(entries) => {
            // C: a single `{name, value}`.
            if let (Some(name), Some(value)) = (node.get("name").and_then(Node::as_str), node.get("value"))
                && entries.len() == 2
            {
                let value = reader.value(value, &format!("{path}/{name}"));
                return vec![assignment(name, value, scope)];
            }
            for entry in entries {
                let named = named_scope(&entry.key);
                // `set: {ctx: {a: 1}}`
                if let (Data::Map(inner), Some(scope)) = (&entry.value.data, named) {
                    for inner in inner {
                        let value = reader.entry_value(inner, path);
                        sets.push(Assignment { scope, key: inner.key.clone(), value });
                    }
                } else {
                    let value = reader.entry_value(entry, path);
                    sets.push(assignment(&entry.key, value, scope));
                }
            }
        }
        Data::List(items) => {
            for item in items {
                let name =
                    ["name", "key", "var"].iter().find_map(|key| item.get(key)).and_then(Node::scalar_text);
                match (name, item.get("value"), item.as_map()) {
                    (Some(name), Some(value), _) => {
                        let value = reader.value(value, &format!("{path}/{name}"));
                        sets.push(assignment(&name, value, scope));
                    }
                    (_, _, Some(_)) => sets.extend(read(reader, item, scope, path)),
                    _ => reader.wrong_type(item, "an entry of `set`", "a map `{name, value}`"),
                }
            }
        }
        Data::Null => {}
        Data::Bool(_) | Data::Number(_) | Data::String(_) => reader.wrong_type(node, "`set`", "a map"),
    }
    sets
}

fn named_scope(word: &str) -> Option<SetScope> {
    match word {
        "ctx" | "vars" => Some(SetScope::Ctx),
        "iter" => Some(SetScope::Iter),
        "step" => Some(SetScope::Step),
        _ => None,
    }
}

fn assignment(key: &str, value: crate::Value, default: SetScope) -> Assignment {
    if let Some((prefix, rest)) = key.split_once('.')
        && let Some(scope) = named_scope(prefix)
        && !rest.is_empty()
    {
        return Assignment { scope, key: rest.to_owned(), value };
    }
    Assignment { scope: default, key: key.to_owned(), value }
}
