//! Names that templates read and nothing provides.
//!
//! The check is generous: whatever any part of the file could provide anywhere counts, and the remark is a warning,
//! because names may come with the payload.

use std::collections::HashSet;

use super::doubt::Doubt;
use super::templates::{CODE, readable, walk};
use super::{COMPARISONS, MOST, place};
use crate::code::Code;
use crate::finding::{Finding, Span};
use crate::template;
use crate::yaml::{Data, Node};

/// Always there, or there at the places that are about them (playbooks.md, section 4).
const ALWAYS: &[&str] = &[
    "workload",
    "ctx",
    "vars",
    "steps",
    "step",
    "iter",
    "input",
    "inputs",
    "args",
    "data",
    "payload",
    "job",
    "execution_id",
    "catalog_id",
    "path",
    "version",
    "parent_execution_id",
    "execution",
    "playbook",
    "result",
    "this",
    "response",
    "error",
    "output",
    "outcome",
    "event",
    "env",
    "secret",
    "secrets",
    "keychain",
    "auth",
    "token",
    "credential",
    "credentials",
    "loop",
    "_loop",
    "_index",
    "_total",
    "_first",
    "_last",
    "_prev",
    "_task",
    "_attempt",
    "_retry",
    "results",
    "attempt",
    "max_attempts",
    "status_code",
    "success",
    "iteration",
    "accumulated",
    "page",
    "pages",
    "frame",
    "__frame_max_rows",
    "batch",
    "index",
    "value",
    "item",
    "spec",
    "tasks",
    "loop_results",
    "metadata",
    "context",
    "headers",
    "caller",
    "null",
    "get_from_previous",
    "all_items",
    "_all_collected_items",
    "_pagination",
    "status",
];
/// Whether a name is there without anybody providing it.
pub(crate) fn is_always_there(name: &str) -> bool {
    ALWAYS.contains(&name)
}

/// Maps whose keys become names.
const PROVIDERS: &[&str] = &[
    "workload",
    "args",
    "input",
    "inputs",
    "data",
    "with",
    "params",
    "set",
    "set_ctx",
    "set_iter",
    "set_vars",
    "vars",
    "libs",
    "payload",
    "environment",
    "context",
    "spec",
];
/// Keys whose text is a name.
const NAMING: &[&str] = &[
    "step",
    "name",
    "iterator",
    "element",
    "as",
    "into",
    "task",
    "stepName",
    "taskName",
    "result_key",
    "alias",
    "label",
];

pub(super) fn check(text: &str, root: &Node, doubt: &Doubt, findings: &mut Vec<Finding>) {
    if hides_names(root, doubt) {
        return;
    }
    let mut provided = HashSet::new();
    provide(root, doubt, &mut provided);
    let (mut told, mut comparisons) = (0, COMPARISONS);
    let names = |name: &str| provided.contains(name) || ALWAYS.contains(&name);
    walk(root, "", &mut |node, key| {
        let Some(value) = node.as_str().filter(|_| !CODE.contains(&key)) else { return };
        for name in template::unguarded_reads(&readable(value, key)) {
            if names(&name) || told >= MOST {
                continue;
            }
            told += 1;
            comparisons = comparisons.saturating_sub(provided.len());
            let known = provided.iter().map(String::as_str).chain(ALWAYS.iter().copied());
            let near = if comparisons > 0 { super::nearest(&name, known) } else { None };
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{name}` to `workload`, or write `{name} | default(…)`"),
            };
            let message = format!("nothing provides `{name}`");
            findings.push(
                Finding::warning(Code::UnknownName, whereabouts(text, node, &name), message).hint(hint),
            );
        }
    });
}

/// The name inside the string, where it is found as written.
fn whereabouts(text: &str, node: &Node, name: &str) -> Span {
    let raw = text.get(node.span.start..node.span.end).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    raw.match_indices(name)
        .find(|(at, _)| {
            !raw[..*at].ends_with(is_word)
                && !raw[at + name.len()..].starts_with(|c: char| is_word(c) && c != '.')
        })
        .map_or(node.span, |(at, _)| {
            place::span_at(text, node.span.start + at, node.span.start + at + name.len())
        })
}

/// Whether the playbook's own values could not be read: then nobody can tell which names they provide.
fn hides_names(root: &Node, doubt: &Doubt) -> bool {
    root.as_map().unwrap_or_default().iter().any(|entry| {
        let is_lost = entry.value.as_map().is_none() && doubt.touches(entry.value.span);
        PROVIDERS.contains(&entry.key.as_str()) && (is_lost || doubt.touches(entry.key_span))
    })
}

fn provide(node: &Node, doubt: &Doubt, provided: &mut HashSet<String>) {
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| provide(item, doubt, provided)),
        Data::Map(entries) => {
            for entry in entries {
                // A key that is called wrong may be a slip of any of these.
                let slip = doubt.touches(entry.key_span);
                if slip || PROVIDERS.contains(&entry.key.as_str()) {
                    add_keys(&entry.value, provided);
                }
                if (slip || NAMING.contains(&entry.key.as_str()))
                    && let Some(name) = entry.value.as_str()
                {
                    add(name, provided);
                }
                // L0 gathers a loop's results under the loop's name.
                if entry.key == "end_loop"
                    && let Some(looped) = entry.value.as_str()
                {
                    add(&format!("{looped}_results"), provided);
                }
                // Tasks of a pipeline that have no name are known by their place.
                if let ("tool" | "task", Some(tasks)) = (entry.key.as_str(), entry.value.as_list()) {
                    provided.extend((0..tasks.len()).map(|place| format!("task_{place}")));
                }
                // `- fetch: {kind: http}`: the label is the key.
                if entry.value.get("kind").is_some() {
                    add(&entry.key, provided);
                }
                provide(&entry.value, doubt, provided);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {}
    }
}

fn add_keys(node: &Node, provided: &mut HashSet<String>) {
    match &node.data {
        Data::Map(entries) => {
            for entry in entries {
                add(&entry.key, provided);
                if entry.key == "vars" {
                    add_keys(&entry.value, provided);
                }
            }
        }
        Data::List(items) => items.iter().for_each(|item| add_keys(item, provided)),
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {}
    }
}

/// A name as templates can spell it: without `ctx.` before it, with underscores for hyphens, and each of its parts.
fn add(name: &str, provided: &mut HashSet<String>) {
    let bare = name.rsplit('.').next().unwrap_or(name);
    provided.insert(bare.replace('-', "_"));
    if name.contains(['-', '.']) {
        provided.extend(name.split(['-', '.']).map(str::to_owned));
    }
    provided.insert(bare.to_owned());
}
