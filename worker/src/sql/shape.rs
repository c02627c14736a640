//! The one result object that every generation's way of reading SQL results finds its fields in (playbooks.md 14.3).

use noetl_domain::{Map, Value};
use serde_json::json;

/// What one statement gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatementResult {
    /// Present for statements that return rows, however few.
    pub rows: Option<Rows>,
    /// Rows inserted, updated or deleted.
    pub affected: u64,
    /// Whether the statement changes data, so that `affected` means something.
    pub changes: bool,
    /// The statement's verb, for the message.
    pub verb: String,
    /// Set when the statement failed and the others went on.
    pub error: Option<(String, Option<String>)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub values: Vec<Vec<Value>>,
}

/// `{status, rows, row_count, columns, affected_rows, command_0…}` of a script's statements, in order.
///
/// `rows` and `columns` are those of the last statement that returned rows;
/// `row_count` counts them, or the rows changed when there are none; `affected_rows` is the last change's.
pub fn combined(results: Vec<StatementResult>, as_objects: bool) -> Value {
    let failed = results.iter().any(|result| result.error.is_some());
    let affected = results.iter().rev().find(|result| result.changes).map_or(0, |result| result.affected);
    let mut last = None;
    let mut commands = Map::new();
    for (index, result) in results.into_iter().enumerate() {
        let command = match (result.rows, result.error) {
            (_, Some((message, code))) => {
                json!({ "status": "error", "row_count": 0, "message": message, "code": code })
            }
            (Some(rows), None) => {
                let count = rows.values.len();
                let columns = json!(rows.columns);
                let rows = written(rows, as_objects);
                last = Some((rows.clone(), count, columns.clone()));
                json!({ "status": "ok", "rows": rows, "row_count": count, "columns": columns })
            }
            (None, None) => {
                let message = if result.changes {
                    format!("{}: {} rows", result.verb, result.affected)
                } else {
                    result.verb
                };
                json!({ "status": "ok", "row_count": result.affected, "message": message })
            }
        };
        commands.insert(format!("command_{index}"), command);
    }
    let mut object = Map::new();
    object.insert("status".into(), if failed { "error".into() } else { "ok".into() });
    let (rows, count, columns) = last.unwrap_or_else(|| (json!([]), affected as usize, json!([])));
    object.insert("rows".into(), rows);
    object.insert("row_count".into(), count.into());
    object.insert("columns".into(), columns);
    object.insert("affected_rows".into(), affected.into());
    object.extend(commands);
    Value::Object(object)
}

fn written(rows: Rows, as_objects: bool) -> Value {
    let Rows { columns, values } = rows;
    if !as_objects {
        return Value::Array(values.into_iter().map(Value::Array).collect());
    }
    let objects = values.into_iter().map(|row| Value::Object(columns.iter().cloned().zip(row).collect()));
    Value::Array(objects.collect())
}

/// A decimal number: a JSON number when that keeps its value, else its exact text.
pub fn number_or_text(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    let plain = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() && !text.contains(['e', 'E']) && float.to_string() == plain => {
            if float.fract() == 0.0 && float.abs() < 9e15 { (float as i64).into() } else { float.into() }
        }
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_answers_every_generation() {
        let select = StatementResult {
            rows: Some(Rows { columns: vec!["id".into()], values: vec![vec![json!(1)], vec![json!(2)]] }),
            verb: "SELECT".into(),
            ..StatementResult::default()
        };
        let insert = StatementResult {
            affected: 3,
            changes: true,
            verb: "INSERT".into(),
            ..StatementResult::default()
        };
        let both = combined(vec![insert.clone(), select.clone()], true);
        assert_eq!(
            both,
            json!({
                "status": "ok", "rows": [{ "id": 1 }, { "id": 2 }], "row_count": 2, "columns": ["id"], "affected_rows": 3,
                "command_0": { "status": "ok", "row_count": 3, "message": "INSERT: 3 rows" },
                "command_1": { "status": "ok", "rows": [{ "id": 1 }, { "id": 2 }], "row_count": 2, "columns": ["id"] },
            })
        );
        assert_eq!(combined(vec![select], false)["rows"], json!([[1], [2]]));
        assert_eq!(combined(vec![insert], true)["row_count"], 3);
        assert_eq!(combined(Vec::new(), true)["rows"], json!([]));
    }

    #[test]
    fn numbers_stay_numbers_only_when_exact() {
        for (text, expected) in [
            ("15.8", json!(15.8)),
            ("1.10", json!(1.1)),
            ("5.000", json!(5)),
            ("-7", json!(-7)),
            ("0.1234567890123456789", json!("0.1234567890123456789")),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
            ("9007199254740993.5", json!("9007199254740993.5")),
            ("NaN", json!("NaN")),
        ] {
            assert_eq!(number_or_text(text), expected, "{text}");
        }
    }
}
