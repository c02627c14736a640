//! Rollouts: a new version of a playbook, given to a share of its executions beside a control arm.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    #[default]
    Running,
    /// Everybody gets the stable version until it goes on.
    Paused,
    Promoted,
    RolledBack,
    /// Somebody registered a newer version of the playbook meanwhile.
    Superseded,
}

impl RolloutState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled_back",
            Self::Superseded => "superseded",
        }
    }

    pub fn is_final(self) -> bool {
        !matches!(self, Self::Running | Self::Paused)
    }
}

/// What ran in one arm since the Rollout began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Arm {
    pub version: u32,
    /// Executions that ended.
    pub finished: u64,
    pub failed: u64,
    pub running: u64,
    /// Median, of those that completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
}

/// What the sequential test says so far; it may be looked at any time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Judgement {
    /// `hold`, `promote` or `roll_back`.
    pub verdict: String,
    /// Why, in words with the numbers.
    pub why: String,
    /// Probability that the new version fails more often.
    pub p_harm: f64,
    /// Probability that it fails less often.
    pub p_benefit: f64,
}

/// How a Rollout is judged; from the policy file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RolloutRules {
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
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Rollout {
    pub id: String,
    pub playbook: String,
    pub proposal_id: Option<String>,
    /// What executions get that are not in the canary.
    pub stable_version: u32,
    pub canary_version: u32,
    /// Share of executions in the canary: those whose hashed id falls below it.
    pub share_percent: u32,
    pub state: RolloutState,
    /// What has to get better: `failure_rate` or `duration`.
    pub goal: String,
    pub started_at: String,
    pub ended_at: Option<String>,
    pub rules: RolloutRules,
    pub control: Arm,
    pub canary: Arm,
    pub judgement: Judgement,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct RolloutFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// Those that ended as well.
    pub all: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RolloutList {
    /// Newest first.
    pub items: Vec<Rollout>,
}
