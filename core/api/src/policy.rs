//! The policy: what may be changed without asking, how far, when, and how a change is tried.
//!
//! A person writes it, in `[policy]` of noetl.toml or in a file that `policy.file` names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rollout::RolloutRules;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Proposals are kept and listed; nothing can be approved.
    Observe,
    /// A person approves; what is approved is tried, and promoted or rolled back by itself.
    #[default]
    Suggest,
    /// The control plane starts trying what the policy allows; a person promotes.
    Approve,
    /// The control plane does all of it by itself, inside the policy.
    Auto,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Suggest => "suggest",
            Self::Approve => "approve",
            Self::Auto => "auto",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Another file that holds all of this; relative to the directory that the server was started in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    pub mode: Mode,
    /// Nothing is approved or promoted, and what is being tried is paused.
    pub kill_switch: bool,
    /// One change multiplies or divides a number by this at most.
    pub largest_step: f64,
    /// Minutes after a promotion in which the same step is left alone.
    pub cool_down_minutes: f64,
    pub canary: Canary,
    /// By parameter, such as `"retry.max_attempts"`; what is not named keeps its default.
    #[serde(deserialize_with = "over_defaults")]
    pub parameters: BTreeMap<String, Bound>,
    /// When nothing is approved or promoted; what does harm is rolled back all the same.
    pub blackout: Vec<Blackout>,
}

impl Default for Policy {
    fn default() -> Self {
        let bound = |min: f64, max: f64| Bound { min: Some(min), max: Some(max), ..Bound::default() };
        let parameters = [
            ("retry.max_attempts", bound(1.0, 10.0)),
            ("retry.initial_delay", bound(0.0, 300.0)),
            ("retry.max_delay", bound(0.0, 3_600.0)),
            ("retry.multiplier", bound(1.0, 4.0)),
            ("timeout", bound(0.1, 3_600.0)),
            ("batch_size", bound(1.0, 10_000.0)),
            ("max_in_flight", bound(1.0, 64.0)),
            ("pool", Bound { auto: Some(false), ..Bound::default() }),
        ];
        Self {
            file: String::new(),
            mode: Mode::Suggest,
            kill_switch: false,
            largest_step: 2.0,
            cool_down_minutes: 60.0,
            canary: Canary::default(),
            parameters: parameters.into_iter().map(|(name, bound)| (name.to_owned(), bound)).collect(),
            blackout: Vec::new(),
        }
    }
}

/// What a change of one parameter may do; what is left out is as the whole policy says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bound {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest_step: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_down_minutes: Option<f64>,
    /// Words that it may become, for what is not a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// False: only a person may approve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<bool>,
}

/// Lays the bounds that somebody wrote over the default ones.
fn over_defaults<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Bound>, D::Error> {
    let mut bounds = Policy::default().parameters;
    for (name, written) in BTreeMap::<String, Bound>::deserialize(deserializer)? {
        let usual = bounds.remove(&name).unwrap_or_default();
        let bound = Bound {
            min: written.min.or(usual.min),
            max: written.max.or(usual.max),
            auto: written.auto.or(usual.auto),
            ..written
        };
        bounds.insert(name, bound);
    }
    Ok(bounds)
}

/// How a new version is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Canary {
    /// Percent of the executions that get it.
    pub share_percent: u32,
    /// Finished executions that each arm needs before anything is promoted.
    pub min_executions: u64,
    /// Probability of harm that rolls back.
    pub harm_above: f64,
    /// Harm is a failure rate that is higher by this much.
    pub harm_margin: f64,
    /// Probability of benefit that promotes.
    pub benefit_above: f64,
    /// A median duration that is higher by this factor rolls back.
    pub slower_by: f64,
    /// Finished canary executions after which a benefit that has not shown is given up.
    pub give_up_after: u64,
    /// Finished executions after the promotion that say whether the promise was kept.
    pub verify_executions: u64,
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            share_percent: 50,
            min_executions: 20,
            harm_above: 0.9,
            harm_margin: 0.07,
            benefit_above: 0.99,
            slower_by: 2.0,
            give_up_after: 1_000,
            verify_executions: 30,
        }
    }
}

impl Canary {
    pub fn rules(&self) -> RolloutRules {
        RolloutRules {
            min_executions: self.min_executions,
            harm_above: self.harm_above,
            harm_margin: self.harm_margin,
            benefit_above: self.benefit_above,
            slower_by: self.slower_by,
            give_up_after: self.give_up_after,
        }
    }
}

/// A window of time: weekdays with hours, or so many minutes from each moment of a cron expression.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Blackout {
    /// Such as `["Sat", "Sun"]`; none: every day.
    pub days: Vec<String>,
    /// Such as `22:00`; the window belongs to the day on which it begins.
    pub from: String,
    /// Such as `06:00`; before `from`: on the next day.
    pub to: String,
    pub cron: String,
    pub minutes: f64,
    /// Such as `Europe/Berlin`; UTC by default.
    pub timezone: String,
    /// What it is for.
    pub note: String,
}

/// The policy in effect, and what it says at this moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PolicyState {
    pub policy: Policy,
    /// Why nothing can be approved now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
}
