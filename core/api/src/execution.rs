//! Executions as callers see them: lists, states, and orders to them.

use noetl_domain::error::TaskError;
use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::event::EventBody;

/// Narrows a list; pages go back in time with `before`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ExecutionFilter {
    /// Catalog path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    /// `RUNNING`, `COMPLETED`, `FAILED` or `CANCELLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Children of this Execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_execution_id: Option<String>,
    /// Part of the path, the id or the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only Executions older than this one: the last id of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// 100 unless given, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Skips so many; `before` is cheaper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// One line of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExecutionSummary {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    /// The same, under its older name.
    #[schema(value_type = String)]
    pub id: ExecutionId,
    pub catalog_id: String,
    pub path: String,
    pub version: u32,
    #[schema(example = "COMPLETED")]
    pub status: String,
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_execution_id: Option<ExecutionId>,
    /// RFC 3339.
    pub started_at: String,
    #[serde(default)]
    pub completed_at: Option<String>,
    /// `started_at`, under its older name.
    pub start_time: String,
    #[serde(default)]
    pub end_time: Option<String>,
    /// Seconds, so far or in all.
    #[serde(default)]
    pub duration: f64,
    /// Per cent: 100 when it ended.
    #[serde(default)]
    pub progress: u32,
    #[serde(default)]
    pub event_count: u64,
    #[serde(default)]
    pub result: Value,
    #[serde(default)]
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Progress {
    pub total_steps: u32,
    pub completed_steps: u32,
    pub running_steps: u32,
    pub failed_steps: u32,
    pub skipped_steps: u32,
}

/// A remark on an execution.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    #[serde(default)]
    pub step: Option<String>,
    pub message: String,
}

/// Why an Execution failed, in a line; `POST /api/executions/{id}/diagnose` gives the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Why {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_step: Option<String>,
    /// The playbook of the step, when it is a sub-playbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_playbook: Option<String>,
    #[schema(example = "network.refused")]
    pub cause: String,
    pub confidence: f64,
}

impl Why {
    /// `step fetch, network.refused`
    pub fn line(&self) -> String {
        match (&self.root_step, &self.root_playbook) {
            (Some(step), Some(playbook)) => format!("step {step} of {playbook}, {}", self.cause),
            (Some(step), None) => format!("step {step}, {}", self.cause),
            (None, _) => self.cause.clone(),
        }
    }
}

/// Where an Execution stands.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExecutionStatus {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    pub path: String,
    pub version: u32,
    #[schema(example = "RUNNING")]
    pub status: String,
    /// The step entered last of those that run, or the last one that ended.
    #[serde(default)]
    pub current_step: Option<String>,
    pub progress: Progress,
    pub completed: bool,
    pub failed: bool,
    pub is_cancelled: bool,
    #[serde(default)]
    pub completed_steps: Vec<String>,
    #[serde(default)]
    pub failed_steps: Vec<String>,
    /// Steps whose failure an arc, a case or a rule answered.
    #[serde(default)]
    pub handled_failures: Vec<String>,
    /// What was strange and changed nothing, such as a name that nothing provides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    #[schema(value_type = Object)]
    #[serde(default)]
    pub variables: Map,
    #[serde(default)]
    pub steps: Vec<StepState>,
    /// The final result, once it ended.
    #[serde(default)]
    pub result: Value,
    #[serde(default)]
    pub error: Option<StepError>,
    /// Why it failed, once the assistant has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    #[serde(default)]
    pub reason: Option<String>,
    /// RFC 3339.
    pub started_at: String,
    #[serde(default)]
    pub completed_at: Option<String>,
    /// Seconds, so far or in all.
    #[serde(default)]
    pub duration: f64,
    /// Commands that workers hold.
    #[serde(default)]
    pub in_flight: u64,
    /// What it waits for: timers and children.
    #[serde(default)]
    pub waiting: Vec<String>,
    /// Pools that no worker serves, while steps wait for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unserved: Vec<UnservedPool>,
    #[serde(default)]
    pub event_count: u64,
}

