//! Plugins: registered handlers with a version are tools; any other image runs as a container.

use crate::dialect::fields::Fields;
use crate::dialect::reader::Reader;
use crate::yaml::Node;

const KINDS: &[&str] = &[
    "http",
    "shell",
    "python",
    "postgres",
    "sqlite",
    "duckdb",
    "snowflake",
    "playbook",
    "playbooks",
    "secrets",
    "sleep",
    "noop",
    "container",
    "nats",
    "transfer",
    "artifact",
    "gcs",
    "script",
    "clickhouse",
    "ducklake",
];

/// The kind, and the image for a plugin that is no handler of ours.
pub(super) fn take<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>) -> Option<(String, Option<String>)> {
    if let Some(node) = fields.take("plugin") {
        let plugin = reader.text(node, "`plugin`")?;
        fields.ignore(&["type"]);
        return Some(kind(&plugin));
    }
    let kind = fields.take_any(&["type", "kind"]).and_then(|node| reader.text(node, "`type`"))?;
    Some(self::kind(&kind))
}

/// What a step will run as, without reading it.
pub(super) fn kind_of(step: &Node) -> String {
    let named = ["plugin", "type", "kind"].iter().find_map(|key| step.get(key)).and_then(Node::scalar_text);
    named.map(|name| kind(&name).0).unwrap_or_default()
}

fn kind(plugin: &str) -> (String, Option<String>) {
    let image = plugin.trim();
    let last = image.rsplit('/').next().unwrap_or(image);
    let base = last.split([':', '@']).next().unwrap_or(last).to_lowercase();
    let base = base.strip_prefix("noetl-").unwrap_or(&base);
    let base = base.strip_suffix("-handler").or(base.strip_suffix("-plugin")).unwrap_or(base);
    let base = match base {
        "bash" | "sh" => "shell",
        "postgresql" => "postgres",
        other => other,
    };
    // A path names an image of somebody else, whatever it is called.
    if KINDS.contains(&base) && !image.contains('/') {
        return (base.to_owned(), None);
    }
    ("container".to_owned(), Some(image.to_owned()))
}
