//! What the estimators read: executions as they were, folded from their logs, and made by the laboratory.
//!
//! One attempt of one tool is the smallest thing: analytic tables keep a row for each run of a step and forget which
//! try failed of what, so this is folded from the log of the newest executions.

mod fold;

use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;

pub use fold::fold;

/// One execution that ended.
#[derive(Clone, Debug)]
pub struct Observed {
    pub execution: ExecutionId,
    pub version: u32,
    pub status: Status,
    /// Unix milliseconds.
    pub started_ms: i64,
    pub ended_ms: i64,
    /// Code of the cause of the error it ended with.
    pub cause: Option<String>,
    /// In the order they were entered.
    pub steps: Vec<StepRun>,
}

impl Observed {
    pub fn duration_ms(&self) -> f64 {
        (self.ended_ms - self.started_ms).max(0) as f64
    }

    pub fn is_failed(&self) -> bool {
        self.status == Status::Failed
    }
}

/// One run of a step.
#[derive(Clone, Debug, Default)]
pub struct StepRun {
    pub step: String,
    pub run: u32,
    pub entered_ms: i64,
    pub exited_ms: Option<i64>,
    pub is_failed: bool,
    pub is_handled: bool,
    pub cause: Option<String>,
    pub queue_ms: f64,
    /// Work of the tools, waits between tries included.
    pub work_ms: f64,
    /// Tries of what was worth telling: a call that went well at once is not listed.
    pub series: Vec<Series>,
    pub looped: Option<LoopRun>,
}

/// The tries of one task, or of one Iteration.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub task: String,
    pub tries: Vec<Try>,
}

impl Series {
    pub fn has_recovered(&self) -> bool {
        self.tries.last().is_some_and(|last| last.failure.is_none())
    }
}

#[derive(Clone, Debug, Default)]
pub struct Try {
    /// Waited after it, before the next.
    pub wait_ms: f64,
    pub duration_ms: f64,
    pub failure: Option<Failure>,
}

/// Typed fields of an error; its words stay behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Failure {
    pub cause: String,
    pub kind: String,
    pub code: Option<String>,
    pub status_code: Option<u16>,
}

/// A loop that a step ran.
#[derive(Clone, Debug, Default)]
pub struct LoopRun {
    /// Elements of the collection, those of a chunk counted one by one.
    pub elements: u64,
    pub iterations: u64,
    pub failed: u64,
    pub concurrency: u32,
    /// From the first Iteration to the last.
    pub wall_ms: f64,
    /// Elements and milliseconds of each Iteration, as far as reports tell: an equal share of each Command.
    pub calls: Vec<(f64, f64)>,
}
