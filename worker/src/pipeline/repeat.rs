//! Pagination (playbooks.md 8.3): the tool is called again while a condition holds, and what came back is merged.

use std::sync::Arc;

use noetl_domain::command::StepResult;
use noetl_domain::playbook::{Merge, Repeat, Task};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::template::View;
use noetl_domain::{Map, Value};

use super::progress::{Progress, Stage};
use super::{Pipeline, Stop};
use crate::{fields, save};

/// Pages at most, whatever the playbook says.
const MOST_PAGES: i64 = 100_000;

/// What was merged, while it waits.
const MERGED: &str = "merged";

pub(super) async fn pages<'j>(
    pipeline: &mut Pipeline<'j>,
    task: &'j Task,
    repeat: &'j Repeat,
    first: Arc<StepResult>,
    mut progress: Progress,
) -> Result<Arc<StepResult>, Stop> {
    let (job, base) = (pipeline.job, pipeline.base);
    let most = base.value(job, &pipeline.scope, &repeat.max_pages).await?;
    let most = fields::integer(&most).unwrap_or(100).clamp(1, MOST_PAGES);
    let mut merged = progress.collected.remove(MERGED).unwrap_or_else(|| Value::Array(Vec::new()));
    let mut outcome = first;
    let mut pages = progress.count;
    progress.stage = Stage::Pages;
    loop {
        collect(&mut merged, &outcome, repeat.merge, repeat.path.as_deref());
        pages += 1;
        let mut scope = pipeline.with_outcome(&outcome);
        let accumulated = View::json(Arc::new(merged.clone()));
        for name in ["accumulated", "_all_collected_items"] {
            scope.bind(name, accumulated.clone());
        }
        for name in ["iteration", "page", "pages"] {
            scope.bind(name, View::number(pages));
        }
        let turns = View::fields([("index", View::number(pages)), ("count", View::number(pages))]);
        scope.bind("_retry", turns);
        save::run(pipeline, &repeat.saves, &scope, false, task.auth.as_ref()).await?;
        if pages >= most || !base.test(job, &scope, &repeat.while_true).await? {
            break;
        }
        let next = base.map(job, &scope, &repeat.next).await?;
        lay_over(&mut progress.changes, next);
        pipeline.state.attempt = 0;
        progress.count = pages;
        progress.collected.insert(MERGED.into(), merged);
        outcome = pipeline.proceed(task, Ok(()), &progress).await?;
        merged = progress.collected.remove(MERGED).unwrap_or_default();
        if outcome.error.is_some() {
            return Ok(outcome);
        }
    }
    if let Some(into) = &repeat.into {
        pipeline.collected.insert(into.clone(), merged.clone());
    }
    let value = match repeat.merge {
        Merge::Replace => merged,
        Merge::Append | Merge::Extend | Merge::Collect => with_counts(merged, pages),
    };
    Ok(Arc::new(StepResult {
        kind: ResultKind::Plain,
        status: "COMPLETED".into(),
        value: Stored::Inline(value),
        error: None,
    }))
}

/// Lists stay lists; what is merged into an object carries its counts.
fn with_counts(merged: Value, pages: i64) -> Value {
    match merged {
        Value::Object(mut map) => {
            map.insert("_pagination".into(), serde_json::json!({"pages_collected": pages}));
            Value::Object(map)
        }
        other => other,
    }
}

/// Later changes win; those of a map are merged into it.
pub(super) fn lay_over(changes: &mut Map, next: Map) {
    for (key, value) in next {
        match (changes.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(map)) => known.extend(map),
            (_, value) => {
                changes.insert(key, value);
            }
        }
    }
}

/// Merges one answer into what was collected so far.
pub(super) fn collect(merged: &mut Value, outcome: &StepResult, merge: Merge, path: Option<&str>) {
    let Stored::Inline(answer) = &outcome.value else { return };
    if merge == Merge::Replace {
        *merged = pick(answer, outcome.kind, path).clone();
        return;
    }
    if !merged.is_array() {
        *merged = match merged.take() {
            Value::Null => Value::Array(Vec::new()),
            single => Value::Array(vec![single]),
        };
    }
    let Value::Array(items) = merged else { return };
    let part = pick(answer, outcome.kind, path);
    match (merge, part) {
        (Merge::Collect, _) => items.push(answer.clone()),
        (Merge::Append, Value::Array(part)) => items.extend(part.iter().cloned()),
        (Merge::Extend, Value::Array(part)) => {
            for item in part {
                match item {
                    Value::Array(inner) => items.extend(inner.iter().cloned()),
                    other => items.push(other.clone()),
                }
            }
        }
        (_, Value::Null) => {}
        (_, other) => items.push(other.clone()),
    }
}

/// The part of an answer that a path names. The answer itself and its body are both starting points, as files write
/// `data.items` and `data.data.items` alike.
fn pick<'v>(answer: &'v Value, kind: ResultKind, path: Option<&str>) -> &'v Value {
    static NOTHING: Value = Value::Null;
    let body = answer.get("data").filter(|_| kind == ResultKind::Http || answer.is_object());
    let Some(path) = path.map(str::trim).filter(|path| !path.is_empty()) else {
        return if kind == ResultKind::Http { body.unwrap_or(answer) } else { answer };
    };
    let path = ["response.", "result."].iter().find_map(|start| path.strip_prefix(start)).unwrap_or(path);
    let shorter = path.strip_prefix("data.");
    let places = [
        follow(answer, path),
        body.and_then(|body| follow(body, path)),
        shorter.and_then(|path| follow(answer, path)),
        shorter.and_then(|path| follow(body?, path)),
    ];
    let list = places.iter().flatten().find(|value| value.is_array());
    list.or_else(|| places.iter().flatten().next()).copied().unwrap_or(&NOTHING)
}

fn follow<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn http(body: &Value) -> StepResult {
        let value = json!({"status_code": 200, "data": body});
        StepResult { kind: ResultKind::Http, value: Stored::Inline(value), ..StepResult::default() }
    }

    #[test]
    fn pages_merge_as_their_strategy_says() {
        let pages = [http(&json!({"data": [1, [2]]})), http(&json!({"data": [3]}))];
        let cases = [
            (Merge::Append, Some("data.data"), json!([1, [2], 3])),
            (Merge::Append, Some("data"), json!([1, [2], 3])),
            (Merge::Extend, Some("data.data"), json!([1, 2, 3])),
            (Merge::Replace, Some("data.data"), json!([3])),
            (Merge::Append, None, json!([{"data": [1, [2]]}, {"data": [3]}])),
        ];
        for (merge, path, expected) in cases {
            let mut merged = json!([]);
            for page in &pages {
                collect(&mut merged, page, merge, path);
            }
            assert_eq!(merged, expected, "{merge:?} {path:?}");
        }
    }
}
