//! INSERT and upsert statements for `save` with a table and a mapping (playbooks.md section 9).

use noetl_domain::{Map, Value};

use super::Flavour;
use super::literal::{literal, name};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Insert,
    /// Rows whose key exists are updated; with nothing but keys they are left alone.
    Upsert,
    /// The table's rows are deleted first.
    Replace,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    #[error("there is nothing to save into {0}: the data is empty or no mapping of columns to values")]
    NoColumns(String),
    #[error("mode upsert needs `key`: the column or columns that name a row of {0}")]
    NoKey(String),
    #[error("mode {0:?} is not known; use insert, upsert or replace")]
    UnknownMode(String),
}

impl std::str::FromStr for Mode {
    type Err = InsertError;

    fn from_str(text: &str) -> Result<Self, InsertError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "insert" | "append" => Ok(Self::Insert),
            "upsert" | "merge" | "update" => Ok(Self::Upsert),
            "replace" | "overwrite" | "truncate" => Ok(Self::Replace),
            _ => Err(InsertError::UnknownMode(text.to_owned())),
        }
    }
}

/// Rows for one table.
#[derive(Clone, Copy, Debug)]
pub struct Insert<'a> {
    pub flavour: Flavour,
    pub table: &'a str,
    pub mode: Mode,
    /// Columns that name a row, for [`Mode::Upsert`].
    pub key: &'a [String],
    /// Rows per statement.
    pub chunk: usize,
}

/// A mapping is one row, a list of mappings is many; anything else has no columns.
pub fn rows_of(data: Value) -> Vec<Map> {
    match data {
        Value::Object(row) => vec![row],
        Value::Array(items) => items
            .into_iter()
            .filter_map(|item| if let Value::Object(row) = item { Some(row) } else { None })
            .collect(),
        _ => Vec::new(),
    }
}

/// `key: id`, `key: "a, b"` or `key: [a, b]`.
pub fn key_of(written: &Value) -> Vec<String> {
    let split = |text: &str| {
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect::<Vec<_>>()
    };
    match written {
        Value::String(text) => split(text),
        Value::Array(items) => items.iter().filter_map(Value::as_str).flat_map(split).collect(),
        _ => Vec::new(),
    }
}

impl Insert<'_> {
    /// The statements, to be run in one transaction.
    pub fn statements(&self, rows: &[Map]) -> Result<Vec<String>, InsertError> {
        let mut columns: Vec<&str> = Vec::new();
        for column in rows.iter().flat_map(Map::keys) {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        if columns.is_empty() {
            return Err(InsertError::NoColumns(self.table.to_owned()));
        }
        if self.mode == Mode::Upsert && self.key.is_empty() {
            return Err(InsertError::NoKey(self.table.to_owned()));
        }
        let table = name(self.table);
        let head = format!(
            "INSERT INTO {table} ({}) VALUES ",
            columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(", ")
        );
        let tail = self.conflict(&columns);
        let mut statements = Vec::new();
        if self.mode == Mode::Replace {
            statements.push(format!("DELETE FROM {table}"));
        }
        for chunk in self.unique(rows).chunks(self.chunk.max(1)) {
            let values: Vec<String> = chunk.iter().map(|row| self.values(row, &columns)).collect();
            statements.push(format!("{head}{}{tail}", values.join(", ")));
        }
        Ok(statements)
    }

    fn values(&self, row: &Map, columns: &[&str]) -> String {
        let missing = match self.flavour {
            Flavour::Postgres => "DEFAULT",
            Flavour::Sqlite => "NULL",
        };
        let values: Vec<String> = columns
            .iter()
            .map(|column| {
                row.get(*column).map_or_else(|| missing.to_owned(), |value| literal(value, self.flavour))
            })
            .collect();
        format!("({})", values.join(", "))
    }

    fn conflict(&self, columns: &[&str]) -> String {
        if self.mode != Mode::Upsert {
            return String::new();
        }
        let keys = self.key.iter().map(|key| name(key)).collect::<Vec<_>>().join(", ");
        let changed: Vec<String> = columns
            .iter()
            .filter(|column| !self.key.iter().any(|key| key == *column))
            .map(|column| format!("{0} = EXCLUDED.{0}", name(column)))
            .collect();
        if changed.is_empty() {
            format!(" ON CONFLICT ({keys}) DO NOTHING")
        } else {
            format!(" ON CONFLICT ({keys}) DO UPDATE SET {}", changed.join(", "))
        }
    }

    /// One statement may not touch a row twice: of rows with the same key the last one counts.
    fn unique<'r>(&self, rows: &'r [Map]) -> Vec<&'r Map> {
        if self.mode != Mode::Upsert {
            return rows.iter().collect();
        }
        let mut by_key = indexmap::IndexMap::new();
        for row in rows {
            let key: Vec<String> =
                self.key.iter().map(|key| row.get(key).map_or_else(String::new, Value::to_string)).collect();
            by_key.insert(key, row);
        }
        by_key.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_become_statements() {
        let rows = rows_of(json!([
            { "id": 1, "doc": { "a": "it's" } },
            { "id": 2, "note": null },
            { "id": 1, "doc": [1] },
        ]));
        let key = key_of(&json!("id"));
        let insert = |mode, flavour| Insert { flavour, table: "public.t", mode, key: &key, chunk: 2 };
        assert_eq!(
            insert(Mode::Insert, Flavour::Postgres).statements(&rows).unwrap(),
            [
                r#"INSERT INTO "public"."t" ("id", "doc", "note") VALUES ('1', '{"a":"it''s"}', DEFAULT), ('2', DEFAULT, NULL)"#,
                r#"INSERT INTO "public"."t" ("id", "doc", "note") VALUES ('1', '[1]', DEFAULT)"#,
            ]
        );
        assert_eq!(
            insert(Mode::Upsert, Flavour::Sqlite).statements(&rows).unwrap(),
            [
                r#"INSERT INTO "public"."t" ("id", "doc", "note") VALUES (1, '[1]', NULL), (2, NULL, NULL) ON CONFLICT ("id") DO UPDATE SET "doc" = EXCLUDED."doc", "note" = EXCLUDED."note""#
            ]
        );
        let only_keys = rows_of(json!({ "id": 1 }));
        assert!(
            insert(Mode::Upsert, Flavour::Postgres).statements(&only_keys).unwrap()[0]
                .ends_with("DO NOTHING")
        );
        assert_eq!(
            insert(Mode::Replace, Flavour::Postgres).statements(&only_keys).unwrap()[0],
            r#"DELETE FROM "public"."t""#
        );
        assert!(insert(Mode::Insert, Flavour::Postgres).statements(&rows_of(json!("text"))).is_err());
        assert_eq!(key_of(&json!(["a", "b, c"])), ["a", "b", "c"]);
        assert!("nonsense".parse::<Mode>().unwrap_err().to_string().contains("upsert"));
    }
}
