//! Other spellings of tool fields: serde reads them as aliases, which a JSON schema does not show by itself.

use schemars::Schema;
use serde_json::{Value, json};

/// Adds `(spelling, field)` pairs to a schema, so that lint and forms know them.
pub(crate) fn add(schema: &mut Schema, pairs: &[(&str, &str)]) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (spelling, field) in pairs {
        let mut property = match properties.get(*field) {
            Some(Value::Object(map)) => Value::Object(map.clone()),
            _ => json!({}),
        };
        property["description"] = format!("The same as `{field}`.").into();
        properties.insert((*spelling).to_owned(), property);
    }
}
