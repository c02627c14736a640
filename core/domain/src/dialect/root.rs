//! A whole document with a `workflow`.

use indexmap::IndexMap;

use super::fields::Fields;
use super::reader::Reader;
use super::step::{self, DIALECTS};
use super::{executor, graph, keychain, keys, l0, loop_results, schedule, workbook};
use crate::Map;
use crate::code::Code;
use crate::finding::Finding;
use crate::playbook::{Dialect, Playbook, Start};
use crate::yaml::{Data, Node};

const METADATA: &[&str] = &["name", "path", "version", "description", "labels", "schedule", "timeout"];

const VERSIONS: &[(&str, Dialect)] = &[
    ("noetl.io/v1", Dialect::B),
    ("workflow.noetl.io/v1", Dialect::B),
    ("noetl.io/v2", Dialect::E),
    ("noetl.io/v10", Dialect::D),
];

pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &'a Node) -> Option<Playbook> {
    let mut fields = reader.fields(root, "a playbook")?;
    let mut playbook = Playbook::default();
    // When no construct tells, the version does.
    let written = header(reader, &mut fields, &mut playbook);
    if written == Dialect::D {
        reader.arcs_dialect = Dialect::D;
    }
    let fixed = fields.take("dialect").and_then(|node| reader.word(node, "`dialect`", DIALECTS));
    if let Some(node) = fields.take("workload") {
        playbook.workload = reader.map(node, "workload", "`workload`");
    }
    defaults(reader, &mut fields, &mut playbook);
    if let Some(node) = fields.take("workbook") {
        workbook::collect(reader, node);
    }
    if let Some(node) = fields.take("keychain") {
        playbook.keychain.extend(keychain::read(reader, node));
    }
    if let Some(node) = fields.take("credentials") {
        playbook.keychain.extend(keychain::credentials(reader, node));
    }
    let executor =
        fields.take("executor").map(|node| executor::read(reader, node, &mut playbook)).unwrap_or_default();
    schedules(reader, &mut fields, &mut playbook);
    if let Some(node) = fields.take("timeout") {
        playbook.timeout_seconds = reader.fixed_seconds(node, "`timeout`");
    }

    let workflow = fields.take("workflow").or_else(|| fields.take("steps"));
    fields.ignore(&["title", "author", "tags", "annotations"]);
    for entry in fields.rest() {
        keys::unknown(reader, entry, "a playbook", keys::ROOT);
    }
    let Some(workflow) = workflow else {
        reader.error_hint(
            Code::NotAPlaybook,
            root.span,
            "there is no `workflow`",
            "add `workflow:` with a list of steps",
        );
        return None;
    };
    let items = match &workflow.data {
        Data::List(items) => items.as_slice(),
        Data::Null => &[],
        _ => {
            reader.wrong_type(workflow, "`workflow`", "a list of steps");
            return None;
        }
    };
    if items.is_empty() {
        reader.error_hint(
            Code::MissingStart,
            workflow.span,
            "the workflow has no steps",
            "add `- step: start`",
        );
        return None;
    }
    let mut reads: Vec<step::Read> = Vec::new();
    for item in items {
        match step::read(reader, item, executor.next_mode) {
            Some(read) => reads.push(read),
            None => reader.unread(item),
        }
    }
    playbook.dialect =
        fixed.unwrap_or_else(|| reads.iter().filter_map(|read| read.met.newest).max().unwrap_or(written));
    l0::fold_loops(reader, &mut reads);
    loop_results::provide(&mut reads);
    l0::steps_override(reader, &mut playbook, &mut reads);
    entry(&mut playbook, &reads, executor.entry_step);
    graph::settle(reader, &mut playbook, reads);
    Some(playbook)
}

