//! A step in canonical form.

use serde_json::json;

use super::task;
use super::{put, put_list, put_map, word};
use crate::playbook::{
    Action, Arc, Case, Cursor, ItemFailure, Join, Loop, LoopMode, LoopSource, OnNoMatch, RouteMode, Routes,
    Step,
};
use crate::{Map, Value};

pub(super) fn value(step: &Step, explicit: bool) -> Value {
    let mut map = Map::new();
    map.insert("step".to_owned(), step.name.clone().into());
    put(&mut map, "desc", step.description.clone().map(Value::from));
    if explicit {
        map.insert("dialect".to_owned(), word(step.dialect).into());
    }
    put(&mut map, "when", step.guard.as_ref().map(|guard| guard.0.clone().into()));
    put_map(&mut map, "input", &step.inputs);
    put(&mut map, "loop", step.looped.as_ref().map(looped));
    put(&mut map, "tool", tool(step));
    put(&mut map, "retry", task::retries(&step.retry));
    put(&mut map, "save", task::saves(&step.saves));
    put_map(&mut map, "vars", &step.extracts);
    put(&mut map, "set", task::sets(&step.sets));
    put(&mut map, "timeout", step.timeout_seconds.clone());
    put(&mut map, "deadline", step.deadline_seconds.map(|seconds| json!(seconds)));
    if let Some(output) = &step.output {
        let mut policy = Map::new();
        put(&mut policy, "store", output.store.as_ref().map(|kind| json!({ "kind": kind })));
        put_list(&mut policy, "output_select", &output.select);
        map.insert("output".to_owned(), policy.into());
    }
    put(&mut map, "as", step.alias.clone().map(Value::from));
    put(&mut map, "pool", step.pool.clone().map(Value::from));
    put(&mut map, "idempotent", step.idempotent.map(Value::from));
    if step.join == Join::EachToken {
        map.insert("join".to_owned(), "each_token".into());
    }
    if !step.cases.is_empty() {
        map.insert("case".to_owned(), step.cases.iter().map(case).collect());
    }
    if step.routes != Routes::default() {
        map.insert("next".to_owned(), routes(&step.routes));
    }
    Value::Object(map)
}

fn tool(step: &Step) -> Option<Value> {
    match step.body.as_slice() {
        [only] if !step.pipeline => Some(task::value(only, false)),
        [] if matches!(step.name.as_str(), "start" | "end") => None,
        [] => Some(json!({ "kind": "router" })),
        tasks => Some(tasks.iter().map(|task| task::value(task, true)).collect()),
    }
}

pub(super) fn looped(looped: &Loop) -> Value {
    let mut map = Map::new();
    let mut frame = None;
    match &looped.source {
        LoopSource::In(source) => map.insert("in".to_owned(), source.clone()),
        LoopSource::Cursor(cursor) => {
            frame = Some(self::frame(cursor));
            map.insert("cursor".to_owned(), self::cursor(cursor))
        }
    };
    map.insert("iterator".to_owned(), looped.iterator.clone().into());
    put(&mut map, "where", looped.filter.as_ref().map(|filter| filter.0.clone().into()));
    put(&mut map, "order_by", looped.order_by.clone().map(Value::from));
    put(&mut map, "limit", looped.limit.clone());
    put(&mut map, "chunk", looped.chunk.clone());
    if looped.enumerate {
        map.insert("enumerate".to_owned(), true.into());
    }
    put(&mut map, "until", looped.until.as_ref().map(|until| until.0.clone().into()));
    let mut spec = Map::new();
    let mode = match looped.mode {
        LoopMode::Sequential => "sequential",
        LoopMode::Parallel => "parallel",
        LoopMode::Cursor => "cursor",
    };
    spec.insert("mode".to_owned(), mode.into());
    put(&mut spec, "max_in_flight", looped.max_in_flight.clone());
    if looped.on_item_failure == ItemFailure::BestEffort {
        spec.insert("policy".to_owned(), json!({ "failure": { "mode": "best_effort" } }));
    }
    put(&mut spec, "frame", frame);
    map.insert("spec".to_owned(), spec.into());
    Value::Object(map)
}

fn cursor(cursor: &Cursor) -> Value {
    let mut map = Map::new();
    map.insert("kind".to_owned(), cursor.kind.clone().into());
    put(&mut map, "auth", cursor.auth.clone());
    map.insert("claim".to_owned(), cursor.claim.clone().into());
    map.extend(cursor.config.clone());
    Value::Object(map)
}

fn frame(cursor: &Cursor) -> Value {
    let mut map = Map::new();
    map.insert("max_rows".to_owned(), cursor.max_rows.clone());
    put(&mut map, "max_seconds", cursor.max_seconds.map(|seconds| json!(seconds)));
    map.insert("lease_seconds".to_owned(), json!(cursor.lease_seconds));
    map.insert("row_concurrency".to_owned(), cursor.row_concurrency.clone());
    map.insert("process".to_owned(), if cursor.per_frame { "frame" } else { "row" }.into());
    Value::Object(map)
}

fn routes(routes: &Routes) -> Value {
    let mut map = Map::new();
    let mode = match routes.mode {
        RouteMode::All => "inclusive",
        RouteMode::First => "exclusive",
        RouteMode::Chain => "chain",
    };
    let mut spec = Map::from_iter([("mode".to_owned(), mode.into())]);
    if routes.on_no_match == OnNoMatch::Quiet {
        spec.insert("on_no_match".to_owned(), "quiet".into());
    }
    map.insert("spec".to_owned(), spec.into());
    map.insert("arcs".to_owned(), routes.arcs.iter().map(arc).collect());
    if !routes.otherwise.is_empty() {
        map.insert("else".to_owned(), routes.otherwise.iter().map(arc).collect());
    }
    Value::Object(map)
}

fn arc(arc: &Arc) -> Value {
    let mut map = Map::new();
    map.insert("step".to_owned(), arc.to.clone().into());
    put(&mut map, "when", arc.when.as_ref().map(|when| when.0.clone().into()));
    put_map(&mut map, "input", &arc.inputs);
    put(&mut map, "set", task::sets(&arc.sets));
    Value::Object(map)
}

fn case(case: &Case) -> Value {
    let then: Value = case.then.iter().map(action).collect();
    match &case.when {
        Some(when) => json!({ "when": when.0, "then": then }),
        None => json!({ "else": then }),
    }
}

fn action(action: &Action) -> Value {
    match action {
        Action::Next(arcs) => json!({ "next": arcs.iter().map(arc).collect::<Value>() }),
        Action::Set(sets) => json!({ "set": task::sets(sets).unwrap_or_else(|| json!({})) }),
        Action::Result(value) => json!({ "result": value }),
        Action::Collect { merge, path, into } => {
            let mut map = Map::from_iter([("strategy".to_owned(), task::merge(*merge).into())]);
            put(&mut map, "path", path.clone().map(Value::from));
            put(&mut map, "into", into.clone().map(Value::from));
            json!({ "collect": map })
        }
        Action::Again { next, max_pages } => {
            json!({ "retry": { "next_call": next, "max_attempts": max_pages } })
        }
        Action::Retry(retry) => json!({ "retry": task::retry(retry) }),
        Action::Call { step, inputs } => {
            let mut map = Map::from_iter([("step".to_owned(), step.clone().into())]);
            put_map(&mut map, "input", inputs);
            json!({ "call": map })
        }
        Action::Save(save) => json!({ "save": task::save(save) }),
        Action::Fail(None) => json!({ "fail": true }),
        Action::Fail(Some(value)) => json!({ "fail": value }),
        Action::Skip => json!({ "skip": true }),
    }
}
