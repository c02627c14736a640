//! Rows of the analytic tables (`schema/tables.sql`): a field for each column, of the same name.
//!
//! Moments are Unix milliseconds, which is what `DateTime64(3)` holds.

mod name;

use crate::analytics::{Column, Columns, Value as _};

pub use name::Name;

/// Defines rows whose fields are the columns of a table.
macro_rules! rows {
    ($($(#[$about:meta])* pub struct $row:ident { $($(#[$note:meta])* pub $field:ident: $kind:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $row { $($(#[$note])* pub $field: $kind,)* }

        impl Columns for $row {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            fn put<'a>(rows: &'a [Self], columns: &mut [Column<'a>]) {
                let mut columns = columns.iter_mut();
                $(
                    let Some(column) = columns.next() else { return };
                    for row in rows {
                        row.$field.put(column);
                    }
                )*
            }
        }
    )*};
}

rows! {
    pub struct EventRow {
        pub position: u64,
        pub event_id: u64,
        pub item: u32,
        pub execution_id: u64,
        pub root_execution_id: u64,
        pub seq: u32,
        pub at: i64,
        pub event_type: Name,
        pub playbook: Name,
        pub version: u32,
        pub step: Name,
        pub run: u32,
        pub batch: u32,
        pub attempt: u32,
        pub iteration: i64,
        pub status: Name,
        pub tool: Name,
        pub pool: Name,
        pub worker: Name,
        pub duration_ms: f64,
        pub tries: u32,
        pub bytes_out: u64,
        pub cause: Name,
        pub fingerprint: u64,
        pub error_kind: Name,
        pub error_code: Name,
        pub status_code: u16,
        pub message: String,
    }

    pub struct StepRow {
        pub position: u64,
        pub event_id: u64,
        pub execution_id: u64,
        pub root_execution_id: u64,
        pub playbook: Name,
        pub version: u32,
        pub step: Name,
        pub run: u32,
        pub tool: Name,
        pub pool: Name,
        pub worker: Name,
        pub status: Name,
        pub handled: u8,
        pub entered_at: i64,
        pub exited_at: i64,
        pub queue_ms: f64,
        pub run_ms: f64,
        pub total_ms: f64,
        pub released_by: Name,
        pub released_by_run: u32,
        pub commands: u32,
        pub attempts: u32,
        pub retries: u32,
        pub retry_wait_ms: f64,
        pub iterations: u64,
        pub iterations_failed: u64,
        pub bytes_in: u64,
        pub bytes_out: u64,
        pub rows_out: u64,
        pub result_shape: u64,
        pub cpu_ms: f64,
        pub memory_bytes: u64,
        pub cause: Name,
        pub fingerprint: u64,
        pub error_kind: Name,
        pub error_code: Name,
        pub status_code: u16,
        pub message: String,
    }

    pub struct ExecutionRow {
        pub position: u64,
        pub execution_id: u64,
        pub root_execution_id: u64,
        pub parent_execution_id: u64,
        pub playbook: Name,
        pub version: u32,
        pub status: Name,
        pub trigger: Name,
        pub started_at: i64,
        pub finished_at: Option<i64>,
        pub duration_ms: f64,
        pub attempt: u32,
        pub events: u32,
        pub steps: u32,
        pub steps_failed: u32,
        pub retries: u32,
        pub input_shape: u64,
        pub input_hash: u64,
        pub bytes_in: u64,
        pub bytes_out: u64,
        pub failed_step: Name,
        pub cause: Name,
        pub fingerprint: u64,
        pub message: String,
    }

    pub struct LineRow {
        pub position: u64,
        pub execution_id: u64,
        pub playbook: Name,
        pub version: u32,
        pub step: Name,
        pub run: u32,
        pub iteration: i64,
        pub at: i64,
        pub stream: Name,
        pub level: Name,
        pub fingerprint: u64,
        pub message: String,
    }

    pub struct TemplateRow {
        pub fingerprint: u64,
        pub template: String,
        pub canonical: u64,
        pub source: Name,
        pub changed_at: i64,
    }

    /// One call of a language model.
    pub struct CallRow {
        /// A UUID as its two halves, the upper one first.
        pub call_id: (u64, u64),
        pub at: i64,
        pub execution_id: u64,
        pub operation: String,
        pub provider: String,
        pub model: String,
        pub response_model: String,
        pub prompt: String,
        pub input_tokens: u32,
        pub output_tokens: u32,
        pub duration_ms: f64,
        pub cost_usd: f64,
        pub finish_reason: String,
        pub error: String,
        pub cached: u8,
    }

    /// Something that could not be read and was set aside.
    pub struct PoisonRow {
        pub position: u64,
        pub kind: String,
        pub execution_id: u64,
        pub reason: String,
        pub at: i64,
    }
}

impl CallRow {
    /// An id that no other call has.
    pub fn new_id() -> (u64, u64) {
        uuid::Uuid::new_v4().as_u64_pair()
    }
}

/// How a step of one Execution went, all its runs together: no row of a table, but what behaviour is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) step: Name,
    /// Its place in the Playbook; none when that cannot be read.
    pub(crate) order: Option<u32>,
    pub(crate) duration_ms: f64,
    pub(crate) attempts: u32,
    pub(crate) bytes: u64,
    pub(crate) ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    /// It failed, and an arc, a case or a rule answered.
    Handled,
    Failed,
}

/// Everything that follows from one stretch of the feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub events: Vec<EventRow>,
    pub steps: Vec<StepRow>,
    pub executions: Vec<ExecutionRow>,
    pub lines: Vec<LineRow>,
    pub templates: Vec<TemplateRow>,
    pub poison: Vec<PoisonRow>,
    /// How the steps went of the Execution that ended last.
    pub(crate) ran: Vec<Ran>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.events.len() + self.steps.len() + self.executions.len() + self.lines.len()
    }

    /// Takes the rows out and keeps the room they had.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.steps.clear();
        self.executions.clear();
        self.lines.clear();
        self.templates.clear();
        self.poison.clear();
        self.ran.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.templates.is_empty() && self.poison.is_empty()
    }
}
