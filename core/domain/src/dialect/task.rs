//! One Tool call: which keys the Task keeps for itself, and what stays for the tool.

use super::fields::Fields;
use super::reader::Reader;
use super::{keys, pagination, policy, retry, save, sets};
use crate::Map;
use crate::playbook::{Dialect, SetScope, Task};
use crate::yaml::{Data, Node};

/// Where a Task stands in the text and in the model.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) step: &'p str,
    /// Path of what holds the body: `steps/<step>`, and below that for a loop inside a loop.
    pub(super) base: &'p str,
    pub(super) label: &'p str,
    pub(super) index: usize,
    /// Inside a pipeline or another loop: an iterator here is a Task, not the loop of the step.
    pub(super) within: bool,
    /// The tool's fields stand beside keys of the step (A, B), so slips of those may hide among them.
    pub(super) flat: bool,
}

impl Place<'_> {
    pub(super) fn path(&self) -> String {
        format!("{}/body/{}", self.base, self.index)
    }
}

pub(super) const INPUTS: &[&str] = &["input", "inputs", "args", "with", "data"];

/// The fields an http task can carry its payload in.
const HTTP_PAYLOAD: &[&str] = &["params", "body", "payload", "json", "form", "query", "data"];

/// Reads the keys of a Task from the map that carries them.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    kind: &str,
    place: Place<'_>,
) -> Task {
    let path = place.path();
    reader.source.mark(path.clone(), fields.span());
    let kind = canonical_kind(kind);
    let mut task = Task { name: place.label.to_owned(), kind, ..Task::default() };
    inputs(reader, fields, &mut task, place, &path);
    auth(reader, fields, &mut task, &path);
    if fields.has("set") && !place.flat {
        reader.met(Dialect::C, Dialect::E);
    }
    lift(reader, fields, &mut task, &path);
    if let Some(node) = fields.take("pagination") {
        task.repeat = pagination::read(reader, node, &format!("{path}/repeat"));
    }
    if let Some(node) = fields.take("eval") {
        reader.met(Dialect::D, Dialect::D);
        task.rules = policy::rules(reader, node, &format!("{path}/rules"));
    }
    if let Some(node) = fields.take("spec") {
        spec(reader, node, &mut task, &path);
    }
    timeout(reader, fields, &mut task, &path);
    if let Some(node) = fields.take("idempotent") {
        task.idempotent = reader.boolean(node, "`idempotent`");
    }
    if let Some(node) = fields.take("output_select") {
        task.select = words(reader, node);
    }
    if fields.peek("output").is_some_and(|node| node.get("output_select").or(node.get("select")).is_some())
        && let Some(node) = fields.take("output")
        && let Some(select) = node.get("output_select").or(node.get("select"))
    {
        task.select = words(reader, select);
    }
    fields.ignore(&["assert", "desc", "description"]);
    if !matches!(task.kind.as_str(), "secrets" | "workbook") {
        fields.ignore(&["name"]);
    }
    config(reader, fields, &mut task, place);
    task
}

/// New tries, saves and writes; whoever carries them, they come after those that the Task has.
pub(super) fn lift<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, task: &mut Task, path: &str) {
    if let Some(node) = fields.take("retry") {
        let tries = retry::read(reader, node, &format!("{path}/retry"));
        task.retry.extend(tries.retry);
        task.repeat = task.repeat.take().or(tries.repeat);
    }
    task.saves.extend(save::take(reader, fields, &format!("{path}/saves")));
    task.sets.extend(sets::take(reader, fields, path));
}

/// Every field that is left is the tool's own.
pub(super) fn config<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    task: &mut Task,
    place: Place<'_>,
) {
    let path = format!("{}/config", place.path());
    for entry in fields.rest() {
        if place.flat
            && let Some(finding) = keys::misspelt_step_key(entry)
        {
            reader.findings.push(finding);
            continue;
        }
        let value = reader.entry_value(entry, &path);
        task.config.insert(entry.key.clone(), value);
    }
}

pub(super) fn canonical_kind(kind: &str) -> String {
    let kind = kind.trim();
    match kind.to_lowercase().as_str() {
        "postgresql" | "pg" => "postgres".to_owned(),
        "secret" => "secrets".to_owned(),
        lower if kind.contains("{{") => {
            let _ = lower;
            kind.to_owned()
        }
        lower => lower.to_owned(),
    }
}

