//! Shapes: how each kind of result answers every generation's way of reading it (playbooks.md 7.3, 13.1, 14.1, 14.3).

use serde_json::Value as Json;

use super::scope::Session;
use super::view::{At, Document, View};
use crate::Map;
use crate::command::StepResult;
use crate::result::{ResultKind, Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Data without any reading of its own.
    Json,
    Plain,
    Http,
    Sql,
    Loop {
        /// Every element is the result of a pipeline.
        pipelines: bool,
    },
    Pipeline,
}

impl Shape {
    pub(super) fn of(kind: ResultKind) -> Self {
        match kind {
            ResultKind::Plain => Self::Plain,
            ResultKind::Http => Self::Http,
            ResultKind::Sql => Self::Sql,
            ResultKind::Loop => Self::Loop { pipelines: false },
            ResultKind::LoopOfPipelines => Self::Loop { pipelines: true },
            ResultKind::Pipeline => Self::Pipeline,
        }
    }
}

/// The shape of a result whose kind was not recorded: a task inside a pipeline.
pub(super) fn sniff(at: At<'_>) -> Shape {
    let Some(map) = at.object() else { return Shape::Plain };
    if map.get("rows").is_some_and(Json::is_array) && map.contains_key("row_count") {
        Shape::Sql
    } else if map.contains_key("status_code") && map.contains_key("headers") && map.contains_key("data") {
        Shape::Http
    } else {
        Shape::Plain
    }
}

/// The words for a step's state; section 23, row 1: `ok` and `success` are the same.
pub(super) fn status_words(status: &str, first: &str) -> View {
    let words: &[&str] = match status.to_ascii_lowercase().as_str() {
        "failed" | "error" | "failure" => &["error", "failed", "FAILED", "ERROR", "failure"],
        "skipped" => &["skipped", "SKIPPED"],
        "cancelled" => &["cancelled", "CANCELLED"],
        _ => &["success", "ok", "completed", "COMPLETED", "SUCCESS", "OK", "succeeded", "done"],
    };
    let leading = words.iter().filter(|word| **word == first);
    View::words(leading.chain(words.iter().filter(|word| **word != first)).copied())
}

pub(super) fn get(document: &Document, key: &str, session: &Session) -> Option<View> {
    if let Some(result) = document.result()
        && let Some(view) = without_loading(document, result, key, session)
    {
        return Some(view);
    }
    let document = document.settled(session)?;
    let at = document.at()?;
    let own = |key: &str| at.get(key).map(|_| View::document(document.child(key, Shape::Json)));
    let itself = || Some(View::document(document.clone().into_owned()));
    match document.shape {
        Shape::Json => own(key),
        Shape::Plain => match key {
            // Ambiguous names are not looked for inside `data`.
            "status" | "error" | "data" | "result" => own(key).or_else(|| alias(&document, key)),
            _ => own(key)
                .or_else(|| inside(&document, "data", key))
                // What a child's run says of itself lies under a reserved key.
                .or_else(|| inside(&document, "_execution", key).filter(|_| key == "execution_id"))
                .or_else(|| alias(&document, key)),
        },
        Shape::Http => match key {
            "status" => status(&document, own(key)),
            "body" => own("body").or_else(|| own("data")),
            "response" => own(key).or_else(|| inside(&document, "data", key)).or_else(itself),
            _ => own(key).or_else(|| inside(&document, "data", key)).or_else(|| alias(&document, key)),
        },
        Shape::Sql => match key {
            "status" => status(&document, own(key)),
            "rowcount" => own(key).or_else(|| own("row_count")).or_else(|| own("affected_rows")),
            "command_0" => own(key).or_else(itself),
            _ => own(key).or_else(|| alias(&document, key)),
        },
        Shape::Loop { .. } => match key {
            "results" | "data" | "result" | "items" => {
                let list =
                    at.get("results").map(|_| View::document(document.child("results", document.shape)));
                list.or_else(itself)
            }
            "stats" => own(key).or_else(|| stats(&document)),
            "count" | "length" | "total" => {
                own(key).or_else(|| Some(View::number(length(at, document.shape)?)))
            }
            _ => own(key).or_else(|| alias(&document, key)),
        },
        Shape::Pipeline => pipeline(&document, at, key),
    }
}

