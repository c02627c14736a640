//! A Playbook: what every generation of the YAML is normalised into.
//!
//! Constructing one through [`crate::dialect::read`] means it is valid.
//! Values keep their templates unrendered; [`Expr`] marks the strings that are conditions.

mod looped;
mod routes;
mod task;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use looped::{Cursor, ItemFailure, Loop, LoopMode, LoopSource};
pub use routes::{Action, Arc, Case, OnNoMatch, RouteMode, Routes};
pub use task::{Assignment, Backoff, Directive, Merge, Repeat, Retry, Rule, Save, SaveOn, SetScope, Task};

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
    /// The author's word that doing it twice is the same as doing it once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
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
