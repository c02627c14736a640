//! Every playbook below a catalog path, as one playbook that loops over them (the `playbooks` tool).

use std::sync::Arc;

use noetl_domain::execution::Plan;
use noetl_domain::playbook::{Loop, LoopMode, LoopSource, Playbook, Start, Step, Task};
use noetl_domain::{Map, Value};

use super::plans::{PlanSource, Which};
use crate::error::ServerError;

/// How the `playbooks` tool names a family.
const SUFFIX: &str = "/*";
/// The key under which the tool says how the family runs.
const SETTINGS: &str = "_playbooks";

/// The Plan that is asked for: from the catalog, or the one of a family.
pub(super) async fn plan(plans: &dyn PlanSource, which: Which) -> Result<Arc<Plan>, ServerError> {
    match which {
        Which::Path(path, _) if path.ends_with(SUFFIX) => {
            Ok(Arc::new(Plan::new(family(path), 1, String::new())))
        }
        which => plans.plan(which).await,
    }
}

/// What a family is started with: who belongs to it now is kept in its workload, so that a restart runs the same ones.
pub(super) async fn payload(plans: &dyn PlanSource, path: &str, payload: &Map) -> Result<Map, ServerError> {
    let Some(prefix) = path.strip_suffix(SUFFIX) else { return Ok(payload.clone()) };
    let mut inputs = payload.clone();
    let settings = inputs.remove(SETTINGS).unwrap_or_default();
    let parallel = settings.get("parallel").and_then(Value::as_bool).unwrap_or(false);
    let mut paths = plans.paths_below(prefix).await?;
    paths.sort();
    if paths.is_empty() {
        return Err(ServerError::unknown_playbook(path, None));
    }
    let mut started = Map::new();
    started.insert("paths".into(), paths.into());
    started.insert("inputs".into(), Value::Object(inputs));
    started.insert("at_once".into(), Value::from(if parallel { 8 } else { 1 }));
    Ok(started)
}

fn family(path: String) -> Playbook {
    let mut config = Map::new();
    config.insert("path".into(), "{{ iter.path }}".into());
    config.insert("payload".into(), "{{ workload.inputs }}".into());
    Playbook {
        name: path.clone(),
        path,
        entry: vec![Start { step: "run".into(), ..Start::default() }],
        steps: vec![Step {
            name: "run".into(),
            looped: Some(Loop {
                source: LoopSource::In("{{ workload.paths }}".into()),
                iterator: "path".into(),
                mode: LoopMode::Parallel,
                max_in_flight: Some("{{ workload.at_once }}".into()),
                filter: None,
                order_by: None,
                limit: None,
                chunk: None,
                enumerate: false,
                until: None,
                on_item_failure: noetl_domain::playbook::ItemFailure::FailFast,
            }),
            body: vec![Task { name: "run".into(), kind: "playbook".into(), config, ..Task::default() }],
            ..Step::default()
        }],
        ..Playbook::default()
    }
}
