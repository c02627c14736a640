//! `playbooks`: runs every playbook below a catalog path.
//!
//! The worker cannot read the catalog, so it asks for one child named `<prefix>/*`.
//! The control plane answers such a path with a playbook of its own making: a loop over what the catalog holds
//! below the prefix, each run as a sub-playbook, whose result is the list of theirs.

use noetl_domain::error::TaskError;
use noetl_domain::report::ChildRequest;
use noetl_domain::{Map, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use super::playbook::is_true;
use crate::fields;
use crate::tool::{Failure, Output, TaskContext, Tool};

/// Payload key that carries the settings of the loop to the control plane.
pub const SETTINGS: &str = "_playbooks";

#[derive(Clone, Copy, Debug, Default)]
pub struct Playbooks;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// Catalog prefix whose playbooks are run.
    #[serde(default)]
    catalog_path: Option<String>,
    /// Another name for `catalog_path`.
    #[serde(default)]
    path: Option<String>,
    /// Run them side by side.
    #[serde(default)]
    parallel: Option<Value>,
    /// Values merged over each child's workload, beside the task's inputs.
    #[serde(default)]
    payload: Option<Map>,
    /// Seconds to wait for all of them.
    #[serde(default)]
    timeout: Option<Value>,
}

impl Tool for Playbooks {
    const KIND: &'static str = "playbooks";
    const ABOUT: &'static str = "Runs every playbook below a catalog path and returns the list of results.";
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let Some(prefix) = input.catalog_path.or(input.path) else {
            let message = "a playbooks task needs `catalog_path`, the prefix of the playbooks to run";
            return Err(TaskError::new("config", message).with_code("TL002").into());
        };
        let mut payload = ctx.inputs.clone();
        payload.extend(input.payload.unwrap_or_default());
        let parallel = input.parallel.as_ref().is_some_and(is_true);
        payload.insert(SETTINGS.into(), serde_json::json!({"parallel": parallel}));
        Ok(Output::Child(ChildRequest {
            path: format!("{}/*", prefix.trim().trim_matches('/')),
            payload,
            timeout_seconds: input.timeout.as_ref().and_then(fields::seconds),
            ..ChildRequest::default()
        }))
    }
}
