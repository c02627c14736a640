//! What callers send as content, and the little that is read of resources that are no playbooks.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use noetl_domain::yaml::{self, Node};

/// YAML text, plain or base64. A map in YAML has a colon, which base64 never has.
pub(super) fn decode(content: &str) -> Option<String> {
    if content.contains(':') {
        return Some(content.to_owned());
    }
    let packed: String = content.split_whitespace().collect();
    let bytes = [STANDARD, STANDARD_NO_PAD, URL_SAFE].iter().find_map(|engine| engine.decode(&packed).ok());
    match bytes {
        Some(bytes) if !bytes.is_empty() => String::from_utf8(bytes).ok(),
        // Not base64 either: let the reader say what is wrong with the text.
        _ => Some(content.to_owned()),
    }
}

/// What any resource says of itself.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) kind: Option<String>,
    pub(super) path: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
}

impl Outline {
    pub(super) fn of(text: &str) -> Self {
        let Some(root) = yaml::parse(text).root else { return Self::default() };
        let metadata = root.get("metadata");
        let field = |key: &str| -> Option<String> {
            let node = metadata.and_then(|node| node.get(key)).or_else(|| root.get(key));
            node.and_then(Node::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let kind = root.get("kind").and_then(Node::as_str).map(str::to_owned);
        let name = field("name");
        Self { kind, path: field("path").or_else(|| name.clone()), name, description: field("description") }
    }
}
