//! What readers may ask a store.

use noetl_domain::event::{Recorded, Status};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;

/// An Event with its place in the order of all commits.
#[derive(Clone, Debug)]
pub struct Positioned {
    pub position: u64,
    pub recorded: Recorded,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    OldestFirst,
    NewestFirst,
}

/// Which Events; everything left empty restricts nothing.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    pub execution: Option<ExecutionId>,
    /// Only Events with a larger `seq`; meaningful with `execution`.
    pub after_seq: Option<u64>,
    /// Only Events after this one.
    pub after_event_id: Option<u64>,
    /// Only Events before this one.
    pub before_event_id: Option<u64>,
    /// Names of any generation (playbooks.md 19.1).
    pub names: Vec<String>,
    pub step: Option<String>,
    /// None: 1,000.
    pub limit: Option<usize>,
    pub order: Order,
}

/// Which Executions; everything left empty restricts nothing.
#[derive(Clone, Debug, Default)]
pub struct SummaryQuery {
    pub path: Option<String>,
    pub catalog_id: Option<String>,
    pub status: Option<Status>,
    pub parent: Option<ExecutionId>,
    /// Executions of this family, its root included.
    pub root: Option<ExecutionId>,
    /// Started at or after, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Started before.
    pub until_ms: Option<i64>,
    /// Found in the path, the id, or the error.
    pub text: Option<String>,
    /// Keyset: the last Execution of the page before this one.
    pub before: Option<ExecutionId>,
    /// None: 100.
    pub limit: Option<usize>,
    /// Skips so many; for callers that page by number.
    pub offset: usize,
}

/// Which log lines of an Execution; in order.
#[derive(Clone, Debug)]
pub struct LogQuery {
    pub execution: ExecutionId,
    pub step: Option<String>,
    pub stream: Option<String>,
    /// Only lines after this one.
    pub after: u64,
    /// None: 1,000.
    pub limit: Option<usize>,
    /// `NewestFirst` gives the last lines, newest first.
    pub order: Order,
}

impl LogQuery {
    pub fn of(execution: ExecutionId) -> Self {
        Self { execution, step: None, stream: None, after: 0, limit: None, order: Order::OldestFirst }
    }
}

/// A log line with its place among all lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    pub id: u64,
    pub line: LogLine,
}
