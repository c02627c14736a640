//! What a step does: every way to write its tool becomes a list of Tasks, perhaps with a Loop around them.

use super::fields::Fields;
use super::reader::Reader;
use super::task::{self, Place};
use super::{looped, nested, pipeline, save, workbook};
use crate::Map;
use crate::code::Code;
use crate::playbook::{Dialect, Loop, Save, Task};
use crate::yaml::{Data, Node};

/// What a holder of a tool (a step, a workbook entry, an iterator's task) makes of it.
#[derive(Default)]
pub(super) struct Made {
    pub(super) tasks: Vec<Task>,
    pub(super) pipeline: bool,
    pub(super) looped: Option<Loop>,
    pub(super) saves: Vec<Save>,
    /// `vars` beside the tool's own fields.
    pub(super) extracts: Map,
    /// The tool took every key of its holder.
    pub(super) flat: bool,
}

impl Made {
    pub(super) fn one(task: Task) -> Self {
        Self { tasks: vec![task], ..Self::default() }
    }
}

/// None: no tool is named at all.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    place: Place<'_>,
    inputs: &Map,
) -> Option<Made> {
    if let Some(node) = fields.take("tool") {
        return Some(match &node.data {
            Data::List(_) => {
                Made { tasks: pipeline::read(reader, node, place), pipeline: true, ..Made::default() }
            }
            Data::Map(_) => {
                reader.met(Dialect::C, Dialect::E);
                tool_map(reader, node, place)
            }
            _ => {
                reader.met(Dialect::B, Dialect::B);
                let kind = reader.text(node, "`tool`")?;
                flat(reader, fields, &kind, place, inputs)
            }
        });
    }
    if let Some(node) = fields.take_any(&["type", "kind"]) {
        let kind = reader.text(node, "`type`")?;
        // L0 wrote `type` only to mark a step, or to refer to the workbook.
        let shared = matches!(kind.trim(), "workbook" | "start" | "end" | "router");
        reader.met(if shared { Dialect::L0 } else { Dialect::A }, Dialect::A);
        return Some(flat(reader, fields, &kind, place, inputs));
    }
    if let Some(node) = fields.take("call") {
        reader.met(Dialect::L0, Dialect::L0);
        return Some(call(reader, node, place));
    }
    if let Some(node) = fields.take("run") {
        reader.met(Dialect::L0, Dialect::L0);
        return Some(run(reader, node, place));
    }
    None
}

/// `tool: {kind: …}`.
fn tool_map<'a>(reader: &mut Reader<'a>, node: &'a Node, place: Place<'_>) -> Made {
    let Some(mut fields) = reader.fields(node, "`tool`") else { return Made::default() };
    let kind = fields.take_any(&["kind", "type"]).and_then(|node| reader.text(node, "`kind`"));
    let Some(kind) = kind else {
        // D: a single `{label: {kind: …}}` without the list.
        if let Some([entry]) = node.as_map()
            && entry.value.get("kind").is_some()
        {
            let tasks = pipeline::read(reader, node, place);
            return Made { tasks, pipeline: true, ..Made::default() };
        }
        let hint = "add for example `kind: python`";
        reader.error_hint(
            Code::MissingTool,
            node.span,
            format!("the tool of `{}` has no kind", place.step),
            hint,
        );
        return Made::default();
    };
    let mut made = flat(reader, &mut fields, &kind, Place { flat: false, ..place }, &Map::new());
    made.flat = false;
    made
}

/// The kind is known; its fields stand in `fields`.
pub(super) fn flat<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    kind: &str,
    place: Place<'_>,
    inputs: &Map,
) -> Made {
    let mut made = match kind.trim().to_lowercase().as_str() {
        "start" | "end" | "router" | "route" | "" => Made::default(),
        "save" | "sink" => saving(reader, fields, place),
        "iterator" | "loop" => iterator(reader, fields, place, inputs),
        "workbook" => workbook::read(reader, fields, place),
        _ => {
            let vars = fields.take("vars");
            let path = place.path();
            let extracts =
                vars.map(|node| reader.map(node, &format!("{path}/vars"), "`vars`")).unwrap_or_default();
            Made { extracts, ..Made::one(task::read(reader, fields, kind, place)) }
        }
    };
    made.flat = true;
    made
}

