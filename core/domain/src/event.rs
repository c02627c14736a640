//! Events: facts that happened, never edited. The log of an Execution is a list of them.

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::command::StepResult;
use crate::error::TaskError;
use crate::id::{CommandId, ExecutionId};
use crate::report::{ChildRequest, Report};
use crate::result::ResultRef;
use crate::rollout::Assigned;
use crate::{Map, Value};

/// An Event with its place in the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    pub execution: ExecutionId,
    /// From 1, without gaps: the version of the Execution after this Event.
    pub seq: u64,
    /// Snowflake, given by the control plane.
    pub event_id: u64,
    /// Unix milliseconds.
    pub at_ms: i64,
    pub event: Event,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    #[serde(rename = "playbook.initialized")]
    ExecutionRequested(Box<Requested>),
    #[serde(rename = "step.enter")]
    StepEntered {
        step: String,
        run: u32,
        /// Tokens this run uses up.
        #[serde(default = "one")]
        tokens: u32,
        /// Their arguments, rendered.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        inputs: Map,
    },
    #[serde(rename = "command.issued")]
    CommandIssued(Issued),
    /// One Report, as it came; named `call.done` or `call.error` by what it says.
    #[serde(rename = "call.done")]
    Called(Box<Report>),
    #[serde(rename = "child.started")]
    ChildStarted { id: CommandId, index: u64, child: ExecutionId, request: ChildRequest },
    #[serde(rename = "child.finished")]
    ChildFinished { id: CommandId, index: u64, child: ExecutionId, status: Status, result: Box<StepResult> },
    #[serde(rename = "timer.fired")]
    TimerFired { timer: TimerKey },
    #[serde(rename = "loop.started")]
    LoopStarted { step: String, run: u32, items: LoopItems, concurrency: u32 },
    #[serde(rename = "loop.done")]
    LoopFinished {
        step: String,
        run: u32,
        stats: LoopStats,
        /// Where the results lie when they are too large to keep in memory; otherwise they are folded from the Reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stored: Option<ResultRef>,
    },
    #[serde(rename = "step.exit")]
    StepExited(Box<Exit>),
    /// Variables written from outside the flow (`POST /api/vars`).
    #[serde(rename = "ctx.updated")]
    ContextUpdated { ctx: Map, source: String },
    #[serde(rename = "execution.retried")]
    ExecutionRetried {
        /// Steps that run again; their results are forgotten.
        steps: Vec<String>,
        reason: String,
    },
    #[serde(rename = "playbook.completed")]
    ExecutionFinished(Box<Finished>),
    /// Something worth knowing that changes nothing: a skipped `vars` entry, an undefined name.
    #[serde(rename = "warning")]
    Warned { step: Option<String>, code: Code, message: String },
    /// Why an Execution failed, as the assistant found it by itself; it changes nothing.
    #[serde(rename = "diagnosis.made")]
    DiagnosisMade(Box<Diagnosed>),
    /// Posted from outside (`POST /api/events`); informative only.
    #[serde(rename = "external")]
    Noted { name: String, step: Option<String>, payload: Value },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Requested {
    pub path: String,
    pub version: u32,
    pub catalog_id: String,
    /// Merged and rendered; read-only from here on.
    pub workload: Map,
    /// As the caller sent it.
    pub payload: Map,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    pub root: Option<ExecutionId>,
    /// Where Tokens are placed.
    pub entry: Vec<Taken>,
    /// `api`, `cli`, `schedule`, `playbook`, `retry`.
    pub trigger: String,
    pub trace: Value,
    /// Run up to this step only (`noetl run -t`).
    pub target: Option<String>,
    /// The Rollout that chose the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Assigned>,
}

/// The parked Iteration that waits for this Execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    pub id: CommandId,
    pub index: u64,
    pub return_step: Option<String>,
}

/// An Arc that was taken: a Token for its target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taken {
    pub to: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub inputs: Map,
}

/// A Command, told by what cannot be derived from the rest of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    pub step: String,
    pub run: u32,
    pub batch: u32,
    pub attempt: u32,
    pub work: IssuedWork,
    /// Iterations that the Command runs side by side.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slots: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuedWork {
    Once,
    /// Iterations `first .. first + count`.
    Items {
        first: u64,
        count: u64,
    },
    Frame {
        lane: u32,
    },
    Saves,
}

