//! Answers computed from what was indexed.
//!
//! Moments are RFC 3339 in UTC, durations milliseconds, ids strings of decimal digits, fingerprints sixteen hexadecimal
//! digits, rates between 0 and 1.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What most questions may be restricted by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct InsightFilter {
    /// How far back: `30m`, `24h`, `7d`, `4w`, or a moment in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where the stretch ends, in the same forms; none: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Path of a playbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A share of all, with the interval that holds the true one in 95 of 100 cases (Wilson).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// How values are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quantiles {
    pub p25: f64,
    pub p50: f64,
    pub p75: f64,
    pub p95: f64,
    pub p99: f64,
}

/// The history of a playbook, and of each of its steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    pub playbook: String,
    pub since: String,
    pub executions: ExecutionStats,
    pub steps: Vec<StepStats>,
    /// The same by version of the playbook, newest first.
    pub versions: Vec<StepStats>,
    /// The same by pool.
    pub pools: Vec<StepStats>,
}

/// Executions that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionStats {
    pub total: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub failure_rate: Rate,
    pub duration_ms: Quantiles,
}

/// Runs of steps that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepStats {
    /// The step; empty where many are counted together.
    pub step: String,
    pub version: Option<u32>,
    pub pool: Option<String>,
    pub tool: String,
    pub runs: u64,
    pub failed: u64,
    pub failure_rate: Rate,
    /// From entry to exit.
    pub total_ms: Quantiles,
    /// Work of the tools.
    pub run_ms: Quantiles,
    /// Runs that needed a retry.
    pub retried: u64,
    /// Runs that needed a retry and completed.
    pub rescued: u64,
    pub bytes_out: Quantiles,
    /// Cost: work of the tools altogether.
    pub work_seconds: f64,
    /// Cost: CPU time, where it was measured.
    pub cpu_seconds: f64,
    /// Peak memory, where it was measured.
    pub memory_bytes: u64,
    /// Waiting for a worker, on average.
    pub queue_ms: f64,
}

/// Failures that say the same thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cluster {
    pub fingerprint: String,
    pub template: String,
    pub cause: String,
    pub count: u64,
    /// Failures that an arc, a case or a rule answered.
    pub handled: u64,
    pub first_seen: String,
    pub last_seen: String,
    /// Failures in the stretch of the same length before.
    pub before: u64,
    /// `new`, `rising`, `steady`, `falling`, by a test of the two counts.
    pub trend: String,
    /// Failures in equal parts of the stretch, oldest first.
    pub history: Vec<u64>,
    pub playbooks: Vec<String>,
    pub steps: Vec<String>,
    pub example: Example,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Example {
    pub execution_id: String,
    pub event_id: String,
    pub message: String,
}

/// Something that is not as it used to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Anomaly {
    pub playbook: String,
    pub step: String,
    /// `duration`, `failure_rate`, `payload_size`, `attempts`.
    pub measure: String,
    /// `up` or `down`.
    pub direction: String,
    /// Of the stretch that was asked about: a median, or a rate.
    pub value: f64,
    /// Of the history before it.
    pub baseline: f64,
    /// Half of the history lies between these.
    pub baseline_low: f64,
    pub baseline_high: f64,
    /// `value / baseline`.
    pub ratio: f64,
    /// Runs in the stretch.
    pub runs: u64,
    /// Runs in the history.
    pub baseline_runs: u64,
    /// Chance of a deviation like this without a reason, corrected for the number of looks (Benjamini–Hochberg).
    pub q_value: f64,
    pub executions: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Anomalies {
    pub since: String,
    /// Where the history begins that the stretch is compared with.
    pub baseline_since: String,
    /// Pairs of step and measure that had runs enough to be judged.
    pub judged: u64,
    pub anomalies: Vec<Anomaly>,
}

/// Where the time of a playbook goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bottlenecks {
    pub playbook: String,
    pub since: String,
    /// Completed executions that were looked at.
    pub executions: u64,
    pub duration_ms: Quantiles,
    pub steps: Vec<Bottleneck>,
    /// Trend of the whole.
    pub trend: Trend,
    pub deadline_ms: Option<f64>,
    /// When the trend meets the deadline; none: not within a year, or it cannot be said.
    pub crosses_at: Option<String>,
    /// What cannot be said, and why.
    pub notes: Vec<String>,
}