fn pipeline(document: &Document, at: At<'_>, key: &str) -> Option<View> {
    let labels = at.object();
    let task = |label: &str| {
        let value = at.get(label)?;
        Some(document.child(label, sniff(At::Value(value))))
    };
    if let Some(task) = task(key) {
        return Some(View::document(task));
    }
    let itself = || View::document(Document { shape: Shape::Pipeline, ..document.clone() });
    match key {
        "results" | "steps" => return Some(itself()),
        "_prev" => {
            let last = labels?.keys().next_back()?;
            return task(last).map(View::document);
        }
        _ => {}
    }
    // Fields of the results merged flat, the last task first.
    let underscored = key.contains('_').then(|| key.replace('_', "-"));
    for (label, value) in labels?.iter().rev() {
        let result = task(label)?;
        let found = match value.as_object() {
            Some(map) if map.contains_key(key) => Some(View::document(result.child(key, Shape::Json))),
            Some(_) if !matches!(key, "status" | "error" | "data" | "result") => inside(&result, "data", key),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        if underscored.as_deref() == Some(label) {
            return Some(View::document(result));
        }
    }
    alias(document, key)
}

/// `key` inside the member `outer`, when that is an object.
fn inside(document: &Document, outer: &str, key: &str) -> Option<View> {
    document.at()?.get(outer)?.as_object()?.get(key)?;
    Some(View::document(document.child(outer, Shape::Json).child(key, Shape::Json)))
}

/// Names that every result answers when its data has none of that name.
fn alias(document: &Document, key: &str) -> Option<View> {
    match key {
        "data" | "result" | "output" | "response" => Some(View::document(document.clone())),
        "status" => status(document, None),
        "error" => View::error(Some(document.result()?.error.as_ref()?)).into(),
        "exitCode" => {
            document.at()?.get("exit_code")?;
            Some(View::document(document.child("exit_code", Shape::Json)))
        }
        _ => None,
    }
}

/// The tool's own word when it is not one of the words for success or failure, else all words that mean the same.
fn status(document: &Document, own: Option<View>) -> Option<View> {
    let text = document.at().and_then(|at| at.get("status")).and_then(Json::as_str);
    if own.is_some() && !matches!(text, Some("ok" | "success" | "error" | "failed")) {
        return own;
    }
    let recorded = document.result().map(|result| result.status.as_str()).filter(|status| !status.is_empty());
    let word = recorded.or(text).unwrap_or("COMPLETED");
    Some(status_words(word, text.unwrap_or("success")))
}

/// What a result that lies elsewhere can say by itself.
fn without_loading(document: &Document, result: &StepResult, key: &str, session: &Session) -> Option<View> {
    let Stored::Ref(reference) = &result.value else { return None };
    match key {
        "_ref" | "ref" => serde_json::to_value(reference).ok().map(|value| View::json(value.into())),
        "_preview" => Some(View::json(reference.preview.clone().into())),
        "result" | "data" | "output" if reference.extracted.get(key).is_none() && !session.has(reference) => {
            // `s.data.total` must not load when `total` was extracted.
            (document.shape == Shape::Plain).then(|| View::document(document.clone()))
        }
        _ => reference.extracted.get(key).map(|value| View::json(value.clone().into())),
    }
}

fn stats(document: &Document) -> Option<View> {
    let total = length(document.at()?, document.shape)?;
    let value = serde_json::json!({"total": total, "success": total, "failed": 0});
    Some(View::json(value.into()))
}

/// The value as data: a pipeline's with the fields of its results merged flat, as its names answer one by one.
pub(super) fn whole(at: At<'_>, shape: Shape) -> Json {
    match shape {
        Shape::Pipeline => at.object().map_or_else(|| at.to_json(), flat),
        Shape::Loop { pipelines: true } => {
            let each = |items: &Vec<Json>| {
                items.iter().map(|item| whole(At::Value(item), Shape::Pipeline)).collect::<Vec<_>>()
            };
            match (at.list(), at.object()) {
                (Some(items), _) => Json::Array(each(items)),
                (None, Some(map)) => {
                    let mut map = map.clone();
                    if let Some(Json::Array(items)) = map.get_mut("results") {
                        *items = each(items);
                    }
                    Json::Object(map)
                }
                (None, None) => at.to_json(),
            }
        }
        _ => at.to_json(),
    }
}

fn flat(labels: &Map) -> Json {
    let mut map = labels.clone();
    for fields in labels.values().rev().filter_map(Json::as_object) {
        for (name, value) in fields {
            if !map.contains_key(name) {
                map.insert(name.clone(), value.clone());
            }
        }
    }
    Json::Object(map)
}

/// The list that index, iteration and length go to.
pub(super) fn elements(at: At<'_>, shape: Shape) -> Option<&Vec<Json>> {
    match shape {
        Shape::Sql => at.get("rows").and_then(Json::as_array).or_else(|| at.list()),
        Shape::Loop { .. } => at.get("results").and_then(Json::as_array).or_else(|| at.list()),
        Shape::Json | Shape::Plain | Shape::Http | Shape::Pipeline => at.list(),
    }
}

fn length(at: At<'_>, shape: Shape) -> Option<usize> {
    elements(at, shape).map(Vec::len)
}

pub(super) fn index(document: &Document, index: usize, session: &Session) -> Option<View> {
    let document = document.settled(session)?;
    let at = document.at()?;
    if elements(at, document.shape).is_none() && document.shape == Shape::Http {
        at.get("data")?.as_array()?.get(index)?;
        return Some(View::document(document.child("data", Shape::Json).item(index, Shape::Json)));
    }
    let element = elements(at, document.shape)?.get(index)?;
    // What an iteration gave reads as a step's result does.
    let shape = match document.shape {
        Shape::Loop { pipelines: true } => Shape::Pipeline,
        Shape::Loop { pipelines: false } => sniff(At::Value(element)),
        _ => Shape::Json,
    };
    let list = match document.shape {
        Shape::Sql if at.list().is_none() => document.child("rows", Shape::Json),
        Shape::Loop { .. } if at.list().is_none() => document.child("results", Shape::Json),
        _ => document.into_owned(),
    };
    Some(View::document(list.item(index, shape)))
}
