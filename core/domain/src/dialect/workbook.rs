//! The workbook: named tasks, put in the place of every reference to them.

use super::body::{self, Made};
use super::fields::Fields;
use super::reader::{Reader, shortened};
use super::task::{self, Place};
use crate::code::Code;
use crate::finding::Span;
use crate::yaml::{Data, Node};

/// Workbook tasks that name each other.
const MAX_EXPANSION: usize = 16;

/// Remembers the entries by name: a list of `{name|task, …}`, or a map of them.
pub(super) fn collect<'a>(reader: &mut Reader<'a>, node: &'a Node) {
    reader.source.mark("workbook", node.span);
    match &node.data {
        Data::List(items) => {
            for item in items {
                let name =
                    ["name", "task", "step"].iter().find_map(|key| item.get(key)).and_then(Node::scalar_text);
                match name {
                    Some(name) => add(reader, name, item),
                    None if item.is_null() => {}
                    None => reader.error_hint(
                        Code::MissingKey,
                        item.span,
                        "a workbook task has no name",
                        "add `name: …`",
                    ),
                }
            }
        }
        Data::Map(entries) => {
            for entry in entries {
                add(reader, entry.key.clone(), &entry.value);
            }
        }
        Data::Null => {}
        Data::Bool(_) | Data::Number(_) | Data::String(_) => {
            reader.wrong_type(node, "`workbook`", "a list of tasks");
        }
    }
}

fn add<'a>(reader: &mut Reader<'a>, name: String, node: &'a Node) {
    reader.source.mark(format!("workbook/{name}"), node.span);
    if reader.workbook.contains_key(&name) {
        reader.error(Code::DuplicateKey, node.span, format!("two workbook tasks are called `{name}`"));
    }
    reader.workbook.insert(name, node);
}

/// A reference: `name` or `task` says which task; the inputs beside it win over the task's own.
pub(super) fn read<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, place: Place<'_>) -> Made {
    let span = fields.span();
    let name = fields.take("task").or_else(|| fields.take("workbook")).or_else(|| fields.take("name"));
    fields.ignore(&["name", "task"]);
    let Some(name) = name.and_then(|node| reader.text(node, "`name`").map(|name| (name, node.span))) else {
        reader.error_hint(
            Code::MissingKey,
            span,
            format!("`{}` does not say which workbook task it means", place.step),
            "add `name: …`",
        );
        return Made::default();
    };
    let mut made = expand(reader, &name.0, name.1, Place { flat: false, ..place });
    let path = place.path();
    let mut values = crate::Map::new();
    for key in task::INPUTS {
        if let Some(node) = fields.take(key) {
            values.extend(reader.map(node, &format!("{path}/inputs"), &format!("`{key}`")));
        }
    }
    if let Some(first) = made.tasks.first_mut() {
        let lower = std::mem::take(&mut first.inputs);
        task::merge_missing(&mut values, lower);
        first.inputs = values;
    }
    if let Some(last) = made.tasks.last_mut() {
        if fields.peek("retry").is_some() {
            last.retry.clear();
        }
        task::lift(reader, fields, last, &path);
        if fields.has_any(&["auth", "credential", "credentials"]) {
            last.auth = None;
            task::auth(reader, fields, last, &path);
        }
        if let Some(node) = fields.take("spec").and_then(|spec| spec.get("policy")) {
            task::rules(reader, node, last, &path);
        }
        fields.ignore(&["assert", "desc", "description", "timeout"]);
        // Any other field replaces the task's own.
        task::config(reader, fields, last, place);
    }
    made
}

/// The named task, as if it stood at `place`.
pub(super) fn expand(reader: &mut Reader<'_>, name: &str, span: Span, place: Place<'_>) -> Made {
    let Some(&node) = reader.workbook.get(name) else {
        let names: Vec<&str> = reader.workbook.keys().map(String::as_str).collect();
        let known = match names.as_slice() {
            [] => "the playbook has no workbook".to_owned(),
            names => format!("the workbook has: {}", shortened(names)),
        };
        let hint = reader.did_you_mean(name, &names).unwrap_or(known);
        let message = format!("the workbook has no task `{name}`");
        reader.error_hint(Code::UnknownWorkbookTask, span, message, hint);
        return Made::default();
    };
    if reader.expanding >= MAX_EXPANSION {
        reader.error(
            Code::Conflict,
            span,
            format!("workbook tasks refer to each other in a circle at `{name}`"),
        );
        return Made::default();
    }
    reader.expanding += 1;
    let made = entry(reader, node, name, place);
    reader.expanding -= 1;
    made
}

fn entry<'a>(reader: &mut Reader<'a>, node: &'a Node, name: &str, place: Place<'_>) -> Made {
    let Some(mut fields) = reader.fields(node, "a workbook task") else { return Made::default() };
    // How the workbook is written says nothing about the step that refers to it.
    let before = reader.met;
    // L0 calls the task by `task`, others by `name`; a reference inside needs the other one.
    if fields.has("task") && !fields.has("name") {
        fields.ignore(&["task"]);
    } else {
        fields.ignore(&["name"]);
    }
    let made = body::holder(reader, &mut fields, Place { flat: true, ..place });
    reader.met = before;
    made.unwrap_or_else(|| {
        let message = format!("the workbook task `{name}` has no tool");
        reader.error_hint(Code::MissingTool, node.span, message, "add for example `tool: { kind: python }`");
        Made::default()
    })
}
