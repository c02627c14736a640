//! What the laws that Proposals are made with expect of another value of a parameter.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::proposal::Estimate;

/// A parameter whose other values can be foreseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhatIfParameter {
    /// Elements of a loop that one call takes.
    #[default]
    BatchSize,
    /// Elements of a loop that are worked on side by side.
    MaxInFlight,
    /// Calls of a tool before it counts as failed, the first one included.
    MaxAttempts,
    /// Seconds.
    Timeout,
}

/// Which value of what is asked about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatIf {
    /// Path of the playbook; its newest version is meant.
    #[schema(example = "examples/flaky_orders")]
    pub playbook: String,
    pub step: String,
    pub parameter: WhatIfParameter,
    pub value: f64,
}

/// One quantity with the present value of the parameter and with the other one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Expected {
    pub now: Estimate,
    pub then: Estimate,
}

/// What the history of a step lets expect of another value. Nothing is changed by asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Foreseen {
    pub playbook: String,
    pub version: u32,
    pub step: String,
    pub parameter: WhatIfParameter,
    pub value: f64,
    /// The present value; none when the playbook says nothing about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<f64>,
    /// Empty when the history does not carry an estimate.
    pub expected: Vec<Expected>,
    /// Observations behind it.
    pub n: u64,
    /// The law that was fitted, in words.
    pub law: String,
    /// The value lies outside of everything that was seen, so that the law is continued beyond its data.
    pub is_beyond: bool,
    /// Why nothing can be expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}
