//! `prefix/*`: a playbook of our own making that runs every playbook below a path.
//!
//! The tool `playbooks` asks for it: a loop over what the catalog holds at this moment, one sub-playbook each.

use noetl_domain::execution::Plan;
use noetl_domain::playbook::{
    ItemFailure, Loop, LoopMode, LoopSource, OnNoMatch, Playbook, RouteMode, Routes, Start, Step, Task,
};
use noetl_domain::{Map, Value};
use serde_json::json;

const STEP: &str = "all";

/// The prefix that a path such as `reports/*` names.
pub(super) fn prefix(path: &str) -> Option<&str> {
    path.strip_suffix("/*").filter(|prefix| !prefix.is_empty())
}

pub(super) fn plan(path: &str, members: Vec<String>) -> Plan {
    let config: Map = [
        ("path".to_owned(), Value::from("{{ iter.playbook }}")),
        ("payload".to_owned(), Value::from("{{ workload }}")),
    ]
    .into_iter()
    .collect();
    let run = Task { name: STEP.to_owned(), kind: "playbook".to_owned(), config, ..Task::default() };
    let each = Loop {
        source: LoopSource::In(json!(members)),
        iterator: "playbook".to_owned(),
        mode: LoopMode::Parallel,
        max_in_flight: Some(Value::from("{{ 8 if workload._playbooks.parallel else 1 }}")),
        filter: None,
        order_by: None,
        limit: None,
        chunk: None,
        enumerate: false,
        until: None,
        on_item_failure: ItemFailure::FailFast,
    };
    let routes = Routes { mode: RouteMode::All, on_no_match: OnNoMatch::Complete, ..Routes::default() };
    let step = Step { name: STEP.to_owned(), looped: Some(each), body: vec![run], routes, ..Step::default() };
    let playbook = Playbook {
        name: path.to_owned(),
        path: path.to_owned(),
        steps: vec![step],
        entry: vec![Start { step: STEP.to_owned(), inputs: Map::new() }],
        ..Playbook::default()
    };
    Plan::new(playbook, 1, "0".to_owned())
}
