//! `save` and `sink` blocks, and steps whose whole work is to save.

use super::fields::Fields;
use super::reader::Reader;
use crate::Value;
use crate::playbook::{Dialect, Save, SaveOn};
use crate::yaml::{Data, Node};

/// Takes `save` and `sink` from whatever carries them; each may be one block or a list.
pub(super) fn take<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, path: &str) -> Vec<Save> {
    let mut saves = Vec::new();
    for (key, last) in [("save", Dialect::E), ("sink", Dialect::C)] {
        let Some(node) = fields.take(key) else { continue };
        reader.met(if key == "save" { Dialect::A } else { Dialect::B }, last);
        saves.extend(read_all(reader, node, path));
    }
    saves
}

pub(super) fn read_all<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Vec<Save> {
    match &node.data {
        Data::List(items) => items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| read(reader, item, &format!("{path}/{index}")))
            .collect(),
        _ => read(reader, node, &format!("{path}/0")).into_iter().collect(),
    }
}

fn read<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Option<Save> {
    if let Data::String(backend) = &node.data {
        reader.source.mark(path, node.span);
        return Some(Save { backend: backend.clone(), ..empty() });
    }
    let fields = reader.fields(node, "`save`")?;
    Some(block(reader, fields, path))
}

fn empty() -> Save {
    Save {
        backend: "event_log".to_owned(),
        config: crate::Map::new(),
        auth: None,
        when: None,
        on: SaveOn::Success,
    }
}

fn block<'a>(reader: &mut Reader<'a>, mut fields: Fields<'a>, path: &str) -> Save {
    rest(reader, &mut fields, path)
}

/// The keys of a block; whoever carries it has taken its own.
pub(super) fn rest<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, path: &str) -> Save {
    reader.source.mark(path, fields.span());
    let mut save = empty();
    let mut backend = None;
    for key in ["storage", "tool", "backend"] {
        let Some(node) = fields.take(key) else { continue };
        match &node.data {
            // The nested map carries the other keys.
            Data::Map(_) => {
                if let Some(mut inner) = Fields::new(node) {
                    let kind = inner.take_any(&["kind", "type", "tool", "storage", "backend", "name"]);
                    backend = kind.and_then(|kind| reader.text(kind, "the backend")).or(backend);
                    lift(reader, &mut inner, &mut save, path);
                    for entry in inner.rest() {
                        let value = reader.entry_value(entry, path);
                        save.config.insert(entry.key.clone(), value);
                    }
                }
            }
            _ => backend = reader.text(node, &format!("`{key}`")).or(backend),
        }
    }
    if backend.is_none() && fields.peek("kind").is_some() {
        backend = fields.take("kind").and_then(|node| reader.text(node, "`kind`"));
    }
    lift(reader, fields, &mut save, path);
    for entry in fields.rest() {
        let value = reader.entry_value(entry, path);
        save.config.insert(entry.key.clone(), value);
    }
    save.backend = match backend.as_deref() {
        Some("event" | "event_log" | "log") => "event_log".to_owned(),
        Some("postgresql" | "pg") => "postgres".to_owned(),
        Some(other) => other.to_owned(),
        // `{name, data}` stores a variable.
        None if save.config.contains_key("name") => "variable".to_owned(),
        None => guessed(&save.config).to_owned(),
    };
    save
}

fn lift<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, save: &mut Save, path: &str) {
    if let Some(node) = fields.take("when") {
        save.when = reader.expr(node, &format!("{path}/when"), "`when`");
    }
    if let Some(node) = fields.take("on") {
        let words = [("success", SaveOn::Success), ("error", SaveOn::Error), ("always", SaveOn::Always)];
        save.on = reader.word(node, "`on`", &words).unwrap_or_default();
    }
    if let Some(node) = fields.take_any(&["auth", "credential", "credentials"]) {
        save.auth = Some(reader.value(node, &format!("{path}/auth")));
    }
}

fn guessed(config: &crate::Map) -> &'static str {
    let has =
        |keys: &[&str]| keys.iter().any(|key| config.get(*key).is_some_and(|value| *value != Value::Null));
    if has(&["table", "statement"]) {
        "postgres"
    } else if has(&["url", "endpoint"]) {
        "http"
    } else if has(&["code"]) {
        "python"
    } else {
        "event_log"
    }
}