/// A step that only saves: a no-op whose result is what is saved.
pub(super) fn saving<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, place: Place<'_>) -> Made {
    let path = place.path();
    let mut task = Task { name: place.label.to_owned(), kind: "noop".to_owned(), ..Task::default() };
    // The block stands beside the type, or under a `save` of its own.
    let nested = fields.take_any(&["save", "sink"]);
    let saved = |key: &str| fields.peek(key).or_else(|| nested?.get(key));
    if let Some(node) = saved("data").or_else(|| saved("args")) {
        let value = reader.value(node, &format!("{path}/config/result"));
        task.config.insert("result".to_owned(), value);
    }
    fields.ignore(&["desc", "description", "assert", "timeout"]);
    let mut made = Made::one(task);
    let path = format!("{}/saves", place.base);
    match nested {
        Some(node) => made.saves = save::read_all(reader, node, &path),
        None => made.saves.push(save::rest(reader, fields, &format!("{path}/0"))),
    }
    made
}

/// An item of a pipeline, which has no keys beside its tool.
pub(super) fn item<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, place: Place<'_>) -> Option<Made> {
    let mut made = holder(reader, fields, place)?;
    into_last(&mut made);
    Some(made)
}

/// Inside a pipeline, what a step would do after its tool belongs to the task.
fn into_last(made: &mut Made) {
    if let Some(last) = made.tasks.last_mut() {
        last.saves.append(&mut made.saves);
        let extracts = std::mem::take(&mut made.extracts);
        last.sets.extend(extracts.into_iter().map(|(key, value)| crate::playbook::Assignment {
            scope: crate::playbook::SetScope::Ctx,
            key,
            value,
        }));
    }
}

/// The iterator tool: its loop keys make the Loop, its `task` the body.
fn iterator<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, place: Place<'_>, inputs: &Map) -> Made {
    let own = task::INPUTS.iter().find_map(|key| fields.peek(key)).filter(|node| node.as_map().is_some());
    let mut all = inputs.clone();
    if let Some(node) = own {
        task::merge_missing(&mut all, node.to_value().as_object().cloned().unwrap_or_default());
    }
    // Of a Task, `spec` may hold the rules on its outcome as well as what is said about the loop.
    let rules = fields.peek("spec").and_then(|spec| spec.get("policy"));
    let rules = rules.filter(|policy| place.within && policy.get("rules").is_some());
    let base = nested::base(place);
    let looped = looped::iterator(reader, fields, &base, &all);
    let Some(node) = fields.take_any(&["task", "tasks", "steps", "run"]) else {
        let hint = "add `task:` with the tool to run for every element";
        reader.error_hint(
            Code::InvalidLoop,
            fields.span(),
            format!("the iterator `{}` has no task", place.step),
            hint,
        );
        return Made::default();
    };
    let inside =
        Place { base: &base, index: if place.within { 0 } else { place.index }, within: true, ..place };
    let mut made = match &node.data {
        Data::List(_) => {
            Made { tasks: pipeline::read(reader, node, inside), pipeline: true, ..Made::default() }
        }
        Data::String(name) => workbook::expand(reader, name, node.span, Place { flat: false, ..inside }),
        _ => {
            let Some(mut inner) = reader.fields(node, "`task`") else { return Made::default() };
            let label = inner.peek("name").and_then(Node::as_str).unwrap_or(place.label).to_owned();
            let task = Place { label: &label, flat: true, ..inside };
            holder(reader, &mut inner, task).unwrap_or_else(|| {
                let hint = "add for example `tool: python`";
                reader.error_hint(Code::MissingTool, node.span, "the iterator's task has no tool", hint);
                Made::default()
            })
        }
    };
    // Inputs of the iterator itself are inputs of every call.
    if let Some(node) = own {
        for key in task::INPUTS {
            fields.ignore(&[key]);
        }
        let values = reader.map(node, &format!("{base}/inputs"), "inputs");
        nested::add_inputs(&mut made.tasks, &values);
    }
    fields.ignore(&["assert", "desc", "description", "name", "label"]);
    if place.within {
        into_last(&mut made);
        let mut task = nested::wrap(reader, made, looped, place, fields.span());
        if let Some(node) = rules {
            task::rules(reader, node, &mut task, &place.path());
        }
        nested::beside(reader, fields, &mut task, &place.path());
        return Made::one(task);
    }
    made.looped = Some(looped);
    made
}

