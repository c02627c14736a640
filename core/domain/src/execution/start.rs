//! The first Event of an Execution: its inputs, merged and rendered.

use std::sync::Arc;

use super::plan::Plan;
use crate::event::{Parent, Requested, Taken};
use crate::id::ExecutionId;
use crate::rollout::Assigned;
use crate::template::{Ambient, Scope, TemplateError};
use crate::{Map, Value, template};

/// Inputs that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the workload cannot be rendered")]
    Workload(#[source] TemplateError),
    #[error("the playbook has no step {0:?} to run up to")]
    UnknownTarget(String),
}

/// Lays the caller's payload over the playbook's workload: by top-level keys, or deeply when `merge` is asked for.
pub fn merge_workload(workload: &Map, payload: &Map, merge: bool) -> Map {
    let mut merged = workload.clone();
    for (key, value) in payload {
        match (merged.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) if merge => {
                *below = merge_workload(below, above, true);
            }
            _ => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    merged
}

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub payload: Map,
    pub merge: bool,
    pub parent: Option<Parent>,
    pub root: Option<ExecutionId>,
    pub trigger: String,
    pub target: Option<String>,
    pub trace: Value,
    /// The environment that workload templates may read.
    pub env: Arc<Map>,
    /// The Rollout that chose the version.
    pub rollout: Option<Assigned>,
}

/// Makes the first Event of an Execution.
pub fn request(plan: &Plan, id: ExecutionId, at_ms: i64, request: Request) -> Result<Requested, StartError> {
    if let Some(target) = &request.target
        && plan.step(target).is_none()
    {
        return Err(StartError::UnknownTarget(target.clone()));
    }
    let merged = merge_workload(&plan.workload, &request.payload, request.merge);
    let scope = workload_scope(plan, id, at_ms, &request, &merged);
    let mut workload = Map::new();
    for (key, value) in &merged {
        // What the caller sent is data; only the author's own defaults are templates.
        let rendered = if request.payload.get(key) == Some(value) {
            value.clone()
        } else {
            template::render(value, &scope).map_err(StartError::Workload)?
        };
        workload.insert(key.clone(), rendered);
    }
    let mut entry = Vec::new();
    let scope = workload_scope(plan, id, at_ms, &request, &workload);
    for start in &plan.entry {
        let mut inputs = Map::new();
        for (key, value) in &start.inputs {
            inputs.insert(key.clone(), template::render(value, &scope).map_err(StartError::Workload)?);
        }
        entry.push(Taken { to: start.step.clone(), inputs });
    }
    Ok(Requested {
        path: plan.path.clone(),
        version: plan.version,
        catalog_id: plan.catalog_id.clone(),
        workload,
        payload: request.payload,
        parent: request.parent,
        root: request.root,
        entry,
        trigger: request.trigger,
        trace: request.trace,
        target: request.target,
        rollout: request.rollout,
    })
}

fn workload_scope(plan: &Plan, id: ExecutionId, at_ms: i64, request: &Request, workload: &Map) -> Scope {
    let mut scope = Scope::new(Ambient { now_ms: at_ms, seed: id.0 });
    let id = id.to_string();
    let payload = Value::Object(request.payload.clone());
    for (key, value) in workload {
        scope.bind_json(key, value);
    }
    scope.bind_json("workload", &Value::Object(workload.clone()));
    scope.bind_json("payload", &payload);
    scope.bind_json("input", &payload);
    scope.bind_json("env", &Value::Object((*request.env).clone()));
    scope.bind_json("execution_id", &Value::from(id.clone()));
    scope.bind_json("job", &serde_json::json!({ "uuid": id, "id": id, "execution_id": id }));
    scope.bind_json("path", &Value::from(plan.path.clone()));
    scope.bind_json("version", &Value::from(plan.version));
    scope.bind_json("catalog_id", &Value::from(plan.catalog_id.clone()));
    scope
}
