//! Starting Executions.

use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::VersionChoice;

/// Names a Playbook and gives it inputs. The older spellings of the inputs are merged in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ExecuteRequest {
    #[schema(example = "examples/hello")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Older name of `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    /// A number, or `latest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionChoice>,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Map>,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Map>,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map>,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_payload: Option<Map>,
    /// Put over the playbook's workload.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Map>,
    /// Nested maps are merged instead of replaced.
    pub merge: bool,
    /// `api` unless the caller says more (`cli`, `ui`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Noted in the log; only the engine's own sub-playbooks are cancelled with their parent.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_execution_id: Option<ExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_pool: Option<String>,
    /// `{trace_id, span_id, …}`, kept with the Execution.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub trace: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup: Option<DedupBody>,
    /// Run up to this step only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `{parent_execution_id, parent_event_id, parent_step}` (`/api/run`).
    #[serde(skip_serializing_if = "Value::is_null")]
    pub context: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
}

impl ExecuteRequest {
    pub fn path(path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// All inputs under their one name.
    pub fn inputs(&self) -> Map {
        [&self.workload, &self.args, &self.parameters, &self.input_payload, &self.payload]
            .into_iter()
            .flatten()
            .flatten()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

/// A second request with the same key inside the window gets the first one's Execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DedupBody {
    pub key: String,
    #[serde(default = "an_hour", alias = "window_seconds")]
    pub window_secs: u64,
}

fn an_hour() -> u64 {
    3600
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Executed {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    /// The same, under its older name.
    #[schema(value_type = String)]
    pub id: ExecutionId,
    /// `started` or `duplicate`.
    #[schema(example = "started")]
    pub status: String,
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub version: u32,
    #[serde(default)]
    pub catalog_id: String,
    /// Kept for older readers: 1 for a new Execution.
    #[serde(default)]
    pub commands_generated: u32,
}

/// What `/api/run/{type}` answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunStarted {
    #[serde(flatten)]
    pub executed: Executed,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// RFC 3339.
    pub timestamp: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecuteBatch {
    /// 1,000 at most.
    pub executions: Vec<ExecuteRequest>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BatchExecuted {
    pub count: usize,
    pub started: usize,
    pub duplicates: usize,
    pub failed: usize,
    pub results: Vec<BatchEntry>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BatchEntry {
    pub index: usize,
    /// `started`, `duplicate` or `failed`.
    pub status: String,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::error::ErrorBody>,
}