/// What a loop goes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopItems {
    List(std::sync::Arc<Vec<Value>>),
    /// `0 .. n`.
    Range(u64),
    /// Unknown in advance: rows claimed by frames, in this many lanes.
    Cursor {
        lanes: u32,
        max_rows: u32,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoopStats {
    pub total: u64,
    pub success: u64,
    pub failed: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Exit {
    pub step: String,
    pub run: u32,
    pub status: StepStatus,
    /// Tokens that a skipped Step uses up without being entered.
    #[serde(skip_serializing_if = "is_zero")]
    pub tokens: u32,
    /// Replaces what the tool returned (C: `case … result`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// The error was answered by an arc, a case or a rule.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub handled: bool,
    /// Writes to ctx by `vars`, `set` and the taken arcs.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub ctx: Map,
    pub routes: Vec<Taken>,
    /// Arcs that were looked at and not taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_taken: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Finished {
    pub status: Status,
    /// The step whose result is the Execution's.
    pub result_step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_steps: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handled_failures: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A Diagnosis in short: what a reader of the log needs to know, without the evidence itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagnosed {
    /// Which end of the Execution it speaks of: 1, and one more for each retry before it.
    pub attempt: u32,
    /// Where the cause lies: this Execution, or a sub-playbook of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_execution: Option<ExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_playbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_step: Option<String>,
    /// The id of the Event where it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_event: Option<String>,
    /// One of the closed list, such as `network.refused`.
    pub cause: String,
    /// `permanent`, `transient` or `intermittent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transience: Option<String>,
    /// Between 0 and 1.
    pub confidence: f64,
    /// `confirmed`, `hypothesis` or `insufficient`.
    pub evidence_status: String,
    /// Sentences with citations.
    pub explanation: String,
    /// `rules`, or the name of a model.
    pub written_by: String,
    /// The version of the prompt, where a model wrote it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// How many things it recommends.
    pub recommendations: u32,
    /// The same for the same evidence.
    pub evidence_hash: String,
}

/// What a run used up before Tokens were counted.
fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The state of an Execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    #[default]
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    pub fn is_final(self) -> bool {
        self != Self::Running
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StepStatus {
    #[default]
    Completed,
    Failed,
    Skipped,
}

impl StepStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// Names a timer inside its Execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKey {
    /// A parked Iteration wakes.
    Wake {
        id: CommandId,
        index: u64,
    },
    /// A wait for a child ends without it.
    ChildWait {
        id: CommandId,
        index: u64,
    },
    StepDeadline {
        step: String,
        run: u32,
    },
    ExecutionDeadline,
}

impl Event {
    /// Types as the log spells them; anything else is of a newer version.
    pub const TYPES: &[&str] = &[
        "playbook.initialized",
        "step.enter",
        "command.issued",
        "call.done",
        "child.started",
        "child.finished",
        "timer.fired",
        "loop.started",
        "loop.done",
        "step.exit",
        "ctx.updated",
        "execution.retried",
        "playbook.completed",
        "warning",
        "diagnosis.made",
        "external",
    ];

    /// The name in the log and in queries: the C/E set of playbooks.md section 19.
    pub fn name(&self) -> &str {
        match self {
            Self::ExecutionRequested(_) => "playbook.initialized",
            Self::StepEntered { .. } => "step.enter",
            Self::CommandIssued(_) => "command.issued",
            Self::Called(report) if report.first_error().is_some() => "call.error",
            Self::Called(_) => "call.done",
            Self::ChildStarted { .. } => "child.started",
            Self::ChildFinished { .. } => "child.finished",
            Self::TimerFired { .. } => "timer.fired",
            Self::LoopStarted { .. } => "loop.started",
            Self::LoopFinished { .. } => "loop.done",
            Self::StepExited(exit) if exit.status == StepStatus::Skipped => "step.skipped",
            Self::StepExited(_) => "step.exit",
            Self::ContextUpdated { .. } => "ctx.updated",
            Self::ExecutionRetried { .. } => "execution.retried",
            Self::ExecutionFinished(finished) => match finished.status {
                Status::Running | Status::Completed => "playbook.completed",
                Status::Failed => "playbook.failed",
                Status::Cancelled => "execution.cancelled",
            },
            Self::Warned { .. } => "warning",
            Self::DiagnosisMade(_) => "diagnosis.made",
            Self::Noted { name, .. } => name,
        }
    }

    /// The step that the Event speaks of.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::StepEntered { step, .. }
            | Self::LoopStarted { step, .. }
            | Self::LoopFinished { step, .. } => Some(step),
            Self::CommandIssued(issued) => Some(&issued.step),
            Self::Called(report) => Some(&report.id.step),
            Self::ChildStarted { id, .. } | Self::ChildFinished { id, .. } => Some(&id.step),
            Self::StepExited(exit) => Some(&exit.step),
            Self::Warned { step, .. } | Self::Noted { step, .. } => step.as_deref(),
            Self::DiagnosisMade(diagnosed) => diagnosed.root_step.as_deref(),
            Self::TimerFired { timer } => match timer {
                TimerKey::Wake { id, .. } | TimerKey::ChildWait { id, .. } => Some(&id.step),
                TimerKey::StepDeadline { step, .. } => Some(step),
                TimerKey::ExecutionDeadline => None,
            },
            Self::ExecutionRequested(_)
            | Self::ContextUpdated { .. }
            | Self::ExecutionRetried { .. }
            | Self::ExecutionFinished(_) => None,
        }
    }
}

impl Report {
    pub fn first_error(&self) -> Option<&TaskError> {
        self.items.iter().find_map(|item| match &item.outcome {
            crate::report::Outcome::Error { error, .. } => Some(error),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_those_that_are_read() {
        // What serde expects in the place of a type that nobody knows.
        let refused =
            serde_json::from_str::<Event>(r#"{"type": "?", "data": null}"#).unwrap_err().to_string();
        let expected: Vec<&str> = refused.split('`').skip(1).step_by(2).skip(1).collect();
        assert_eq!(Event::TYPES, expected, "{refused}");
    }
}
