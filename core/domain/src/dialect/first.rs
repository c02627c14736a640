//! The first generation (2023): tasks that run side by side, each with ordered steps that name a plugin.
//!
//! A task becomes a Step whose body is the pipeline of its steps; every Token runs it on its own.

mod plugin;
mod references;

use std::collections::HashSet;

use indexmap::IndexMap;

use super::reader::Reader;
use super::task::{self, Place};
use super::{executor, graph, keys, root, schedule, sets, step};
use crate::Map;
use crate::code::Code;
use crate::finding::Span;
use crate::playbook::{Arc, Dialect, Join, Playbook, RouteMode, Start, Step, Task};
use crate::yaml::{Data, Node};
use references::Names;

const SPEC: &[&str] = &["vars", "timeout", "schedule", "initialSettings", "transitions", "description"];
const TASK: &[&str] = &["taskName", "steps", "switch", "input", "params", "description", "timeout"];

/// `tasks` in place of `workflow`.
pub(super) fn is_first(root: &Node) -> bool {
    root.get("workflow").is_none()
        && root.get("tasks").is_some_and(|tasks| {
            tasks.as_list().is_some_and(|tasks| tasks.iter().any(|task| name_of(task).is_some()))
                || root.get("spec").is_some_and(|spec| spec.get("initialSettings").is_some())
        })
}

fn name_of(task: &Node) -> Option<String> {
    ["taskName", "name", "task"].iter().find_map(|key| task.get(key)).and_then(Node::scalar_text)
}

pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &'a Node) -> Option<Playbook> {
    let mut fields = reader.fields(root, "a playbook")?;
    let mut playbook = Playbook { dialect: Dialect::First, ..Playbook::default() };
    fields.ignore(&["apiVersion", "kind", "type"]);
    if let Some(mut metadata) = fields.take("metadata").and_then(|node| reader.fields(node, "`metadata`")) {
        root::names(reader, &mut metadata, &mut playbook);
    }
    root::names(reader, &mut fields, &mut playbook);
    if playbook.path.is_empty() {
        playbook.path.clone_from(&playbook.name);
    }
    if playbook.name.is_empty() {
        playbook.name.clone_from(&playbook.path);
    }
    let items = fields.take("tasks").and_then(Node::as_list).unwrap_or_default();
    let names = names(items);
    let starts =
        fields.take("spec").map(|node| spec(reader, node, &mut playbook, &names)).unwrap_or_default();
    for entry in fields.rest() {
        keys::unknown(reader, entry, "a playbook", &["apiVersion", "type", "metadata", "spec", "tasks"]);
    }
    let mut reads = Vec::new();
    for item in items {
        match one_task(reader, item, &names) {
            Some(read) => reads.push(read),
            None => reader.unread(item),
        }
    }
    if reads.is_empty() {
        reader.error_hint(
            Code::MissingStart,
            root.span,
            "the playbook has no tasks",
            "add `- taskName: name`",
        );
        return None;
    }
    playbook.entry = if starts.is_empty() { unreached(&reads) } else { starts };
    graph::settle_plain(reader, &mut playbook, reads);
    Some(playbook)
}

/// Every task with the names of its steps.
fn names(items: &[Node]) -> Names {
    let mut tasks = IndexMap::new();
    for item in items {
        let steps = item.get("steps").and_then(Node::as_list).unwrap_or_default();
        let steps =
            steps.iter().filter_map(step_name).map(|(name, node)| (name, plugin::kind_of(node))).collect();
        if let Some(task) = name_of(item) {
            tasks.insert(task, steps);
        }
    }
    Names { tasks }
}

fn step_name(step: &Node) -> Option<(String, &Node)> {
    let name =
        ["stepName", "name", "step"].iter().find_map(|key| step.get(key)).and_then(Node::scalar_text)?;
    Some((name, step))
}

