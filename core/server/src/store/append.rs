//! What one append to one Execution says.

use noetl_domain::error::TaskError;
use noetl_domain::event::{Recorded, Status, TimerKey};
use noetl_domain::id::{CommandId, ExecutionId};
use noetl_domain::result::Stored;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// Events of one Execution with everything that follows from them; committed together or not at all.
#[derive(Clone, Debug)]
pub struct Append {
    pub execution: ExecutionId,
    /// `seq` of the last Event that the caller knows; 0 for a new Execution.
    pub expected: u64,
    /// Numbered from `expected + 1` without gaps.
    pub events: Vec<Recorded>,
    /// Commands issued. Taken after `closed`, so a new Attempt of a closed Command stays open.
    pub opened: Vec<OutboxRow>,
    /// Commands answered or abandoned.
    pub closed: Vec<CommandId>,
    /// Timers set. Taken after `fired`.
    pub timers: Vec<TimerRow>,
    /// Timers that fired or are no longer wanted.
    pub fired: Vec<TimerKey>,
    /// Replaces the Execution's row.
    pub summary: Summary,
}

impl Append {
    pub fn new(execution: ExecutionId, expected: u64, summary: Summary) -> Self {
        Self {
            execution,
            expected,
            events: Vec::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            timers: Vec::new(),
            fired: Vec::new(),
            summary,
        }
    }

    /// Notes a Command as issued.
    pub fn open(&mut self, id: CommandId, attempt: u32) {
        self.opened.retain(|row| row.id != id);
        self.opened.push(OutboxRow { id, attempt });
    }

    /// Notes a Command as answered, also one that this append itself issued.
    pub fn close(&mut self, id: CommandId) {
        self.opened.retain(|row| row.id != id);
        self.closed.push(id);
    }

    /// Sets a timer, or moves it.
    pub fn set_timer(&mut self, key: TimerKey, due_ms: i64) {
        self.timers.retain(|row| row.key != key);
        self.timers.push(TimerRow { execution: self.execution, key, due_ms });
    }

    /// Removes a timer, also one that this append itself set.
    pub fn clear_timer(&mut self, key: TimerKey) {
        self.timers.retain(|row| row.key != key);
        self.fired.push(key);
    }
}

/// A Command that was issued and not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: CommandId,
    pub attempt: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerRow {
    pub execution: ExecutionId,
    pub key: TimerKey,
    /// Unix milliseconds.
    pub due_ms: i64,
}

/// An Execution as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub execution: ExecutionId,
    pub path: String,
    pub version: u32,
    pub catalog_id: String,
    pub status: Status,
    pub parent: Option<ExecutionId>,
    pub root: Option<ExecutionId>,
    /// `api`, `cli`, `schedule`, `playbook`, `retry`.
    pub trigger: String,
    /// Unix milliseconds.
    pub started_ms: i64,
    pub finished_ms: Option<i64>,
    pub current_step: Option<String>,
    pub counts: StepCounts,
    /// How many Events its log has.
    pub events: u64,
    pub result: Option<Stored>,
    pub error: Option<TaskError>,
    /// Kept from the first append on.
    pub dedup: Option<Dedup>,
    /// The Rollout that chose the version.
    pub rollout: Option<u64>,
}

impl Summary {
    /// A running Execution of which nothing else is known.
    pub fn of(execution: ExecutionId) -> Self {
        Self {
            execution,
            path: String::new(),
            version: 0,
            catalog_id: String::new(),
            status: Status::Running,
            parent: None,
            root: None,
            trigger: String::new(),
            started_ms: 0,
            finished_ms: None,
            current_step: None,
            counts: StepCounts::default(),
            events: 0,
            result: None,
            error: None,
            dedup: None,
            rollout: None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCounts {
    pub total: u64,
    pub completed: u64,
    pub running: u64,
    pub failed: u64,
}

/// A start that must not happen twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedup {
    pub key: String,
    /// Milliseconds before `started_ms` in which an Execution with this key is the same start; None: ever.
    pub window_ms: Option<i64>,
}

impl Dedup {
    /// The earliest start that counts as the same one.
    pub fn since_ms(&self, started_ms: i64) -> i64 {
        self.window_ms.map_or(i64::MIN, |window| started_ms.saturating_sub(window))
    }
}

/// Where an append lies in the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Position of its first Event; the others follow without gaps. 0 when it had none.
    pub first_position: u64,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended first: load, decide again.
    #[error("the execution is at event {actual}")]
    Conflict { actual: u64 },
    /// The same start happened before.
    #[error("execution {execution} was started under the same key")]
    Duplicate { execution: ExecutionId },
    #[error(transparent)]
    Store(#[from] StoreError),
}
