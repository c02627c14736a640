//! `tool: [...]`: Tasks that run one after the other, named by label (D) or by `name` (E).

use std::collections::HashSet;

use super::body;
use super::fields::Fields;
use super::reader::{Reader, shortened};
use super::task::Place;
use crate::code::Code;
use crate::finding::Finding;
use crate::playbook::{Dialect, Directive, Task};
use crate::yaml::{Data, Node};

/// `holder` is the place of the tool that is a list.
pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node, holder: Place<'_>) -> Vec<Task> {
    let step = holder.step;
    let items = match &node.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut tasks: Vec<Task> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (position, item) in items.iter().enumerate() {
        let first = tasks.len();
        one(reader, item, Place { index: first, flat: false, within: true, ..holder }, position, &mut tasks);
        for task in &tasks[first..] {
            if !seen.insert(task.name.clone()) {
                let message = format!("two tasks of step `{step}` are called `{}`", task.name);
                reader.error(Code::DuplicateKey, item.span, message);
            }
        }
    }
    if tasks.is_empty() && items.is_empty() {
        reader.error_hint(
            Code::MissingTool,
            node.span,
            format!("step `{step}` has an empty list of tools"),
            "add a task",
        );
    }
    jumps(reader, &mut tasks, holder);
    tasks
}

fn one<'a>(
    reader: &mut Reader<'a>,
    item: &'a Node,
    place: Place<'_>,
    position: usize,
    tasks: &mut Vec<Task>,
) {
    let step = place.step;
    let Some(mut fields) = reader.fields(item, "a task") else { return };
    let mut inner_node = item;
    // `call` names a workbook task (L0), or it is a label like any other (D).
    let calls = fields.peek("call").is_some_and(|node| node.get("kind").is_none());
    let label = if calls || fields.has_any(&["kind", "tool", "type"]) {
        let name = fields.take_any(&["name", "label"]);
        reader.met(if name.is_some() { Dialect::E } else { Dialect::D }, Dialect::E);
        name.and_then(|node| reader.text(node, "`name`")).unwrap_or_else(|| format!("task_{position}"))
    } else if let Some([entry]) = item.as_map()
        && entry.value.as_map().is_some()
    {
        reader.met(Dialect::D, Dialect::D);
        inner_node = &entry.value;
        entry.key.clone()
    } else {
        let message = format!("task {} of step `{step}` has no kind", position + 1);
        let hint = "write `- name: label` with `kind: …` below it";
        reader.findings.push(Finding::error(Code::MissingTool, item.span, message).hint(hint));
        return;
    };
    if !std::ptr::eq(inner_node, item) {
        let Some(inner) = Fields::new(inner_node) else { return };
        fields = inner;
    }
    // Generations differ in the list, not in the items.
    let before = reader.met;
    let place = Place { label: &label, ..place };
    let made = body::item(reader, &mut fields, place);
    let (newest, ended) = (before.newest, before.ended);
    reader.met.newest = reader.met.newest.filter(|met| *met > Dialect::C).or(newest);
    reader.met.ended = reader.met.ended.filter(|met| *met >= Dialect::D).or(ended);
    let Some(made) = made else {
        let message = format!("task `{label}` of step `{step}` has no kind");
        reader.error_hint(Code::MissingTool, item.span, message, "add for example `kind: python`");
        return;
    };
    let mut made = made.tasks;
    if made.is_empty() {
        made.push(Task { name: label.clone(), kind: "noop".to_owned(), ..Task::default() });
    }
    if let [only] = made.as_mut_slice() {
        only.name.clone_from(&label);
    }
    tasks.extend(made);
}

/// Jumps go to a label of the same pipeline; `previous` is the task before.
fn jumps(reader: &mut Reader<'_>, tasks: &mut [Task], holder: Place<'_>) {
    let Place { step, base, .. } = holder;
    let labels: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    let known: HashSet<&str> = labels.iter().map(String::as_str).collect();
    for (index, task) in tasks.iter_mut().enumerate() {
        for (position, rule) in task.rules.iter_mut().enumerate() {
            let Directive::Jump { to } = &mut rule.directive else { continue };
            if matches!(to.as_str(), "previous" | "prev" | "_previous" | "@previous") && index > 0 {
                to.clone_from(&labels[index - 1]);
            }
            if !known.contains(to.as_str()) {
                let span = reader.source.span(&format!("{base}/body/{index}/rules/{position}"));
                let names: Vec<&str> = labels.iter().map(String::as_str).collect();
                let hint = reader
                    .did_you_mean(to, &names)
                    .unwrap_or_else(|| format!("the tasks of this step are: {}", shortened(&names)));
                let message = format!("no task of step `{step}` is called `{to}`");
                reader.error_hint(Code::UnknownTaskLabel, span, message, hint);
            }
        }
    }
}
