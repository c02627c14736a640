//! Cursor loops (E): rows claimed from a work table, frame by frame.

use super::keys;
use super::reader::Reader;
use crate::code::Code;
use crate::playbook::Cursor;
use crate::yaml::Node;
use crate::{Map, Value};

const FRAME: &[&str] = &[
    "max_rows",
    "max_seconds",
    "max_bytes",
    "lease_seconds",
    "heartbeat_seconds",
    "row_concurrency",
    "process",
    "max_attempts",
];

pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    node: &'a Node,
    frame: Option<&'a Node>,
    path: &str,
) -> Cursor {
    reader.source.mark(path, node.span);
    let mut cursor = Cursor {
        kind: "postgres".to_owned(),
        auth: None,
        claim: String::new(),
        config: Map::new(),
        max_rows: Value::from(1),
        max_seconds: None,
        lease_seconds: 120.0,
        row_concurrency: Value::from(1),
        per_frame: false,
    };
    let Some(mut fields) = reader.fields(node, "`cursor`") else { return cursor };
    if let Some(node) = fields.take_any(&["kind", "type", "tool"]) {
        cursor.kind = reader.text(node, "`kind`").unwrap_or(cursor.kind);
    }
    if let Some(node) = fields.take_any(&["auth", "credential"]) {
        cursor.auth = Some(reader.value(node, &format!("{path}/auth")));
    }
    if let Some(node) = fields.take_any(&["claim", "command", "query", "sql"]) {
        reader.source.mark(format!("{path}/claim"), node.span);
        cursor.claim = reader.text(node, "`claim`").unwrap_or_default();
    } else {
        let hint = "write the statement that claims rows and returns them";
        reader.error_hint(Code::InvalidLoop, node.span, "`cursor` needs `claim`", hint);
    }
    let inner_frame = fields.take("frame");
    for entry in fields.rest() {
        let value = reader.entry_value(entry, &format!("{path}/config"));
        cursor.config.insert(entry.key.clone(), value);
    }
    if let Some(mut frame) = frame.or(inner_frame).and_then(|node| reader.fields(node, "`frame`")) {
        if let Some(node) = frame.take("max_rows") {
            cursor.max_rows = reader.number(node, "`max_rows`").unwrap_or(cursor.max_rows);
        }
        if let Some(node) = frame.take("max_seconds") {
            cursor.max_seconds = reader.fixed_seconds(node, "`max_seconds`");
        }
        if let Some(node) = frame.take("lease_seconds") {
            cursor.lease_seconds = reader.fixed_seconds(node, "`lease_seconds`").unwrap_or(120.0);
        }
        if let Some(node) = frame.take("row_concurrency") {
            cursor.row_concurrency =
                reader.number(node, "`row_concurrency`").unwrap_or(cursor.row_concurrency);
        }
        if let Some(node) = frame.take("process") {
            cursor.per_frame =
                reader.word(node, "`process`", &[("row", false), ("frame", true)]).unwrap_or_default();
        }
        frame.ignore(&["max_bytes", "heartbeat_seconds", "max_attempts"]);
        for entry in frame.rest() {
            keys::unknown(reader, entry, "`frame`", FRAME);
        }
    }
    cursor
}
