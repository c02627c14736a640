//! Commands: orders to a worker, complete in themselves.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::id::CommandId;
use crate::playbook::{KeychainEntry, Step};
use crate::result::{ResultKind, Stored};
use crate::{Map, Value};

/// An order to run a Step, or a batch of its Iterations, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub id: CommandId,
    /// From 1; a Report with another Attempt changes nothing.
    pub attempt: u32,
    /// `seq` of the Event that issued it: a cancel reaches only what was issued before it.
    #[serde(default)]
    pub issued: u64,
    /// Catalog path and version of the Playbook.
    pub path: String,
    pub version: u32,
    pub step: Arc<Step>,
    pub work: Work,
    /// The Token's arguments, rendered; they are merged over `step.inputs`, which the worker renders.
    pub inputs: Map,
    /// Only what the step's templates read.
    pub scope: ScopeData,
    /// Entries that the step's templates or auth name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keychain: Vec<KeychainEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<crate::id::ExecutionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

/// What templates on the worker may read; the projection of the Execution onto one Step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScopeData {
    pub workload: Arc<Map>,
    pub ctx: Map,
    /// Results of earlier steps by name (and by alias).
    pub steps: IndexMap<String, Arc<StepResult>>,
    /// Ids and the like: `execution_id`, `job`, `path`, `version`, `catalog_id`, `payload`, `parent_execution_id`.
    pub system: Arc<Map>,
}

/// A finished step as templates see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepResult {
    pub kind: ResultKind,
    /// `COMPLETED`, `FAILED` or `SKIPPED`.
    pub status: String,
    pub value: Stored,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::error::TaskError>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one per Command, and boxes would only be in the way")]
pub enum Work {
    /// The pipeline once.
    Once {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<Resume>,
    },
    /// A batch of Iterations; `concurrency` of them side by side.
    Items { items: Vec<Item>, total: u64, concurrency: u32 },
    /// Claim one frame of a cursor loop and process its rows.
    Frame { lane: u32, max_rows: u32 },
    /// Only the step-level saves, after a loop; `result` is the loop's.
    Saves { result: StepResult },
}

/// One Iteration in a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub index: u64,
    pub value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}

/// Where a parked pipeline goes on, and what it waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    pub state: PipelineState,
    pub wake: Wake,
}

/// Why a parked pipeline is awake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one per parked Iteration")]
pub enum Wake {
    Timer,
    /// A child Execution ended: `status` is `COMPLETED`, `FAILED` or `CANCELLED`.
    Child {
        execution_id: crate::id::ExecutionId,
        status: String,
        result: StepResult,
    },
}

/// A pipeline's place and locals, as the worker left them; opaque to everyone else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PipelineState {
    /// Index of the task to go on with.
    pub task: usize,
    /// Tries that the current task has had.
    pub attempt: u32,
    /// Label to result, in order.
    pub results: IndexMap<String, StepResult>,
    pub iter: Map,
    pub step: Map,
    pub ctx: Map,
    pub ran: u64,
    /// Anything else that a task keeps (pages collected so far, …).
    pub extra: Map,
}
