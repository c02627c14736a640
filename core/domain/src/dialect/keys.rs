//! The keys each place knows, and what to say about the others.

use super::reader::Reader;
use crate::code::Code;
use crate::finding::Finding;
use crate::yaml::Entry;

pub(super) const ROOT: &[&str] = &[
    "apiVersion",
    "kind",
    "type",
    "metadata",
    "name",
    "path",
    "version",
    "description",
    "desc",
    "labels",
    "workload",
    "workbook",
    "workflow",
    "keychain",
    "credentials",
    "executor",
    "vars",
    "environment",
    "context",
    "spec",
    "schedule",
    "schedules",
    "timeout",
    "tasks",
    "dialect",
    "title",
    "author",
    "tags",
    "annotations",
];

pub(super) const STEP: &[&str] = &[
    "step",
    "name",
    "desc",
    "description",
    "type",
    "tool",
    "call",
    "run",
    "data",
    "args",
    "with",
    "input",
    "inputs",
    "auth",
    "credential",
    "credentials",
    "secret",
    "use_auth",
    "assert",
    "save",
    "sink",
    "retry",
    "next",
    "when",
    "pass",
    "loop",
    "case",
    "vars",
    "set",
    "set_ctx",
    "set_iter",
    "set_vars",
    "spec",
    "output",
    "output_select",
    "timeout",
    "as",
    "end_loop",
    "result",
    "resources",
    "pool",
    "execution_pool",
    "idempotent",
    "join",
    "dialect",
    "iterator",
    "pagination",
    "tags",
    "labels",
    "deadline",
    "eval",
    "task",
];

pub(super) const ARC: &[&str] = &[
    "step",
    "to",
    "target",
    "when",
    "args",
    "data",
    "with",
    "input",
    "inputs",
    "params",
    "payload",
    "set",
    "set_ctx",
    "set_iter",
    "set_vars",
    "vars",
    "spec",
    "then",
    "else",
    "desc",
    "description",
    "name",
    "label",
    "next",
];

pub(super) const LOOP: &[&str] = &[
    "in",
    "collection",
    "items",
    "iterator",
    "element",
    "item",
    "mode",
    "concurrency",
    "max_in_flight",
    "where",
    "filter",
    "order_by",
    "limit",
    "chunk",
    "enumerate",
    "until",
    "spec",
    "cursor",
    "pagination",
    "desc",
    "policy",
];

/// Fields that some tool knows: never a misspelt structural key.
pub(super) const TOOL_FIELDS: &[&str] = &[
    "action",
    "allow_redirects",
    "arguments",
    "as_objects",
    "async",
    "auto_secrets",
    "batch",
    "body",
    "bucket",
    "catalog_id",
    "catalog_path",
    "chunk_size",
    "cmd",
    "cmds",
    "code",
    "code_b64",
    "code_base64",
    "collection",
    "columns",
    "command",
    "command_b64",
    "command_base64",
    "commands",
    "commands_b64",
    "concurrency",
    "connection",
    "connection_string",
    "context",
    "cwd",
    "data_path",
    "database",
    "db_host",
    "db_name",
    "db_password",
    "db_path",
    "db_port",
    "db_user",
    "deps",
    "dsn",
    "duration",
    "element",
    "endpoint",
    "entrypoint",
    "env",
    "enumerate",
    "expected_exit_code",
    "fail_fast",
    "file",
    "follow_redirects",
    "form",
    "format",
    "host",
    "headers",
    "image",
    "job",
    "json",
    "key",
    "kind",
    "label",
    "libs",
    "limit",
    "mapping",
    "message",
    "method",
    "mode",
    "namespace",
    "operation",
    "order_by",
    "output_uri_base",
    "packages",
    "parallel",
    "params",
    "password",
    "path",
    "payload",
    "poll_interval",
    "port",
    "provider",
    "project",
    "project_id",
    "queries",
    "query",
    "require_cloud_output",
    "response_type",
    "result",
    "result_key",
    "return_result",
    "return_step",
    "schema",
    "script",
    "seconds",
    "secret_name",
    "server",
    "shell",
    "source",
    "sql",
    "statement",
    "statements",
    "storage",
    "stream",
    "subject",
    "table",
    "target",
    "task",
    "text",
    "timeout_seconds",
    "tool",
    "uri",
    "url",
    "use_auth",
    "user",
    "username",
    "value",
    "values",
    "verify",
    "version",
    "where",
    "working_dir",
    "work_dir",
];

/// The known word nearest to what was written, when it is near enough to be a slip.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let limit = match lower.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

pub(super) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

/// A key that is a slip of a known one refuses the playbook; a key nobody knows is ignored with a warning.
pub(super) fn unknown(reader: &mut Reader<'_>, entry: &Entry, place: &str, known: &[&str]) {
    if entry.key.starts_with("x-") || entry.key.starts_with('_') {
        return;
    }
    if known.contains(&entry.key.as_str()) {
        let message = format!("`{}` has no meaning in this place; it is ignored", entry.key);
        reader.warning(Code::UnknownKey, entry.key_span, message);
        return;
    }
    let message = format!("`{}` is not a key of {place}", entry.key);
    let finding = match nearest(&entry.key, known.iter().copied()) {
        Some(near) => {
            Finding::error(Code::UnknownKey, entry.key_span, message).hint(format!("did you mean `{near}`?"))
        }
        None => Finding::warning(Code::UnknownKey, entry.key_span, format!("{message}; it is ignored")),
    };
    reader.findings.push(finding);
}

/// A flat step hands keys it does not know to its tool; a slip of a structural key must not get there in silence.
pub(super) fn misspelt_step_key(entry: &Entry) -> Option<Finding> {
    if TOOL_FIELDS.contains(&entry.key.as_str()) || STEP.contains(&entry.key.as_str()) {
        return None;
    }
    let structural = STEP
        .iter()
        .copied()
        .filter(|key| !matches!(*key, "name" | "task" | "with" | "as" | "tags" | "labels"));
    let near = nearest(&entry.key, structural)?;
    let message = format!("`{}` is not a key of a step", entry.key);
    Some(Finding::error(Code::UnknownKey, entry.key_span, message).hint(format!("did you mean `{near}`?")))
}