/// Work that nobody takes at the moment; the Execution goes on when a worker of the pool comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UnservedPool {
    pub pool: String,
    pub steps: Vec<String>,
    #[schema(example = "EX010")]
    pub code: String,
    pub message: String,
    pub hint: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct StepState {
    pub name: String,
    /// `RUNNING`, `COMPLETED`, `FAILED`, `SKIPPED` or `CANCELLED`.
    pub status: String,
    /// How often it was entered.
    pub run: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Seconds, so far or in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// Tries beyond the first, over all tasks of this run.
    pub retries: u64,
    /// Only for a looped step.
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub iterations: Option<LoopProgress>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LoopProgress {
    /// None: not known in advance (cursor loops).
    pub total: Option<u64>,
    pub done: u64,
    pub failed: u64,
}

/// A task's error, with the step it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct StepError {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    pub message: String,
    pub retryable: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// What the worker adds: why no further try was made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl From<TaskError> for StepError {
    /// Field by field, so that a new one of the domain's cannot be forgotten here.
    fn from(error: TaskError) -> Self {
        let TaskError { kind, code, status_code, message, retryable, source, details, notes } = error;
        Self { step: None, kind, code, status_code, message, retryable, source, details, notes }
    }
}

/// State, inputs and a page of the log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExecutionDetail {
    #[serde(flatten)]
    pub summary: ExecutionSummary,
    /// Older name of `path`.
    pub playbook_id: String,
    /// Catalog path again, as the name of the playbook.
    pub playbook_name: String,
    #[schema(value_type = Object)]
    pub workload: Map,
    #[schema(value_type = Object)]
    pub variables: Map,
    pub steps: Vec<StepState>,
    #[serde(default)]
    pub trigger: String,
    pub events: Vec<EventBody>,
    pub pagination: Pagination,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Pagination {
    pub page: u32,
    pub page_size: u32,
    pub total_events: u64,
    /// Give it as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CancelRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Sub-playbooks too; true unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cascade: Option<bool>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Cancelled {
    /// `cancelled`, or `error` when it had ended already.
    pub status: String,
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    #[schema(value_type = Vec<String>)]
    pub cancelled_executions: Vec<ExecutionId>,
    pub message: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CancellationCheck {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    pub status: String,
    pub cancelled: bool,
    pub is_cancelled: bool,
    pub completed: bool,
    pub failed: bool,
}

/// Forces an end on a stuck Execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FinalizeRequest {
    /// `FAILED` unless given; `COMPLETED` or `CANCELLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Older name of `reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Runs a failed or cancelled Execution again; results of completed steps are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RetryRequest {
    /// This step and all after it; otherwise the steps that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// What became of an order to an Execution.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ordered {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    pub status: String,
    pub message: String,
}

/// Cancels Executions in which nothing happened for a while, or deletes those that ended long ago.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CleanupRequest {
    /// Cancels what was silent for so long; 60 when the request names neither this nor `delete_older_than_days`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_than_minutes: Option<u64>,
    /// Deletes what ended so long ago, with its whole family, its log and its large results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_older_than_days: Option<f64>,
    /// Only tell what would be done.
    pub dry_run: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CleanedUp {
    pub status: String,
    pub dry_run: bool,
    /// How many were cancelled, or would be: those in `execution_ids`.
    pub count: usize,
    #[schema(value_type = Vec<String>)]
    pub execution_ids: Vec<ExecutionId>,
    /// How many were deleted, or would be.
    pub deleted: u64,
    pub message: String,
}

/// The results of a looped step, item by item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct LoopResultsQuery {
    pub execution_id: String,
    pub step_name: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LoopResults {
    pub status: String,
    pub execution_id: String,
    pub step_name: String,
    pub results: Vec<Value>,
    pub count: usize,
}