/// Inputs of a tool; a list or a single template stays with the tool, as does the `data` that http sends.
fn inputs<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a>,
    task: &mut Task,
    place: Place<'_>,
    path: &str,
) {
    for key in INPUTS {
        let Some(node) = fields.peek(key) else { continue };
        if node.as_map().is_none() || (*key == "data" && task.kind == "http" && !place.flat) {
            continue;
        }
        match *key {
            "input" | "inputs" => reader.met(Dialect::C, Dialect::E),
            "args" => reader.met(Dialect::B, Dialect::D),
            _ => {}
        }
        fields.ignore(&[key]);
        let values = reader.map(node, &format!("{path}/inputs"), &format!("`{key}`"));
        if *key == "data" {
            http_data(task, fields.has_any(HTTP_PAYLOAD), &values);
        }
        merge_missing(&mut task.inputs, values);
    }
    if matches!(task.kind.as_str(), "playbook" | "playbooks")
        && let Some(node) = fields.peek("payload").filter(|node| node.as_map().is_some())
    {
        fields.ignore(&["payload"]);
        let values = reader.map(node, &format!("{path}/inputs"), "`payload`");
        merge_missing(&mut task.inputs, values);
    }
}

/// B's http sends its `data` when nothing else says what to send.
pub(super) fn http_data(task: &mut Task, has_payload: bool, data: &Map) {
    let has_payload = has_payload || HTTP_PAYLOAD.iter().any(|key| task.config.contains_key(*key));
    if task.kind == "http" && !has_payload && !data.is_empty() {
        task.config.insert("data".to_owned(), data.clone().into());
    }
}

pub(super) fn merge_missing(into: &mut Map, values: Map) {
    for (key, value) in values {
        into.entry(key).or_insert(value);
    }
}

pub(super) fn auth<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, task: &mut Task, path: &str) {
    for key in ["auth", "credential", "credentials", "secret"] {
        if task.auth.is_some() {
            return;
        }
        let Some(node) = fields.take(key) else { continue };
        let value = reader.value(node, &format!("{path}/auth"));
        task.auth = Some(if key == "secret" { serde_json::json!({ "secret": value }) } else { value });
    }
}

/// Tools that wait for something else understand their own `timeout`.
fn timeout<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, task: &mut Task, path: &str) {
    if matches!(task.kind.as_str(), "playbook" | "playbooks" | "container" | "script" | "subscription") {
        return;
    }
    for key in ["timeout", "timeout_seconds"] {
        // `{connect, read}` is http's own.
        let Some(node) = fields.peek(key).filter(|node| node.as_map().is_none()) else { continue };
        fields.ignore(&[key]);
        reader.source.mark(format!("{path}/timeout"), node.span);
        task.timeout_seconds = reader.seconds(node, "`timeout`");
    }
}

/// `spec` of a tool: policy rules, timeout, result.
fn spec<'a>(reader: &mut Reader<'a>, node: &'a Node, task: &mut Task, path: &str) {
    let Some(mut spec) = reader.fields(node, "`spec`") else { return };
    if let Some(node) = spec.take("policy") {
        rules(reader, node, task, path);
    }
    if let Some(node) = spec.take("rules") {
        task.rules = policy::rules(reader, node, &format!("{path}/rules"));
    }
    if let Some(node) = spec.take("timeout") {
        if node.as_map().is_some() {
            let value = reader.value(node, &format!("{path}/config/timeout"));
            task.config.insert("timeout".to_owned(), value);
        } else {
            reader.source.mark(format!("{path}/timeout"), node.span);
            task.timeout_seconds = reader.seconds(node, "`timeout`");
        }
    }
    if let Some(node) = spec.take("retry") {
        task.retry = retry::read(reader, node, &format!("{path}/retry")).retry;
    }
    for key in ["result", "output_select"] {
        if let Some(node) = spec.take(key) {
            let select = node.get("output_select").or(node.get("select")).unwrap_or(node);
            if select.as_list().is_some() {
                task.select = words(reader, select);
            }
        }
    }
    spec.ignore(&["emit", "desc", "lifecycle", "exec"]);
    for entry in spec.rest() {
        keys::unknown(reader, entry, "`spec`", &["policy", "timeout", "result", "retry", "rules"]);
    }
}

/// `policy: {rules: [...]}` or the list itself.
pub(super) fn rules<'a>(reader: &mut Reader<'a>, node: &'a Node, task: &mut Task, path: &str) {
    let path = format!("{path}/rules");
    if let Data::List(_) = node.data {
        task.rules = policy::rules(reader, node, &path);
        return;
    }
    let Some(mut fields) = reader.fields(node, "`policy`") else { return };
    if let Some(node) = fields.take("rules") {
        task.rules = policy::rules(reader, node, &path);
    }
    fields.ignore(&["exec", "failure", "lifecycle", "emit", "admit"]);
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`policy`", &["rules", "admit", "lifecycle", "failure", "emit", "exec"]);
    }
}

pub(super) fn words(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    match &node.data {
        Data::List(items) => items.iter().filter_map(|item| reader.text(item, "a field's name")).collect(),
        Data::Null => Vec::new(),
        _ => reader.text(node, "a list of fields").map(|text| vec![text]).unwrap_or_default(),
    }
}

/// `vars` of a tool inside a pipeline.
pub(super) fn vars<'a>(reader: &mut Reader<'a>, node: &'a Node, task: &mut Task, path: &str) {
    task.sets.extend(sets::read(reader, node, SetScope::Ctx, &format!("{path}/set")));
}
