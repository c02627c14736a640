//! Loops: what a Step, or a Task, does once for every element.

use serde::{Deserialize, Serialize};

use super::Expr;
use crate::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loop {
    pub source: LoopSource,
    /// Name of the current element.
    pub iterator: String,
    pub mode: LoopMode,
    /// Number or template; None: 1 for sequential, 8 for parallel.
    pub max_in_flight: Option<Value>,
    pub filter: Option<Expr>,
    /// Expression over the element; a leading `-` sorts downward.
    pub order_by: Option<String>,
    pub limit: Option<Value>,
    /// Elements become lists of this size; `batch` is bound too.
    pub chunk: Option<Value>,
    /// Binds `index`.
    pub enumerate: bool,
    /// Ends a sequential loop when true after an iteration.
    pub until: Option<Expr>,
    pub on_item_failure: ItemFailure,
}

#[expect(clippy::large_enum_variant, reason = "a playbook has few loops, and most code matches on them")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopSource {
    /// Template or literal collection (playbooks.md 7.1).
    In(Value),
    Cursor(Cursor),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopMode {
    #[default]
    Sequential,
    Parallel,
    Cursor,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemFailure {
    /// Sequential: stop; parallel: let what is in flight finish. Then the step fails.
    #[default]
    FailFast,
    /// Run every item, report counts, complete.
    BestEffort,
}

/// Rows claimed from a work table until none are left (playbooks.md 7.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    pub kind: String,
    pub auth: Option<Value>,
    pub claim: String,
    /// Other connection fields.
    pub config: Map,
    pub max_rows: Value,
    pub max_seconds: Option<f64>,
    pub lease_seconds: f64,
    /// Rows of a frame processed side by side.
    pub row_concurrency: Value,
    /// The body runs once per frame with `frame.rows`.
    pub per_frame: bool,
}
