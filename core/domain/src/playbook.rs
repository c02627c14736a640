//! A Playbook: what every generation of the YAML is normalised into.
//!
//! Constructing one through [`crate::dialect::read`] means it is valid.
//! Values keep their templates unrendered; [`Expr`] marks the strings that are conditions.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{Map, Value};

/// A condition as the author wrote it, with or without `{{ }}`; a YAML boolean becomes `true` or `false`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expr(pub String);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Playbook {
    /// The newest generation whose constructs the file uses; it settles the few places where meaning differs.
    pub dialect: Dialect,
    pub name: String,
    /// Catalog path; falls back to `name`.
    pub path: String,
    pub description: Option<String>,
    pub labels: IndexMap<String, String>,
    /// Default inputs; templates inside are rendered once when an Execution starts.
    pub workload: Map,
    pub keychain: Vec<KeychainEntry>,
    pub steps: Vec<Step>,
    /// Where Tokens are placed at the start: one Start but for the first generation, which may have several.
    pub entry: Vec<Start>,
    /// Runs once after everything else came to rest (`executor.spec.final_step`).
    pub final_step: Option<String>,
    /// A branch that ends with no true arc is a failure (`executor.spec.no_next_is_error`).
    pub no_next_is_error: bool,
    pub schedules: Vec<ScheduleSpec>,
    /// Seconds the whole Execution may take.
    pub timeout_seconds: Option<f64>,
    /// The first generation's allowed state changes, upper case; empty: all are allowed.
    pub transitions: IndexMap<String, Vec<String>>,
}

impl Playbook {
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

/// Generations of the playbook language, oldest first (playbooks.md, section 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// Tasks and plugins, 2023.
    First,
    L0,
    A,
    B,
    C,
    D,
    #[default]
    E,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    pub step: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub inputs: Map,
}

/// `keychain:` and the older root `credentials:` list; resolved on the worker, never stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeychainEntry {
    pub name: String,
    pub kind: String,
    pub scope: Option<String>,
    /// Every other key of the entry as written (provider, map, endpoint, auth, …).
    pub config: Map,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    pub when: ScheduleWhen,
    pub payload: Map,
    pub timezone: Option<String>,
    /// Missed firings: none, the latest one, or all of them.
    pub catch_up: CatchUp,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleWhen {
    Cron(String),
    IntervalSeconds(f64),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    #[default]
    Skip,
    Latest,
    All,
}

/// A place work happens: a guard, inputs, an optional loop, a pipeline of Tasks, and ways onward.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Admission: a false guard skips the Step, and routing goes on (`when`, `pass` negated, `policy.admit`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<Expr>,
    /// `data`, `args`, `with`, `input` of the step; Token arguments are merged over them.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub inputs: Map,
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub looped: Option<Loop>,
    /// Empty: a router or marker that completes at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Task>,
    /// The body was written as a list (pipeline results are a map by label) rather than one tool.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pipeline: bool,
    /// Run once after the tool (for a loop: after the whole loop), before routing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saves: Vec<Save>,
    /// `vars:` (C): evaluated after success with `result` bound; a failing one is logged and skipped.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extracts: Map,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<Assignment>,
    /// `case:` (C): the first true entry per event wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
    pub routes: Routes,
    /// `retry:` of the step: applies to its one Task, or to the pipeline as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<f64>,
    pub join: Join,
    /// `output_select` and `output.store`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputPolicy>,
    /// Another name under which the result is visible (`as:`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Which generation this step is written in; settles result shapes handed to code.
    pub dialect: Dialect,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Several forward upstreams: run once, after all that can still run are done.
    #[default]
    Barrier,
    /// Every Token runs the Step on its own (tasks of the first generation).
    EachToken,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutputPolicy {
    pub store: Option<String>,
    pub select: Vec<String>,
}

/// One Tool call in a Step's pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// Label inside the pipeline (`task_<index>` when unnamed); the step's name for a single tool.
    pub name: String,
    /// Tool kind: `python`, `http`, `postgres`, …
    pub kind: String,
    /// The tool's own fields, templates unrendered (`url`, `code`, `command`, `params`, …).
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub config: Map,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub inputs: Map,
    /// Any form of playbooks.md section 12.2, as written (`auth`, `credential`, `credentials`, `secret`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<Assignment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// `save`/`sink` of the task: run per call (per item inside a loop).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saves: Vec<Save>,
    /// Seconds, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<String>,
    /// A loop in the place of a tool: its body runs for every element, inside this call, and gives a list of results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nested: Option<Box<Step>>,
}

