//! Answers that say by themselves that there is nothing: `"total": 0`, `No matching data found`.

use noetl_domain::Value;

use super::super::in_band::plain;
use super::deviation::COUNTS;

/// Bytes of a text that may say so.
const READ: usize = 4 * 1024;
/// Further names of a field that counts what was found.
const FOUND: &[&str] = &["totalsize", "resultcount", "hits", "found", "matches", "size", "numberofresults"];
const WORDS: &[&str] = &[
    "no matching data",
    "no data found",
    "no data available",
    "no results",
    "no result found",
    "no records found",
    "no rows",
    "no matches",
    "no match found",
    "no matching records",
    "nothing found",
    "no entries",
    "no items found",
    "no documents found",
    "keine daten",
    "keine treffer",
    "keine ergebnisse",
    "aucun résultat",
    "aucune donnée",
    "no se encontraron",
    "sin resultados",
];

/// The words or the field by which a value says that it holds nothing.
pub(super) fn says_none(value: &Value) -> Option<String> {
    match value {
        Value::Object(map) => {
            let counts = |(key, value): (&String, &Value)| {
                (COUNTS.iter().chain(FOUND).any(|name| plain(key) == *name) && value.as_f64() == Some(0.0))
                    .then(|| format!("{key}: 0"))
            };
            // A list that is full is no nothing, whatever is counted beside it.
            let is_full = map.values().any(|inner| inner.as_array().is_some_and(|list| !list.is_empty()));
            if is_full {
                return None;
            }
            map.iter().find_map(counts).or_else(|| {
                let inner = map.values().filter(|inner| inner.is_string() || inner.is_object());
                inner.take(20).find_map(says_none)
            })
        }
        Value::String(text) if text.len() <= READ => {
            let lower = text.to_lowercase();
            WORDS.iter().find(|words| lower.contains(**words)).map(|words| (*words).to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::says_none;

    #[test]
    fn an_answer_may_say_that_there_is_nothing() {
        for value in [
            json!({"resourceType": "Bundle", "total": 0}),
            json!("<Ack><text>No matching data found for this interval</text></Ack>"),
            json!({"meta": {"count": 0}}),
            json!({"message": "Keine Treffer"}),
        ] {
            assert!(says_none(&value).is_some(), "{value}");
        }
        for value in [json!({"total": 0, "items": [1]}), json!({"total": 3}), json!("all is well"), json!([])]
        {
            assert_eq!(says_none(&value), None, "{value}");
        }
    }
}
