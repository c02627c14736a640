//! `keychain:` (C to E) and the root `credentials:` of A.

use super::fields::Fields;
use super::reader::Reader;
use crate::Map;
use crate::code::Code;
use crate::playbook::KeychainEntry;
use crate::yaml::{Data, Node};

pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<KeychainEntry> {
    reader.source.mark("keychain", node.span);
    each(reader, node, "`keychain`")
        .into_iter()
        .filter_map(|(name, node)| entry(reader, name, node))
        .collect()
}

/// `- name: pg_local, as: pg`; also a map of aliases to names or `{key: name}`.
pub(super) fn credentials<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<KeychainEntry> {
    reader.source.mark("keychain", node.span);
    let mut entries = Vec::new();
    for (key, node) in each(reader, node, "`credentials`") {
        let named =
            ["credential", "key", "name"].iter().find_map(|key| node.get(key)).and_then(Node::scalar_text);
        let Some(credential) = named.or_else(|| node.scalar_text()) else {
            reader.error_hint(Code::MissingKey, node.span, "a credential has no name", "add `name: …`");
            continue;
        };
        let alias =
            key.or_else(|| node.get("as").and_then(Node::scalar_text)).unwrap_or_else(|| credential.clone());
        let mut config = Map::new();
        config.insert("credential".to_owned(), credential.into());
        if let Some(mut fields) = Fields::new(node) {
            fields.ignore(&["name", "key", "credential", "as"]);
            for entry in fields.rest() {
                let value = reader.entry_value(entry, &format!("keychain/{alias}"));
                config.insert(entry.key.clone(), value);
            }
        }
        reader.source.mark(format!("keychain/{alias}"), node.span);
        entries.push(KeychainEntry { name: alias, kind: "credential".to_owned(), scope: None, config });
    }
    entries
}

fn each<'a>(reader: &mut Reader<'a>, node: &'a Node, what: &str) -> Vec<(Option<String>, &'a Node)> {
    match &node.data {
        Data::List(items) => items.iter().map(|item| (None, item)).collect(),
        Data::Map(entries) => entries.iter().map(|entry| (Some(entry.key.clone()), &entry.value)).collect(),
        Data::Null => Vec::new(),
        Data::Bool(_) | Data::Number(_) | Data::String(_) => {
            reader.wrong_type(node, what, "a list");
            Vec::new()
        }
    }
}

fn entry<'a>(reader: &mut Reader<'a>, key: Option<String>, node: &'a Node) -> Option<KeychainEntry> {
    if let (Some(name), Some(credential)) = (&key, node.scalar_text()) {
        let config = Map::from_iter([("credential".to_owned(), credential.into())]);
        return Some(KeychainEntry {
            name: name.clone(),
            kind: "credential".to_owned(),
            scope: None,
            config,
        });
    }
    let mut fields = reader.fields(node, "a keychain entry")?;
    let name = fields.take("name").and_then(|node| reader.text(node, "`name`")).or(key);
    let Some(name) = name else {
        reader.error_hint(Code::MissingKey, node.span, "a keychain entry has no name", "add `name: …`");
        return None;
    };
    let path = format!("keychain/{name}");
    reader.source.mark(path.clone(), node.span);
    let kind = fields.take_any(&["kind", "type"]).and_then(|node| reader.text(node, "`kind`"));
    let scope = fields.take("scope").and_then(|node| reader.text(node, "`scope`"));
    let mut config = Map::new();
    for entry in fields.rest() {
        let value = reader.entry_value(entry, &path);
        config.insert(entry.key.clone(), value);
    }
    let kind = kind.unwrap_or_else(|| {
        if config.contains_key("provider") { "secret_manager" } else { "credential" }.to_owned()
    });
    Some(KeychainEntry { name, kind, scope, config })
}
