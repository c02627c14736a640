//! A form for the workload of a playbook: one field per default input.

use noetl_api::catalog::{UiField, UiSchema};
use noetl_domain::mask::is_secret_key;
use noetl_domain::playbook::Playbook;
use noetl_domain::{Map, Value};
use serde_json::json;

pub(super) fn of(playbook: &Playbook, version: u32) -> UiSchema {
    let fields: Vec<UiField> = playbook.workload.iter().map(|(name, default)| field(name, default)).collect();
    let properties: Map = fields.iter().map(|field| (field.name.clone(), property(field))).collect();
    let title = if playbook.name.is_empty() { &playbook.path } else { &playbook.name };
    UiSchema {
        path: playbook.path.clone(),
        version,
        title: title.clone(),
        description: playbook.description.clone(),
        schema: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "title": title,
            "properties": properties,
            "additionalProperties": true,
        }),
        fields,
    }
}

fn field(name: &str, default: &Value) -> UiField {
    let kind = match default {
        // Nothing is known of a default that is null or rendered at the start; text can say anything.
        Value::Null | Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    UiField {
        name: name.to_owned(),
        kind: kind.to_owned(),
        label: label(name),
        default: default.clone(),
        secret: is_secret_key(name),
    }
}

fn property(field: &UiField) -> Value {
    let mut property = json!({"type": field.kind, "title": field.label, "default": field.default});
    if field.default.is_null() {
        property["type"] = json!(["string", "null"]);
    }
    if field.secret {
        property["format"] = json!("password");
        property["writeOnly"] = json!(true);
    }
    property
}

/// `batch_size` reads as `Batch size`.
fn label(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    let mut letters = words.trim().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