/// A step on the critical path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bottleneck {
    pub step: String,
    pub tool: String,
    /// Share of the executions in which the step lies on the critical path.
    pub on_path: f64,
    /// Share of all the time of all critical paths.
    pub share: f64,
    /// Time on the path, where it lies on it.
    pub path_ms: Quantiles,
    /// Waiting for a worker, on average.
    pub queue_ms: f64,
    pub trend: Trend,
}

/// Change over time (Theil–Sen), with the interval that holds it in 95 of 100 cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trend {
    pub ms_per_day: f64,
    pub low: f64,
    pub high: f64,
    /// The interval leaves out zero.
    pub is_clear: bool,
}

/// Two executions side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    pub a: Side,
    pub b: Side,
    /// Unified diff of the definitions; none when they are the same.
    pub definition_diff: Option<String>,
    pub same_input: bool,
    pub same_input_shape: bool,
    pub steps: Vec<StepComparison>,
    /// Shapes of log lines in B and not in A.
    pub new_lines: Vec<Shape>,
    /// Shapes of log lines in A and not in B.
    pub vanished_lines: Vec<Shape>,
    pub new_failures: Vec<Shape>,
    pub vanished_failures: Vec<Shape>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Side {
    pub execution_id: String,
    pub playbook: String,
    pub version: u32,
    pub status: String,
    pub started_at: String,
    pub duration_ms: f64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub failed_step: String,
    pub cause: String,
    pub message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepComparison {
    pub step: String,
    pub a: Option<StepSide>,
    pub b: Option<StepSide>,
    /// What differs: `status`, `duration`, `attempts`, `size`, `rows`, `shape`, `tool`, `only_a`, `only_b`.
    pub differs: Vec<String>,
}

/// All runs of a step in one execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepSide {
    pub status: String,
    pub tool: String,
    pub runs: u64,
    pub total_ms: f64,
    pub attempts: u32,
    pub bytes_out: u64,
    pub rows_out: u64,
    pub result_shape: String,
    pub worker: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Shape {
    pub fingerprint: String,
    pub template: String,
    pub count: u64,
}

/// A query over the analytic tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SqlQuestion {
    pub query: String,
    /// None: 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
    /// None: 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SqlAnswer {
    pub columns: Vec<SqlColumn>,
    /// Each a list of values in the order of the columns; whole numbers of 64 bits are strings.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// There were more rows than were asked for.
    pub is_cut: bool,
    pub elapsed_ms: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SqlColumn {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// How the semantic layer is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LayerStatus {
    pub analytics: PartStatus,
    pub vectors: PartStatus,
    /// Fingerprints known.
    pub fingerprints: u64,
    /// What makes the vectors of meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedder: Option<EmbedderStatus>,
    pub tables: Vec<TableSize>,
    #[serde(default)]
    pub collections: Vec<CollectionSize>,
    /// Points on their way into the space of another embedder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<Moving>,
    /// What could not be read and was set aside, newest first.
    pub poison: Vec<Poison>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartStatus {
    /// `starting`, `on`, `failing` (tried again), `off`.
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the engine answers, for other readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub position: u64,
    pub head: u64,
    /// Events that are committed and not in the store yet.
    pub behind: u64,
    pub lag_ms: u64,
    /// Events and lines that were set aside.
    pub poison: u64,
}

/// What makes vectors of texts, and what it was asked since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmbedderStatus {
    /// Model, quantisation and length of the vectors.
    pub name: String,
    /// Why not a better one, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Times the model was asked.
    pub calls: u64,
    /// Texts it was asked for.
    pub texts: u64,
    /// Texts that were answered from memory.
    pub remembered: u64,
}

/// One collection of the vector store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CollectionSize {
    pub collection: String,
    pub points: u64,
}

/// How far the points of another embedder are moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moving {
    /// The collection they come from.
    pub from: String,
    pub done: u64,
    pub total: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableSize {
    pub table: String,
    pub rows: u64,
    pub bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Poison {
    pub kind: String,
    pub position: u64,
    pub execution_id: String,
    pub reason: String,
    pub at: String,
}
