//! A task in canonical form, and the blocks it shares with steps.

use serde_json::json;

use super::step::looped;
use super::{put, put_list, put_map};
use crate::dialect::retry::plain;
use crate::playbook::{
    Assignment, Backoff, Directive, Merge, Repeat, Retry, Rule, Save, SaveOn, SetScope, Step, Task,
};
use crate::{Map, Value};

pub(super) fn value(task: &Task, named: bool) -> Value {
    let mut map = Map::new();
    if named {
        map.insert("name".to_owned(), task.name.clone().into());
    }
    map.insert("kind".to_owned(), task.kind.clone().into());
    put(&mut map, "auth", task.auth.clone());
    put_map(&mut map, "input", &task.inputs);
    if let Some(inner) = &task.nested {
        nested(&mut map, inner);
    }
    for (key, value) in &task.config {
        map.insert(key.clone(), value.clone());
    }
    put(&mut map, "timeout", task.timeout_seconds.clone().or_else(|| task.config.get("timeout").cloned()));
    put(&mut map, "idempotent", task.idempotent.map(Value::from));
    put(&mut map, "retry", retries(&task.retry));
    put(&mut map, "pagination", task.repeat.as_ref().map(repeat));
    put(&mut map, "save", saves(&task.saves));
    put(&mut map, "set", sets(&task.sets));
    put_list(&mut map, "output_select", &task.select);
    if !task.rules.is_empty() {
        let rules: Value = task.rules.iter().map(rule).collect();
        map.insert("spec".to_owned(), json!({ "policy": { "rules": rules } }));
    }
    Value::Object(map)
}

/// A loop in the place of a tool: the keys of the iterator, and its body.
fn nested(map: &mut Map, inner: &Step) {
    if let Some(Value::Object(mut keys)) = inner.looped.as_ref().map(looped) {
        // `spec` of a task is about its policy.
        if let Some(Value::Object(spec)) = keys.remove("spec") {
            for (key, value) in spec {
                map.insert(if key == "policy" { "failure".to_owned() } else { key }, value);
            }
        }
        map.extend(keys);
    }
    let body = match inner.body.as_slice() {
        [only] if !inner.pipeline => json!({ "name": only.name, "tool": value(only, false) }),
        tasks => tasks.iter().map(|task| value(task, true)).collect(),
    };
    map.insert("task".to_owned(), body);
}

fn rule(rule: &Rule) -> Value {
    let mut then = match &rule.directive {
        Directive::Continue => json!({ "do": "continue" }),
        Directive::Break => json!({ "do": "break" }),
        Directive::Fail => json!({ "do": "fail" }),
        Directive::Jump { to } => json!({ "do": "jump", "to": to }),
        Directive::Retry { attempts, backoff, delay_seconds } => {
            let backoff = match backoff {
                Backoff::None => "none",
                Backoff::Fixed => "fixed",
                Backoff::Linear => "linear",
                Backoff::Exponential => "exponential",
            };
            json!({ "do": "retry", "attempts": attempts, "backoff": backoff, "delay": delay_seconds })
        }
    };
    if let (Some(then), Some(sets)) = (then.as_object_mut(), sets(&rule.sets)) {
        then.insert("set".to_owned(), sets);
    }
    match &rule.when {
        Some(when) => json!({ "when": when.0, "then": then }),
        None => json!({ "else": { "then": then } }),
    }
}

pub(super) fn sets(sets: &[Assignment]) -> Option<Value> {
    if sets.is_empty() {
        return None;
    }
    let key = |set: &Assignment| match set.scope {
        SetScope::Ctx => format!("ctx.{}", set.key),
        SetScope::Iter => format!("iter.{}", set.key),
        SetScope::Step => format!("step.{}", set.key),
    };
    let map: Map = sets.iter().map(|set| (key(set), set.value.clone())).collect();
    // The same key twice: their order counts.
    if map.len() < sets.len() {
        return Some(sets.iter().map(|set| json!({ "name": key(set), "value": set.value })).collect());
    }
    Some(map.into())
}

pub(super) fn retries(retries: &[Retry]) -> Option<Value> {
    match retries {
        [] => None,
        [only] => Some(retry(only)),
        several => Some(several.iter().map(retry).collect()),
    }
}

pub(super) fn retry(retry: &Retry) -> Value {
    let default = plain();
    let mut map = Map::new();
    map.insert("max_attempts".to_owned(), retry.max_attempts.clone());
    for (key, value, usual) in [
        ("initial_delay", &retry.initial_delay_seconds, &default.initial_delay_seconds),
        ("max_delay", &retry.max_delay_seconds, &default.max_delay_seconds),
        ("backoff_multiplier", &retry.multiplier, &default.multiplier),
    ] {
        put(&mut map, key, (value != usual).then(|| value.clone()));
    }
    if retry.linear {
        map.insert("backoff".to_owned(), "linear".into());
    }
    if !retry.jitter {
        map.insert("jitter".to_owned(), false.into());
    }
    put(&mut map, "retry_when", retry.when.as_ref().map(|when| when.0.clone().into()));
    put(&mut map, "stop_when", retry.stop_when.as_ref().map(|when| when.0.clone().into()));
    Value::Object(map)
}

pub(super) fn merge(merge: Merge) -> &'static str {
    match merge {
        Merge::Append => "append",
        Merge::Extend => "extend",
        Merge::Replace => "replace",
        Merge::Collect => "collect",
    }
}

fn repeat(repeat: &Repeat) -> Value {
    let mut map = Map::new();
    map.insert("continue_while".to_owned(), repeat.while_true.0.clone().into());
    put_map(&mut map, "next_page", &repeat.next);
    map.insert("merge_strategy".to_owned(), merge(repeat.merge).into());
    put(&mut map, "merge_path", repeat.path.clone().map(Value::from));
    put(&mut map, "into", repeat.into.clone().map(Value::from));
    map.insert("max_iterations".to_owned(), repeat.max_pages.clone());
    put(&mut map, "retry", retries(&repeat.retry));
    put(&mut map, "save", saves(&repeat.saves));
    Value::Object(map)
}

pub(super) fn saves(saves: &[Save]) -> Option<Value> {
    match saves {
        [] => None,
        [only] => Some(save(only)),
        several => Some(several.iter().map(save).collect()),
    }
}

pub(super) fn save(save: &Save) -> Value {
    let mut map = Map::new();
    map.insert("storage".to_owned(), save.backend.clone().into());
    put(&mut map, "auth", save.auth.clone());
    put(&mut map, "when", save.when.as_ref().map(|when| when.0.clone().into()));
    let on = match save.on {
        SaveOn::Success => None,
        SaveOn::Error => Some("error"),
        SaveOn::Always => Some("always"),
    };
    put(&mut map, "on", on.map(Value::from));
    map.extend(save.config.clone());
    Value::Object(map)
}
