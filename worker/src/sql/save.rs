//! What a `save` block asks of a database, as statements for the tool that runs them (playbooks.md section 9).

use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use super::Flavour;
use super::bind::bind_named;
use super::insert::{Insert, key_of, rows_of};
use super::script::Script;
use crate::fields;

/// Rows per INSERT when the block does not say.
const CHUNK: i64 = 500;

/// The statements of a rendered block. `data` is its rendered data (`data`, `args` or `from`).
///
/// A `table` takes a mapping or a list of mappings; `statement` and `command` run as they are,
/// with `:name` bound from `params` first and from the data else.
pub fn statements(config: &Map, data: &Value, flavour: Flavour) -> Result<Vec<String>, TaskError> {
    let wrong = |message: String| TaskError::new("config", message).with_code("TL006");
    let present = |name: &str| config.get(name).filter(|value| !value.is_null());
    if let Some(table) = present("table").filter(|_| present("statement").is_none()) {
        let table = fields::text(table);
        let mode = fields::text(present("mode").unwrap_or(&Value::Null));
        let chunk =
            ["chunk_size", "batch"].iter().find_map(|name| fields::integer(present(name)?)).unwrap_or(CHUNK);
        let key = present("key").or_else(|| present("keys")).map(key_of).unwrap_or_default();
        let insert = Insert {
            flavour,
            table: &table,
            mode: mode.parse().map_err(|error: super::insert::InsertError| wrong(error.to_string()))?,
            key: &key,
            chunk: usize::try_from(chunk).unwrap_or(1).max(1),
        };
        // An empty list is a loop or a query that gave nothing: nothing to save is no mistake.
        if data.as_array().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        return insert.statements(&rows_of(data.clone())).map_err(|error| wrong(error.to_string()));
    }
    let script: Script = serde_json::from_value(Value::Object(config.clone()))
        .map_err(|error| wrong(format!("the save block cannot be read: {error}")))?;
    let mut values = match data {
        Value::Object(values) => values.clone(),
        _ => Map::new(),
    };
    if let Value::Object(params) = &script.params {
        values.extend(params.clone());
    }
    let statements = script.statements("save", flavour)?;
    Ok(statements.iter().map(|statement| bind_named(statement, &values, flavour)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_block_becomes_statements() {
        let check = |config: Value, data: Value| {
            statements(config.as_object().unwrap(), &data, Flavour::Postgres).map_err(|error| error.message)
        };
        assert_eq!(
            check(json!({ "table": "t", "mode": "upsert", "key": ["id"] }), json!({ "id": 1, "doc": { "a": 1 } })),
            Ok(vec![
                r#"INSERT INTO "t" ("id", "doc") VALUES ('1', '{"a":1}') ON CONFLICT ("id") DO UPDATE SET "doc" = EXCLUDED."doc""#
                    .to_owned()
            ])
        );
        assert_eq!(check(json!({ "table": "t" }), json!([])), Ok(vec![]));
        assert_eq!(
            check(
                json!({ "statement": "insert into t values (:id, :note)", "params": { "id": 5 } }),
                json!({ "id": 1, "note": "it's" })
            ),
            Ok(vec!["insert into t values ('5', 'it''s')".to_owned()])
        );
        assert!(
            check(json!({ "table": "t", "mode": "upsert" }), json!({ "id": 1 })).unwrap_err().contains("key")
        );
        assert!(check(json!({}), json!({ "id": 1 })).unwrap_err().contains("needs SQL"));
    }
}
