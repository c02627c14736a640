//! Reports: a worker's one answer to a Command.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::command::PipelineState;
use crate::error::TaskError;
use crate::id::CommandId;
use crate::result::{ResultKind, Stored};
use crate::usage::Usage;
use crate::{Map, Value};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub id: CommandId,
    pub attempt: u32,
    pub worker: String,
    /// Unix milliseconds.
    pub started_ms: i64,
    pub finished_ms: i64,
    /// Stretches of Iterations that simply succeeded, kept as JSON text so that a million of them stay small.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
    /// Everything that is more than a plain success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemReport>,
    /// Rows a frame claimed; zero ends a cursor lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<u64>,
    /// Names that templates read and nothing provides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undefined: Vec<String>,
    #[serde(default, skip_serializing_if = "Usage::is_nothing")]
    pub usage: Usage,
}

/// Consecutive Iterations that succeeded with an inline result and wrote nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    pub first: u64,
    pub count: u64,
    #[serde(default)]
    pub kind: ResultKind,
    /// JSON array of `count` results.
    pub results: Arc<RawValue>,
}

impl Report {
    /// Splits what became of the Iterations into compact runs and the rest.
    pub fn compact(items: Vec<ItemReport>) -> (Vec<Run>, Vec<ItemReport>) {
        let mut runs: Vec<Run> = Vec::new();
        let mut rest = Vec::new();
        let mut open: Option<(u64, ResultKind, Vec<Value>)> = None;
        for item in items {
            let plain = item.ctx.is_empty()
                && item.step.is_empty()
                && item.case.is_none()
                && item.collected.is_empty()
                && item.calls.is_empty();
            match item.outcome {
                Outcome::Ok { kind, result: Stored::Inline(value) } if plain => match &mut open {
                    Some((first, of, results))
                        if *of == kind && *first + results.len() as u64 == item.index =>
                    {
                        results.push(value);
                    }
                    _ => {
                        runs.extend(open.take().map(close));
                        open = Some((item.index, kind, vec![value]));
                    }
                },
                outcome => rest.push(ItemReport { outcome, ..item }),
            }
        }
        runs.extend(open.map(close));
        (runs, rest)
    }
}

fn close((first, kind, results): (u64, ResultKind, Vec<Value>)) -> Run {
    let count = results.len() as u64;
    let results = serde_json::value::to_raw_value(&results).expect("JSON values serialise");
    Run { first, count, kind, results: Arc::from(results) }
}

/// What became of one Iteration; for `Work::Once` the only one, with index 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemReport {
    pub index: u64,
    pub outcome: Outcome,
    /// Writes to ctx, in order of writing.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub ctx: Map,
    /// Writes to step scope.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub step: Map,
    /// The `case` entry that matched `call.done` or `call.error`, when the step has cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<usize>,
    /// Accumulators of `collect` actions, by name; visible to the case's own actions.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub collected: Map,
    /// One entry per Tool call worth telling: errors, retries, pipelines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok {
        #[serde(default)]
        kind: ResultKind,
        result: Stored,
    },
    Error {
        error: TaskError,
        /// What the tool still returned (an HTTP error's body, a pipeline's earlier results).
        #[serde(default)]
        kind: ResultKind,
        #[serde(default)]
        result: Stored,
    },
    /// The pipeline waits for something and holds no worker meanwhile.
    Parked { on: Wait, state: PipelineState },
    /// The work was stopped because its Execution was cancelled.
    Cancelled,
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Ok { kind: ResultKind::Plain, result: Stored::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    Timer { seconds: f64 },
    Child(ChildRequest),
}

/// A sub-playbook to start on behalf of a parked pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChildRequest {
    pub path: String,
    /// None: the newest.
    pub version: Option<u32>,
    /// Merged over the child's workload.
    pub payload: Map,
    /// The step whose result is returned; None: the child's final result.
    pub return_step: Option<String>,
    /// Seconds to wait; None: without end.
    pub timeout_seconds: Option<f64>,
    /// Do not wait: the pipeline wakes as soon as the child is started.
    pub detached: bool,
}

/// One try of one Task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Call {
    pub task: String,
    pub tool: String,
    pub attempt: u32,
    pub duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// Seconds waited before the next try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// The retry budget that held the next try back, and for how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// A line that a tool printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    pub execution: crate::id::ExecutionId,
    pub step: String,
    pub run: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// `stdout`, `stderr` or `noetl`.
    pub stream: String,
    /// `debug`, `info`, `warn`, `error`.
    pub level: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub fields: Value,
}
