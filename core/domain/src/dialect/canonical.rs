//! The canonical form: the words of E, and keys of our own where E has none.
//!
//! Reading it gives the same Playbook again.
//! `dialect:` stays where an older generation settles what results look like.

mod step;
mod task;

use serde_json::json;

use super::step::DIALECTS;
use crate::playbook::{CatchUp, Dialect, KeychainEntry, Playbook, ScheduleSpec, ScheduleWhen};
use crate::{Map, Value, yaml};

/// The playbook as canonical YAML.
pub fn canonical(playbook: &Playbook) -> String {
    // Most playbooks need no `dialect:`; whether this one does, reading tells.
    let plain = print(playbook, false);
    let same = super::read(&plain).playbook.is_some_and(|read| read == *playbook);
    if same { plain } else { print(playbook, true) }
}

fn print(playbook: &Playbook, explicit: bool) -> String {
    let mut root = Map::new();
    root.insert("apiVersion".to_owned(), "noetl.io/v2".into());
    root.insert("kind".to_owned(), "Playbook".into());
    if explicit {
        root.insert("dialect".to_owned(), word(playbook.dialect).into());
    }
    root.insert("metadata".to_owned(), metadata(playbook));
    put_map(&mut root, "workload", &playbook.workload);
    if !playbook.keychain.is_empty() {
        root.insert("keychain".to_owned(), playbook.keychain.iter().map(keychain).collect());
    }
    let spec = executor(playbook);
    if !spec.is_empty() {
        root.insert("executor".to_owned(), json!({ "spec": spec }));
    }
    if let Some(timeout) = playbook.timeout_seconds {
        root.insert("timeout".to_owned(), json!(timeout));
    }
    let steps = playbook.steps.iter().map(|step| step::value(step, explicit));
    root.insert("workflow".to_owned(), steps.collect());
    spaced(&yaml::print(&Value::Object(root)))
}

/// A blank line before every section and every step.
fn spaced(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + 256);
    let mut workflow = false;
    for line in text.lines() {
        let section = !line.starts_with([' ', '-']) && !line.is_empty();
        let step = workflow && line.starts_with("  - step:");
        if matches!(line, "workload:" | "workflow:" | "keychain:") || step && !output.ends_with("workflow:\n")
        {
            output.push('\n');
        }
        if section {
            workflow = line == "workflow:";
        }
        output.push_str(line);
        output.push('\n');
    }
    output
}

fn metadata(playbook: &Playbook) -> Value {
    let mut metadata = Map::new();
    if !playbook.name.is_empty() {
        metadata.insert("name".to_owned(), playbook.name.clone().into());
    }
    if !playbook.path.is_empty() {
        metadata.insert("path".to_owned(), playbook.path.clone().into());
    }
    if let Some(description) = &playbook.description {
        metadata.insert("description".to_owned(), description.clone().into());
    }
    if !playbook.labels.is_empty() {
        metadata.insert("labels".to_owned(), json!(playbook.labels));
    }
    if !playbook.schedules.is_empty() {
        metadata.insert("schedule".to_owned(), playbook.schedules.iter().map(schedule).collect());
    }
    Value::Object(metadata)
}

fn schedule(spec: &ScheduleSpec) -> Value {
    let mut schedule = Map::new();
    match &spec.when {
        ScheduleWhen::Cron(line) => schedule.insert("cron".to_owned(), line.clone().into()),
        ScheduleWhen::IntervalSeconds(seconds) => schedule.insert("interval".to_owned(), json!(seconds)),
    };
    if let Some(timezone) = &spec.timezone {
        schedule.insert("timezone".to_owned(), timezone.clone().into());
    }
    put_map(&mut schedule, "payload", &spec.payload);
    let catch_up = match spec.catch_up {
        CatchUp::Skip => None,
        CatchUp::Latest => Some("latest"),
        CatchUp::All => Some("all"),
    };
    put(&mut schedule, "catch_up", catch_up.map(Value::from));
    if !spec.enabled {
        schedule.insert("enabled".to_owned(), false.into());
    }
    Value::Object(schedule)
}

fn keychain(entry: &KeychainEntry) -> Value {
    let mut map = Map::new();
    map.insert("name".to_owned(), entry.name.clone().into());
    map.insert("kind".to_owned(), entry.kind.clone().into());
    put(&mut map, "scope", entry.scope.clone().map(Value::from));
    map.extend(entry.config.clone());
    Value::Object(map)
}

fn executor(playbook: &Playbook) -> Map {
    let mut spec = Map::new();
    match playbook.entry.as_slice() {
        [only] if only.inputs.is_empty() => {
            let natural = if playbook.step("start").is_some() { Some("start") } else { None };
            let natural = natural.or(playbook.steps.first().map(|step| step.name.as_str()));
            if natural != Some(only.step.as_str()) {
                spec.insert("entry_step".to_owned(), only.step.clone().into());
            }
        }
        entries => {
            let starts = entries.iter().map(|start| json!({ "step": start.step, "input": start.inputs }));
            spec.insert("entry".to_owned(), starts.collect());
        }
    }
    put(&mut spec, "final_step", playbook.final_step.clone().map(Value::from));
    if playbook.no_next_is_error {
        spec.insert("no_next_is_error".to_owned(), true.into());
    }
    if !playbook.transitions.is_empty() {
        spec.insert("transitions".to_owned(), json!(playbook.transitions));
    }
    spec
}

fn word(dialect: Dialect) -> &'static str {
    DIALECTS.iter().find(|(_, known)| *known == dialect).map_or("E", |(word, _)| word)
}

fn put(map: &mut Map, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value);
    }
}

fn put_map(map: &mut Map, key: &str, value: &Map) {
    if !value.is_empty() {
        map.insert(key.to_owned(), Value::Object(value.clone()));
    }
}

fn put_list(map: &mut Map, key: &str, items: &[String]) {
    if !items.is_empty() {
        map.insert(key.to_owned(), json!(items));
    }
}
