//! Events as callers read, follow and post them.

use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::text_id;

/// One Event, in the columns that every generation of readers knows (playbooks.md 19.2).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventBody {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    #[schema(value_type = String)]
    #[serde(with = "text_id")]
    pub event_id: u64,
    /// From 1, without gaps, inside the Execution.
    pub seq: u64,
    /// Place in the feed of all Executions; the id of the feed's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    #[schema(example = "step.exit")]
    pub event_type: String,
    /// The Command: `execution:step:run:batch`, or the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// `playbook`, `step`, `task`, `loop`, …
    pub node_type: String,
    #[schema(example = "COMPLETED")]
    pub status: String,
    /// RFC 3339.
    pub created_at: String,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// What came in: workload, inputs.
    #[serde(default)]
    pub context: Value,
    /// What came out.
    #[serde(default)]
    pub result: Value,
    #[serde(default)]
    pub error: Option<String>,
    /// The Event's own fields, whole.
    #[serde(default)]
    pub meta: Value,
}

/// Pages through a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct EventFilter {
    /// Only Events after this `seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only Events after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_event_id: Option<String>,
    /// From 1, of `page_size`; `after` is cheaper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u32>,
    /// 500 unless given, 5,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Any generation's name of an Event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    pub status: String,
    pub events: Vec<EventBody>,
    /// Give it as `after` for the next page; absent when there was nothing more at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}

/// What to follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// One Execution only; the feed ends with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// Start after this position, as `Last-Event-ID` does; `0` is the beginning, absent is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Any generation's name of an Event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// A fact from outside, in any generation's form. It is noted and decides nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PostedEvent {
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The same as `event_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The same as `step`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// Every other field of the caller, kept as it came.
    #[schema(value_type = Object)]
    #[serde(flatten)]
    pub rest: Map,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventPosted {
    pub status: String,
    #[schema(value_type = String)]
    #[serde(with = "text_id")]
    pub event_id: u64,
    /// Kept for older readers: always 0.
    #[serde(default)]
    pub commands_generated: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventBatch {
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// 1,000 at most.
    pub events: Vec<PostedEvent>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventBatchPosted {
    pub status: String,
    pub event_ids: Vec<String>,
    pub commands_generated: u32,
}