/// Kind, version, metadata, names. Returns the generation the version suggests.
fn header<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, playbook: &mut Playbook) -> Dialect {
    let mut written = Dialect::E;
    if let Some(node) = fields.take("apiVersion") {
        match reader.text(node, "`apiVersion`") {
            Some(text) => {
                if let Some((_, dialect)) = VERSIONS.iter().find(|(version, _)| *version == text) {
                    written = *dialect;
                } else {
                    let hint = keys::did_you_mean(&text, VERSIONS.iter().map(|(version, _)| *version))
                        .unwrap_or_else(|| "use `noetl.io/v2`".to_owned());
                    reader.findings.push(
                        Finding::warning(
                            Code::UnknownValue,
                            node.span,
                            format!("`apiVersion: {text}` is not known; the constructs tell the generation"),
                        )
                        .hint(hint),
                    );
                }
            }
            None => written = Dialect::E,
        }
    } else if fields.has("version") || fields.has("path") {
        written = Dialect::L0;
    }
    for key in ["kind", "type"] {
        let Some(node) = fields.take(key) else { continue };
        let kind = reader.text(node, &format!("`{key}`")).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("playbook") {
            let message = format!("this is a {kind}, not a Playbook");
            reader.error_hint(Code::NotAPlaybook, node.span, message, "write `kind: Playbook`");
        }
    }
    let metadata = fields.take("metadata").and_then(|node| reader.fields(node, "`metadata`"));
    if let Some(mut metadata) = metadata {
        names(reader, &mut metadata, playbook);
        for key in ["schedule", "schedules"] {
            if let Some(node) = metadata.take(key) {
                playbook.schedules.extend(schedule::read(reader, node));
            }
        }
        if let Some(node) = metadata.take("timeout") {
            playbook.timeout_seconds = reader.fixed_seconds(node, "`timeout`");
        }
        // Anything may stand here; only a slip of a known key is worth a word.
        for entry in metadata.rest() {
            if let Some(hint) = keys::did_you_mean(&entry.key, METADATA.iter().copied()) {
                let message = format!("`{}` is not a key of `metadata` that means anything", entry.key);
                reader.findings.push(Finding::warning(Code::UnknownKey, entry.key_span, message).hint(hint));
            }
        }
    }
    names(reader, fields, playbook);
    if playbook.path.is_empty() {
        playbook.path.clone_from(&playbook.name);
    }
    if playbook.name.is_empty() {
        playbook.name = playbook.path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    written
}

pub(super) fn names<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, playbook: &mut Playbook) {
    if let Some(node) = fields.take_any(&["name", "playbookName"])
        && let Some(name) = reader.text(node, "`name`")
        && playbook.name.is_empty()
    {
        playbook.name = name;
    }
    if let Some(node) = fields.take("path")
        && let Some(path) = reader.text(node, "`path`")
        && playbook.path.is_empty()
    {
        path.trim_matches('/').clone_into(&mut playbook.path);
    }
    if let Some(node) = fields.take_any(&["description", "desc"])
        && let Some(text) = reader.text(node, "`description`")
    {
        playbook.description = Some(text);
    }
    if let Some(node) = fields.take("labels") {
        playbook.labels = labels(node);
    }
    fields.ignore(&["version"]);
}

fn labels(node: &Node) -> IndexMap<String, String> {
    match &node.data {
        Data::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.scalar_text().unwrap_or_default()));
            pairs.collect()
        }
        Data::List(items) => {
            items.iter().filter_map(Node::scalar_text).map(|label| (label, String::new())).collect()
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => IndexMap::new(),
    }
}

/// Root `vars`, `environment`, `context` and `spec` are workload by other names.
fn defaults<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, playbook: &mut Playbook) {
    for key in ["vars", "environment", "context"] {
        let Some(node) = fields.take(key) else { continue };
        let values = reader.map(node, "workload", &format!("`{key}`"));
        super::task::merge_missing(&mut playbook.workload, values);
    }
    let Some(mut spec) = fields.take("spec").and_then(|node| reader.fields(node, "`spec`")) else { return };
    for key in ["schedule", "schedules"] {
        if let Some(node) = spec.take(key) {
            playbook.schedules.extend(schedule::read(reader, node));
        }
    }
    if let Some(node) = spec.take("timeout") {
        playbook.timeout_seconds = reader.fixed_seconds(node, "`timeout`");
    }
    // `{{ spec.state }}`: the scope answers `spec` from the workload.
    for entry in spec.rest() {
        let value = reader.entry_value(entry, "workload");
        playbook.workload.entry(entry.key.clone()).or_insert(value);
    }
}

fn schedules<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, playbook: &mut Playbook) {
    for key in ["schedule", "schedules"] {
        if let Some(node) = fields.take(key) {
            playbook.schedules.extend(schedule::read(reader, node));
        }
    }
}

/// The step named by the executor, else `start`, else the first.
fn entry(playbook: &mut Playbook, reads: &[step::Read], named: Option<String>) {
    if !playbook.entry.is_empty() {
        return;
    }
    let has_start = reads.iter().any(|read| read.step.name == "start");
    let step = match (named, reads.first()) {
        (Some(named), _) => named,
        (None, _) if has_start => "start".to_owned(),
        (None, Some(first)) => first.step.name.clone(),
        (None, None) => return,
    };
    playbook.entry.push(Start { step, inputs: Map::new() });
}
