//! A loop inside another loop or inside a pipeline: a Task that holds a body of its own, which the worker runs.

use super::body::Made;
use super::fields::Fields;
use super::keys;
use super::reader::Reader;
use super::task::{self, Place};
use crate::Map;
use crate::code::Code;
use crate::finding::Span;
use crate::playbook::{Loop, LoopSource, Step, Task};

/// Loops inside each other at most: a Command must stay shallow enough to travel as JSON.
const MOST: usize = 8;
/// Tools whose work goes on elsewhere; an inner loop has nowhere to park while it waits for them.
const WAITING: &[&str] = &["playbook", "playbooks"];

/// Kind of a Task that is a loop.
const KIND: &str = "iterator";

/// Path of what holds the body of an iterator that stands at `place`.
pub(super) fn base(place: Place<'_>) -> String {
    if place.within { format!("{}/nested", place.path()) } else { place.base.to_owned() }
}

/// The Task for a loop that stands at `place`; `made` is the loop's body.
pub(super) fn wrap(
    reader: &mut Reader<'_>,
    mut made: Made,
    looped: Loop,
    place: Place<'_>,
    span: Span,
) -> Task {
    if made.tasks.is_empty() {
        made.tasks.push(Task { name: place.label.to_owned(), kind: "noop".to_owned(), ..Task::default() });
    }
    let mut refuse = |message: String, hint: &str| reader.error_hint(Code::Conflict, span, message, hint);
    if matches!(looped.source, LoopSource::Cursor(_)) {
        let message = format!("the cursor loop `{}` stands inside another loop or a pipeline", place.label);
        refuse(message, "give the cursor loop a step of its own");
    }
    if let Some(kind) = WAITING.iter().find(|kind| made.tasks.iter().any(|task| task.calls(kind))) {
        let message = format!("the inner loop `{}` runs a {kind}, which it cannot wait for", place.label);
        refuse(message, "put the inner loop into a playbook of its own, and call that one for every element");
    }
    if place.base.matches("/nested").count() >= MOST {
        let message = format!("more than {MOST} loops stand inside each other");
        refuse(message, "put the inner loops into a playbook of their own");
    }
    let body = Step {
        name: place.step.to_owned(),
        looped: Some(looped),
        body: made.tasks,
        pipeline: made.pipeline,
        ..Step::default()
    };
    Task {
        name: place.label.to_owned(),
        kind: KIND.to_owned(),
        nested: Some(Box::new(body)),
        ..Task::default()
    }
}

/// Keys of the Task beside those of its loop.
pub(super) fn beside<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, task: &mut Task, path: &str) {
    task::lift(reader, fields, task, path);
    for entry in fields.rest() {
        keys::unknown(reader, entry, "an iterator", keys::LOOP);
    }
}

/// The generation of a Step is that of every body inside it.
pub(super) fn settle_dialect(step: &mut Step) {
    let dialect = step.dialect;
    for inner in step.body.iter_mut().filter_map(|task| task.nested.as_deref_mut()) {
        inner.dialect = dialect;
        settle_dialect(inner);
    }
}

/// Inputs of an iterator are inputs of every call inside it.
pub(super) fn add_inputs(tasks: &mut [Task], values: &Map) {
    for task in tasks {
        match &mut task.nested {
            Some(inner) => add_inputs(&mut inner.body, values),
            None => task::merge_missing(&mut task.inputs, values.clone()),
        }
    }
}