impl Task {
    /// Whether the Task, or a loop inside it, calls this tool.
    pub fn calls(&self, kind: &str) -> bool {
        self.kind == kind || self.nested.as_ref().is_some_and(|inner| inner.body.iter().any(|task| task.calls(kind)))
    }
}

/// One write to a variable: `ctx.k`, `iter.k`, `step.k`; a bare key writes ctx.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    pub scope: SetScope,
    pub key: String,
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetScope {
    Ctx,
    Iter,
    Step,
}

/// A rule on an Outcome; `when: None` is the trailing `else`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    pub directive: Directive,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<Assignment>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Directive {
    Continue,
    /// `attempts` counts total tries (default 3). Values may be templates.
    Retry {
        attempts: Value,
        backoff: Backoff,
        delay_seconds: Value,
    },
    Jump {
        to: String,
    },
    Break,
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    None,
    Fixed,
    Linear,
    Exponential,
}

/// The retry blocks of B and C; the first entry whose `when` is true applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// First try included; may be a template.
    pub max_attempts: Value,
    pub initial_delay_seconds: Value,
    pub max_delay_seconds: Value,
    pub multiplier: Value,
    /// The delay grows by the initial one with every try, in place of being multiplied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub linear: bool,
    pub jitter: bool,
    /// None: any error, or `success` false.
    pub when: Option<Expr>,
    /// True ends the tries as a success.
    pub stop_when: Option<Expr>,
}

/// Pagination: call again with changes while a condition holds, and merge what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    pub while_true: Expr,
    /// `params`, `body`, `url`, `headers`, `json`, `data`: merged over the task's own fields.
    pub next: Map,
    pub merge: Merge,
    /// Dotted path inside the wrapped response, such as `data.items`; None: the body.
    pub path: Option<String>,
    /// Name that the merged list gets beside the result.
    pub into: Option<String>,
    /// Pages at most; may be a template.
    pub max_pages: Value,
    /// Retry of a single page.
    pub retry: Vec<Retry>,
    /// Run for every page.
    pub saves: Vec<Save>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    Append,
    Extend,
    Replace,
    Collect,
}

/// `save` / `sink`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Save {
    /// `event_log`, `variable`, `postgres`, `sqlite`, `duckdb`, `http`, `python`, …
    pub backend: String,
    /// Every key of the block as written, but for those lifted into fields.
    pub config: Map,
    pub auth: Option<Value>,
    pub when: Option<Expr>,
    pub on: SaveOn,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaveOn {
    #[default]
    Success,
    Error,
    Always,
}

/// One `case` entry (C).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// None: the trailing `else`.
    pub when: Option<Expr>,
    pub then: Vec<Action>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Next(Vec<Arc>),
    Set(Vec<Assignment>),
    /// Replaces the step's result; a template, or a literal. `{from: name}` becomes `{{ name }}`.
    Result(Value),
    /// Adds what came back to an accumulator named `into`.
    Collect {
        merge: Merge,
        path: Option<String>,
        into: Option<String>,
    },
    /// Calls the tool again with changes (pagination); `next` as in [`Repeat`].
    Again {
        next: Map,
        max_pages: Value,
    },
    Retry(Retry),
    /// Runs another step with these inputs, then routes onward from it.
    Call {
        step: String,
        inputs: Map,
    },
    Save(Save),
    Fail(Option<Value>),
    Skip,
}

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

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Routes {
    pub mode: RouteMode,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arcs: Vec<Arc>,
    /// Fire when no conditional arc did (`else`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<Arc>,
    #[serde(default)]
    pub on_no_match: OnNoMatch,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteMode {
    /// Every true arc fires (A/B/C lists, `mode: inclusive`).
    #[default]
    All,
    /// The first true arc in order (`mode: exclusive`).
    First,
    /// The arcs of the first true condition (when/then/else chains): consecutive arcs that share a `when` fire together.
    Chain,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNoMatch {
    #[default]
    Complete,
    Quiet,
}

/// A way to another Step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arc {
    pub to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Merged over the target's inputs (`args`, `data`, `with`, `params`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub inputs: Map,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<Assignment>,
}
