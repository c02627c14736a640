//! What a loop goes over: its collection rendered, filtered, sorted, cut and chunked.
//!
//! The decider asks for the loop of a step, the worker for a loop inside a pipeline.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::json;

use super::failure;
use crate::code::Code;
use crate::error::TaskError;
use crate::event::LoopItems;
use crate::playbook::{Expr, Loop, LoopMode, LoopSource};
use crate::template::{self, Scope};
use crate::{Map, Value};

/// Iterations side by side when a parallel loop names no number.
const DEFAULT_CONCURRENCY: u32 = 8;

/// How many Iterations run side by side.
pub fn concurrency(looped: &Loop, scope: &Scope) -> Result<u32, TaskError> {
    let default = match looped.mode {
        LoopMode::Sequential => return Ok(1),
        LoopMode::Parallel | LoopMode::Cursor => DEFAULT_CONCURRENCY,
    };
    Ok(number(looped.max_in_flight.as_ref(), "the loop's max_in_flight", scope)?
        .map_or(default, |number| number.clamp(1, 10_000) as u32))
}

/// A count that may be written as a template.
fn number(value: Option<&Value>, what: &str, scope: &Scope) -> Result<Option<u64>, TaskError> {
    let Some(value) = value else { return Ok(None) };
    let rendered = template::render(value, scope).map_err(|error| failure::template(what, &error))?;
    let number = match &rendered {
        Value::Null => return Ok(None),
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.map(Some).ok_or_else(|| {
        failure::coded(Code::LoopSource, "config", format!("{what} is {rendered}, which is not a count"))
    })
}

/// The elements; of a cursor, how to fetch them.
pub fn items(looped: &Loop, concurrency: u32, scope: &Scope) -> Result<LoopItems, TaskError> {
    let source = match &looped.source {
        LoopSource::In(source) => source,
        LoopSource::Cursor(cursor) => {
            let max_rows = number(Some(&cursor.max_rows), "the cursor's max_rows", scope)?.unwrap_or(1);
            return Ok(LoopItems::Cursor { lanes: concurrency, max_rows: max_rows.clamp(1, 100_000) as u32 });
        }
    };
    let rendered = template::render(source, scope)
        .map_err(|error| failure::template("the loop's collection", &error))?;
    let plain = looped.filter.is_none() && looped.order_by.is_none() && looped.chunk.is_none();
    let limit = number(looped.limit.as_ref(), "the loop's limit", scope)?;
    if let (Some(count), true) = (rendered.as_u64(), plain) {
        return Ok(LoopItems::Range(limit.map_or(count, |limit| limit.min(count))));
    }
    let mut items = elements(rendered)?;
    if let Some(filter) = &looped.filter {
        items = keep(items, filter, looped, scope)?;
    }
    if let Some(order) = &looped.order_by {
        items = sorted(items, order, looped, scope)?;
    }
    if let Some(limit) = limit {
        items.truncate(limit as usize);
    }
    if let Some(size) = number(looped.chunk.as_ref(), "the loop's chunk", scope)? {
        items = items.chunks((size as usize).max(1)).map(|chunk| Value::Array(chunk.to_vec())).collect();
    }
    Ok(LoopItems::List(Arc::new(items)))
}

/// Everything that playbooks.md 7.1 accepts as a collection.
fn elements(collection: Value) -> Result<Vec<Value>, TaskError> {
    Ok(match collection {
        Value::Array(items) => items,
        Value::Object(mut map) => match shaped_rows(&mut map) {
            Some(rows) => rows,
            None => map.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect(),
        },
        Value::Number(number) if number.as_u64().is_some() => {
            (0..number.as_u64().unwrap_or_default()).map(Value::from).collect()
        }
        Value::String(text) => from_text(&text)?,
        other => {
            let message = format!("the loop's collection is {other}, which is nothing to loop over");
            return Err(failure::coded(Code::LoopSource, "config", message));
        }
    })
}

/// A SQL result or a loop result stands for its list.
fn shaped_rows(map: &mut Map) -> Option<Vec<Value>> {
    let key = if map.contains_key("row_count") && map.contains_key("rows") {
        "rows"
    } else if map.contains_key("stats") && map.contains_key("results") {
        "results"
    } else {
        return None;
    };
    match map.get_mut(key)?.take() {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn from_text(text: &str) -> Result<Vec<Value>, TaskError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    if trimmed.starts_with(['[', '{'])
        && let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(trimmed)
    {
        return elements(value);
    }
    let split: Vec<&str> =
        trimmed.split(['\n', ',']).map(str::trim).filter(|part| !part.is_empty()).collect();
    Ok(split.into_iter().map(Value::from).collect())
}

fn with_element(scope: &Scope, looped: &Loop, item: &Value, index: usize, total: usize) -> Scope {
    let mut scope = scope.child();
    template::bind_iteration(&mut scope, &looped.iterator, item, index as u64, Some(total as u64));
    scope
}

fn keep(items: Vec<Value>, filter: &Expr, looped: &Loop, scope: &Scope) -> Result<Vec<Value>, TaskError> {
    let total = items.len();
    let mut kept = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let element = with_element(scope, looped, &item, index, total);
        if template::test(filter, &element).map_err(|error| failure::template("the loop's filter", &error))? {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn sorted(items: Vec<Value>, order: &str, looped: &Loop, scope: &Scope) -> Result<Vec<Value>, TaskError> {
    let (order, down) = match order.trim().strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (order.trim(), false),
    };
    let total = items.len();
    let template = if order.contains("{{") { order.to_owned() } else { format!("{{{{ {order} }}}}") };
    let template = Value::String(template);
    let mut keyed = Vec::with_capacity(total);
    for (index, item) in items.into_iter().enumerate() {
        let element = with_element(scope, looped, &item, index, total);
        // A bare field name sorts by that field of the element.
        let key = match item.get(order) {
            Some(field) => field.clone(),
            None => template::render(&template, &element)
                .map_err(|error| failure::template("the loop's order_by", &error))?,
        };
        keyed.push((key, item));
    }
    keyed.sort_by(|(a, _), (b, _)| if down { compare(b, a) } else { compare(a, b) });
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64(), a.as_str(), b.as_str()) {
        (Some(a), Some(b), _, _) => a.total_cmp(&b),
        (_, _, Some(a), Some(b)) => a.cmp(b),
        _ => a.to_string().cmp(&b.to_string()),
    }
}