/// `spec`: variables, start, limits. Returns where to start.
fn spec<'a>(reader: &mut Reader<'a>, node: &'a Node, playbook: &mut Playbook, names: &Names) -> Vec<Start> {
    let Some(mut spec) = reader.fields(node, "`spec`") else { return Vec::new() };
    let mut starts = Vec::new();
    if let Some(node) = spec.take("vars") {
        playbook.workload = reader.map(node, "workload", "`vars`");
        references::of_request(&mut playbook.workload);
    }
    if let Some(node) = spec.take("timeout") {
        playbook.timeout_seconds = reader.fixed_seconds(node, "`timeout`");
    }
    if let Some(node) = spec.take("schedule") {
        playbook.schedules = schedule::read(reader, node);
    }
    if let Some(node) = spec.take("transitions") {
        playbook.transitions = executor::transitions(reader, node);
    }
    let settings = spec.take("initialSettings").and_then(|node| reader.fields(node, "`initialSettings`"));
    if let Some(mut settings) = settings {
        if let Some(node) = settings.take("start") {
            reader.source.mark("executor/entry_step", node.span);
            starts = executor::starts(reader, node);
            for start in &mut starts {
                references::of_request(&mut start.inputs);
                references::in_map(&mut start.inputs, names, None);
            }
        }
        settings.ignore(&["state", "description"]);
        for entry in settings.rest() {
            keys::unknown(reader, entry, "`initialSettings`", &["start", "state"]);
        }
    }
    spec.ignore(&["description", "state"]);
    for entry in spec.rest() {
        keys::unknown(reader, entry, "`spec`", SPEC);
    }
    starts
}

/// Nothing says where to start: at every task that no other leads to.
fn unreached(reads: &[(Step, Span)]) -> Vec<Start> {
    let arcs = reads.iter().flat_map(|(step, _)| &step.routes.arcs);
    let reached: HashSet<&str> = arcs.map(|arc| arc.to.as_str()).collect();
    let free = reads.iter().filter(|(step, _)| !reached.contains(step.name.as_str()));
    let mut starts: Vec<Start> =
        free.map(|(step, _)| Start { step: step.name.clone(), inputs: Map::new() }).collect();
    if starts.is_empty() {
        starts.extend(reads.first().map(|(step, _)| Start { step: step.name.clone(), inputs: Map::new() }));
    }
    starts
}

fn one_task<'a>(reader: &mut Reader<'a>, node: &'a Node, names: &Names) -> Option<(Step, Span)> {
    let mut fields = reader.fields(node, "a task")?;
    let Some(name) = name_of(node) else {
        reader.error_hint(Code::MissingKey, node.span, "a task has no name", "add `taskName: name`");
        return None;
    };
    fields.ignore(&["taskName", "name", "task"]);
    let path = format!("steps/{name}");
    reader.source.mark(path.clone(), node.span);
    let mut step =
        Step { join: Join::EachToken, pipeline: true, dialect: Dialect::First, ..step::empty(&name) };
    if let Some(node) = fields.take_any(&["description", "desc"]) {
        step.description = reader.text(node, "`description`");
    }
    for key in ["input", "params"] {
        if let Some(node) = fields.take(key) {
            let mut values = reader.map(node, &format!("{path}/inputs"), &format!("`{key}`"));
            references::in_map(&mut values, names, None);
            task::merge_missing(&mut step.inputs, values);
        }
    }
    if let Some(node) = fields.take("timeout") {
        step.timeout_seconds = reader.seconds(node, "`timeout`");
    }
    match fields.take("steps").map(|node| (node, node.as_list())) {
        Some((_, Some(items))) => {
            for item in items {
                let index = step.body.len();
                step.body.extend(one_step(reader, item, &name, index, names));
            }
        }
        Some((node, None)) => reader.wrong_type(node, "`steps`", "a list"),
        None => {
            let message = format!("task `{name}` has no steps");
            reader.error_hint(Code::MissingTool, node.span, message, "add `steps:` with a plugin each");
        }
    }
    let mut seen = HashSet::new();
    for (index, task) in step.body.iter().enumerate() {
        if !seen.insert(task.name.as_str()) {
            let span = reader.source.span(&format!("{path}/body/{index}"));
            let message = format!("two steps of task `{name}` are called `{}`", task.name);
            reader.error(Code::DuplicateKey, span, message);
        }
    }
    if let Some(node) = fields.take("switch") {
        switch(reader, node, &mut step, names);
    }
    fields.ignore(&["exitCode", "state"]);
    for entry in fields.rest() {
        keys::unknown(reader, entry, "a task", TASK);
    }
    Some((step, node.span))
}

