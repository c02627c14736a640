//! Ways onward: arcs, and the `case` entries of C.

use serde::{Deserialize, Serialize};

use super::{Assignment, Expr, Merge, Retry, Save};
use crate::{Map, Value};

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
    /// Calls the tool again with changes (pagination); `next` as in [`Repeat`](super::Repeat).
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