/// A tool together with the keys beside it, where no step has taken those.
pub(super) fn holder<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, place: Place<'_>) -> Option<Made> {
    let mut made = read(reader, fields, place, &Map::new())?;
    if !made.flat {
        beside(reader, fields, &mut made, place);
    }
    Some(made)
}

/// Keys beside `tool: {…}`: inputs, saves, retry and auth of the Task.
pub(super) fn beside<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    made: &mut Made,
    place: Place<'_>,
) {
    let path = place.path();
    let Some(last) = made.tasks.len().checked_sub(1) else { return };
    let Made { tasks, .. } = made;
    for key in task::INPUTS {
        if let Some(node) = fields.take(key) {
            let mut values = reader.map(node, &format!("{path}/inputs"), &format!("`{key}`"));
            let lower = std::mem::take(&mut tasks[0].inputs);
            task::merge_missing(&mut values, lower);
            tasks[0].inputs = values;
        }
    }
    let task = &mut tasks[last];
    task::auth(reader, fields, task, &path);
    if let Some(node) = fields.take("vars") {
        task::vars(reader, node, task, &path);
    }
    task::lift(reader, fields, task, &path);
    fields.ignore(&["name", "task", "desc", "description", "assert", "title"]);
    for entry in fields.rest() {
        super::keys::unknown(reader, entry, "a task", super::keys::STEP);
    }
}

/// L0: `call: {name, type, with}`.
fn call<'a>(reader: &mut Reader<'a>, node: &'a Node, place: Place<'_>) -> Made {
    if let Data::String(name) = &node.data {
        return workbook::expand(reader, name, node.span, Place { flat: false, ..place });
    }
    let Some(mut fields) = reader.fields(node, "`call`") else { return Made::default() };
    let kind = fields.take_any(&["type", "kind", "tool"]).and_then(|node| reader.text(node, "`type`"));
    let kind = kind.unwrap_or_else(|| "workbook".to_owned());
    let mut made = flat(reader, &mut fields, &kind, Place { flat: false, ..place }, &Map::new());
    made.flat = false;
    made
}

/// L0: `run: [{task, with}]`, workbook tasks one after the other.
fn run<'a>(reader: &mut Reader<'a>, node: &'a Node, place: Place<'_>) -> Made {
    let items = match &node.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut made = Made { pipeline: items.len() > 1, ..Made::default() };
    // How its items are written says nothing about the step.
    let before = reader.met;
    for item in items {
        let index = made.tasks.len();
        let name = item.get("task").or(item.get("name")).unwrap_or(item);
        let label = name.as_str().unwrap_or(place.label);
        let label = if items.len() > 1 { label } else { place.label };
        let within = place.within || items.len() > 1;
        let inner = Place { index, flat: false, label, within, ..place };
        let part = if item.get("type").is_some() || item.get("kind").is_some() || item.get("tool").is_some() {
            let Some(mut fields) = reader.fields(item, "`run`") else { continue };
            holder(reader, &mut fields, inner).unwrap_or_default()
        } else if item.as_map().is_some() {
            let Some(mut fields) = reader.fields(item, "`run`") else { continue };
            workbook::read(reader, &mut fields, inner)
        } else {
            let Some(name) = reader.text(item, "a task's name") else { continue };
            workbook::expand(reader, &name, item.span, inner)
        };
        made.tasks.extend(part.tasks);
        made.looped = made.looped.or(part.looped);
    }
    reader.met = before;
    made
}