fn one_step<'a>(
    reader: &mut Reader<'a>,
    node: &'a Node,
    step: &str,
    index: usize,
    names: &Names,
) -> Option<Task> {
    let mut fields = reader.fields(node, "a step")?;
    let label = step_name(node).map_or_else(|| format!("task_{index}"), |(name, _)| name);
    fields.ignore(&["stepName", "name", "step"]);
    let Some((kind, image)) = plugin::take(reader, &mut fields) else {
        let message = format!("step `{label}` of task `{step}` names no plugin");
        reader.error_hint(Code::MissingTool, node.span, message, "add for example `plugin: shell`");
        return None;
    };
    if kind != "shell" {
        fields.ignore(&["exitCode"]);
    }
    let base = format!("steps/{step}");
    let place = Place { step, base: &base, label: &label, index, within: true, flat: false };
    let mut task = task::read(reader, &mut fields, &kind, place);
    if let Some(image) = image {
        task.config.insert("image".to_owned(), image.into());
    }
    references::in_map(&mut task.config, names, Some((step, false)));
    references::in_map(&mut task.inputs, names, Some((step, false)));
    for set in &mut task.sets {
        references::in_value(&mut set.value, names, Some((step, false)));
    }
    Some(task)
}

/// `switch`: every true entry starts its tasks with its parameters.
fn switch<'a>(reader: &mut Reader<'a>, node: &'a Node, step: &mut Step, names: &Names) {
    let place = Some((step.name.as_str(), true));
    let path = format!("steps/{}", step.name);
    step.routes.mode = RouteMode::All;
    let items = match &node.data {
        Data::List(items) => items.as_slice(),
        Data::Null => &[],
        _ => std::slice::from_ref(node),
    };
    let mut arcs = Vec::new();
    for item in items {
        let Some(mut fields) = reader.fields(item, "an entry of `switch`") else { continue };
        let to =
            fields.take_any(&["nextTask", "nextTasks", "task", "step"]).map(|node| task::words(reader, node));
        let Some(to) = to.filter(|to| !to.is_empty()) else {
            reader.error_hint(
                Code::MissingKey,
                item.span,
                "an entry of `switch` names no task",
                "add `nextTask: [name]`",
            );
            continue;
        };
        let mut arc = Arc::default();
        if let Some(node) = fields.take_any(&["condition", "when"]) {
            arc.when = reader.expr(node, "", "`condition`");
        }
        if let Some(when) = &mut arc.when {
            when.0 = references::in_text(&when.0, names, place);
        }
        for key in ["params", "input", "args", "data"] {
            if let Some(node) = fields.take(key) {
                arc.inputs.extend(reader.map(node, "", &format!("`{key}`")));
            }
        }
        references::in_map(&mut arc.inputs, names, place);
        arc.sets = sets::take(reader, &mut fields, "");
        fields.ignore(&["description"]);
        for entry in fields.rest() {
            keys::unknown(reader, entry, "`switch`", &["nextTask", "condition", "params"]);
        }
        for to in to {
            reader.source.mark(format!("{path}/arcs/{}", arcs.len()), item.span);
            arcs.push(Arc { to, ..arc.clone() });
        }
    }
    step.routes.arcs = arcs;
}
