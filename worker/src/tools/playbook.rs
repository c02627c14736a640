//! `playbook`: starts a sub-playbook and waits for it without holding a worker.

use noetl_domain::error::TaskError;
use noetl_domain::report::ChildRequest;
use noetl_domain::{Map, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::fields;
use crate::tool::{Failure, Output, TaskContext, Tool};

#[derive(Clone, Copy, Debug, Default)]
pub struct Playbook;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// Catalog path of the child; a trailing `.yaml` is tolerated.
    #[serde(default)]
    path: Option<String>,
    /// Another name for `path`.
    #[serde(default)]
    playbook: Option<String>,
    /// Catalog id, in place of a path.
    #[serde(default)]
    catalog_id: Option<Value>,
    /// Version to run; the newest when it is absent or `latest`.
    #[serde(default)]
    version: Option<Value>,
    /// Values merged over the child's workload, beside the task's inputs.
    #[serde(default)]
    payload: Option<Map>,
    /// The step whose result is returned; without it the child's final result.
    #[serde(default)]
    return_step: Option<String>,
    /// The same as `return_step`.
    #[serde(default)]
    result_step: Option<String>,
    /// Tolerated: the result is always returned unless `async` is set.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "accepted because playbooks write it; waiting for the result is the default"
    )]
    return_result: Option<Value>,
    /// Do not wait for the child.
    #[serde(default, rename = "async")]
    detached: Option<Value>,
    /// Seconds to wait for the child before going on with `status: timeout`.
    #[serde(default)]
    timeout: Option<Value>,
    /// The same as `timeout`.
    #[serde(default)]
    timeout_seconds: Option<Value>,
    /// Tolerated: nothing polls.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted because playbooks write it; the child's end is an event")]
    poll_interval: Option<Value>,
}

impl Tool for Playbook {
    const KIND: &'static str = "playbook";
    const ABOUT: &'static str = "Runs another playbook and returns its result.";
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let named = input.path.or(input.playbook).or(input.catalog_id.as_ref().map(fields::text));
        let Some(path) = named.filter(|path| !path.trim().is_empty()) else {
            let message = "a playbook task needs `path`, the catalog path of the playbook to run";
            return Err(TaskError::new("config", message).with_code("TL002").into());
        };
        let mut payload = ctx.inputs.clone();
        payload.extend(input.payload.unwrap_or_default());
        Ok(Output::Child(ChildRequest {
            path: catalog_path(&path),
            version: input.version.as_ref().and_then(version),
            payload,
            return_step: input.return_step.or(input.result_step).filter(|step| !step.is_empty()),
            timeout_seconds: input.timeout.or(input.timeout_seconds).as_ref().and_then(fields::seconds),
            detached: input.detached.as_ref().is_some_and(is_true),
        }))
    }
}

fn catalog_path(path: &str) -> String {
    let path = path.trim().trim_start_matches('/');
    path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml")).unwrap_or(path).to_owned()
}

/// `2`, `"2"`, `"v2"`; anything else (`latest`, `stable`) is the newest.
fn version(value: &Value) -> Option<u32> {
    fields::text(value).trim().trim_start_matches('v').parse().ok()
}

pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => {
            matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "yes" | "1" | "on")
        }
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => false,
    }
}
