//! The fields of each tool against its schema.

use serde_json::Value as Json;

use super::doubt::Doubt;
use super::{ToolSchemas, place};
use crate::Map;
use crate::code::Code;
use crate::dialect::SourceMap;
use crate::finding::{Finding, Span};
use crate::playbook::{Playbook, Step, Task};
use crate::template;

/// Kinds that the engine itself understands, or that are other names of a tool.
const OTHER_KINDS: &[&str] = &[
    "router",
    "start",
    "end",
    "noop",
    "workbook",
    "iterator",
    "loop",
    "save",
    "sink",
    "task_sequence",
    "http-handler",
    "https",
    "rest",
    "script",
    "bash",
    "sh",
    "command",
    "secret",
    "postgresql",
    "pg",
    "sqlite3",
    "wait",
    "delay",
    "playbooks",
    "container",
];

pub(super) fn check(
    text: &str,
    playbook: &Playbook,
    source: &SourceMap,
    doubt: &Doubt,
    tools: &ToolSchemas,
    findings: &mut Vec<Finding>,
) {
    if tools.is_empty() {
        return;
    }
    let mut found = Vec::new();
    for step in &playbook.steps {
        for (index, task) in step.body.iter().enumerate() {
            let path = format!("steps/{}/body/{index}", step.name);
            of_task(step, task, &path, source, doubt, tools, &mut found);
        }
    }
    super::cut(&mut found);
    // Point at the word itself rather than at the value or the whole tool.
    for finding in &mut found {
        if matches!(finding.code, Code::UnknownTool | Code::UnknownKey)
            && let Some(word) = finding.message.rsplit('`').nth(1)
        {
            finding.span = place::word(text, finding.span, word);
        }
    }
    findings.append(&mut found);
}

fn of_task(
    step: &Step,
    task: &Task,
    path: &str,
    source: &SourceMap,
    doubt: &Doubt,
    tools: &ToolSchemas,
    findings: &mut Vec<Finding>,
) {
    for (index, inner) in task.nested.iter().flat_map(|inner| inner.body.iter().enumerate()) {
        of_task(step, inner, &format!("{path}/nested/body/{index}"), source, doubt, tools, findings);
    }
    let kind = task.kind.split(':').next().unwrap_or_default();
    let Some(schema) = tools.get(kind) else {
        if !OTHER_KINDS.contains(&kind) && !template::has_template(kind) {
            let span = source.span(&format!("{path}/kind"));
            let finding =
                Finding::error(Code::UnknownTool, span, format!("there is no tool `{}`", task.kind));
            let known = tools.keys().map(String::as_str).chain(OTHER_KINDS.iter().copied());
            findings.push(match super::nearest(kind, known) {
                Some(near) => finding.hint(format!("did you mean `{near}`?")),
                None => finding
                    .hint(format!("the tools are: {}", tools.keys().cloned().collect::<Vec<_>>().join(", "))),
            });
        }
        return;
    };
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    let mut strangers = false;
    for (field, value) in &task.config {
        let span = source.span(&format!("{path}/config/{field}"));
        if let Some(expected) = properties.get(field) {
            type_of(kind, field, value, expected, schema, span, findings);
        } else {
            strangers = true;
            stranger(kind, field, properties, span, findings);
        }
    }
    // An unknown field may be another spelling of a required one, which the schema does not tell; so may one that
    // could not be read.
    if !strangers && !doubt.touches(source.span(path)) {
        missing(step, task, schema, source.span(path), findings);
    }
}

fn stranger(kind: &str, field: &str, properties: &Map, span: Span, findings: &mut Vec<Finding>) {
    // Tools read other spellings, too, which the schema does not tell: only slips of the pen are remarked on.
    let slip = |known: &&str| {
        let distance = strsim::damerau_levenshtein(field, known);
        distance <= 2 && distance * 3 <= known.len().max(3)
    };
    let Some(near) = properties.keys().map(String::as_str).find(slip) else { return };
    let message = format!("the {kind} tool has no field `{field}`");
    findings.push(Finding::warning(Code::UnknownKey, span, message).hint(format!("did you mean `{near}`?")));
}

fn missing(step: &Step, task: &Task, schema: &Json, span: Span, findings: &mut Vec<Finding>) {
    let required =
        schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    for field in required {
        let given = task.config.contains_key(field)
            || task.inputs.contains_key(field)
            || step.inputs.contains_key(field)
            || matches!(field, "auth" | "credential") && task.auth.is_some()
            || matches!(field, "timeout" | "timeout_seconds") && task.timeout_seconds.is_some();
        if !given {
            let message = format!("the {} tool needs `{field}`", task.kind);
            let hint = format!("`noetl tools show {}` lists its fields", task.kind);
            findings.push(Finding::error(Code::MissingKey, span, message).hint(hint));
        }
    }
}

/// Only what is plainly wrong: tools read numbers from text and text from numbers.
fn type_of(
    kind: &str,
    field: &str,
    value: &Json,
    expected: &Json,
    schema: &Json,
    span: Span,
    findings: &mut Vec<Finding>,
) {
    let allowed = types(expected, schema, 8);
    if allowed.is_empty() {
        return;
    }
    let takes = |name: &str| allowed.iter().any(|allowed| allowed == name);
    let number_like = |text: &str| text.trim().parse::<f64>().is_ok();
    let fine = match value {
        Json::Null => true,
        Json::Bool(_) => takes("boolean") || takes("string"),
        Json::Number(_) => takes("number") || takes("integer") || takes("string"),
        Json::String(text) => {
            template::has_template(text)
                || takes("string")
                || ((takes("number") || takes("integer")) && number_like(text))
                || (takes("boolean")
                    && matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no"))
                || ((takes("object") || takes("array")) && text.trim_start().starts_with(['{', '[']))
        }
        Json::Array(_) => takes("array"),
        Json::Object(_) => takes("object"),
    };
    if !fine {
        let found = match value {
            Json::Null => "nothing",
            Json::Bool(_) => "true or false",
            Json::Number(_) => "a number",
            Json::String(_) => "text",
            Json::Array(_) => "a list",
            Json::Object(_) => "a map",
        };
        let wanted: Vec<&str> =
            allowed.iter().filter(|name| *name != "null").map(|name| words(name)).collect();
        let message = format!("`{field}` of the {kind} tool must be {}, not {found}", wanted.join(" or "));
        findings.push(Finding::error(Code::WrongType, span, message));
    }
}

fn words(name: &str) -> &str {
    match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}

/// The JSON types that a property's schema allows; empty when it allows anything, or too much to tell.
fn types(expected: &Json, schema: &Json, depth: u8) -> Vec<String> {
    let (Some(depth), Some(map)) = (depth.checked_sub(1), expected.as_object()) else { return Vec::new() };
    if let Some(kind) = map.get("type") {
        return match kind {
            Json::String(kind) => vec![kind.clone()],
            Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
    }
    if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
        let target = reference.strip_prefix("#").and_then(|pointer| schema.pointer(pointer));
        return target.map(|target| types(target, schema, depth)).unwrap_or_default();
    }
    let mut all = Vec::new();
    for choice in
        ["anyOf", "oneOf"].iter().filter_map(|key| map.get(*key)).filter_map(Json::as_array).flatten()
    {
        let of_choice = types(choice, schema, depth);
        if of_choice.is_empty() {
            // One choice that cannot be told allows anything.
            return Vec::new();
        }
        all.extend(of_choice);
    }
    if map.contains_key("enum") || map.contains_key("const") {
        all.push("string".to_owned());
    }
    all
}
