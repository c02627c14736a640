//! Tasks: one Tool call each, and what is done with its Outcome.

use serde::{Deserialize, Serialize};

use super::{Expr, Step};
use crate::{Map, Value};

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
    /// As of a Step: whether running it twice does what running it once does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
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
        self.kind == kind
            || self.nested.as_ref().is_some_and(|inner| inner.body.iter().any(|task| task.calls(kind)))
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
