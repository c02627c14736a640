//! Proposals: typed changes to a playbook with their grounds, and what became of them.
//!
//! Durations are seconds where a playbook says seconds, else milliseconds; rates lie between 0 and 1; moments are
//! RFC 3339 in UTC; ids are strings of decimal digits.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::diagnosis::EvidenceItem;

/// What kind of change is proposed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalKind {
    /// Attempts and waits between them, for one cause.
    #[default]
    Retry,
    Timeout,
    /// Elements of a loop that one call takes.
    BatchSize,
    /// Elements of a loop that are worked on side by side.
    Concurrency,
    /// The pool, and so the hardware, that runs a step.
    Pool,
    /// Steps in sequence that read nothing of each other.
    Parallelise,
    /// A credential that is named and does not exist; nothing in the playbook changes.
    Credential,
    /// A check of what a step returned, before others read it.
    SchemaGuard,
    /// A step drafted from a description.
    Step,
}

impl ProposalKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Timeout => "timeout",
            Self::BatchSize => "batch_size",
            Self::Concurrency => "concurrency",
            Self::Pool => "pool",
            Self::Parallelise => "parallelise",
            Self::Credential => "credential",
            Self::SchemaGuard => "schema_guard",
            Self::Step => "step",
        }
    }
}

/// Where a Proposal stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalState {
    /// Waits for a person, or for the policy.
    #[default]
    Proposed,
    /// A Rollout gives the new version to a share of the executions.
    Canary,
    /// The new version runs everywhere; what it promised is being watched.
    Promoted,
    /// It did harm, or somebody took it back.
    RolledBack,
    /// It delivered what it promised.
    Verified,
    /// It runs everywhere and did not deliver what it promised.
    Missed,
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// A newer Proposal, or a newer version of the playbook, took its place.
    Superseded,
}

impl ProposalState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Canary => "canary",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled_back",
            Self::Verified => "verified",
            Self::Missed => "missed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Proposed | Self::Canary | Self::Promoted)
    }
}

/// One parameter that a Proposal sets; the policy file bounds it by `parameter`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// `retry.max_attempts`, `retry.initial_delay`, `retry.multiplier`, `retry.max_delay`, `timeout`, `batch_size`,
    /// `max_in_flight`, `pool`, `arcs`, `guard`, `steps`.
    pub parameter: String,
    /// Null when the playbook says nothing about it.
    pub before: serde_json::Value,
    pub after: serde_json::Value,
}

/// An estimate with the interval that holds the true value in 95 of 100 cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Estimate {
    /// What is estimated, such as `share of rate limits that a fourth attempt recovers`.
    pub what: String,
    /// `s`, `ms`, `items`, `attempts`, `share`, `ms per item`.
    pub unit: String,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// What a Proposal rests on; one without any of these is invalid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Grounds {
    /// The data window.
    pub from: String,
    pub to: String,
    /// Observations.
    pub n: u64,
    /// Of those, the ones whose end was not seen: stopped by the policy, by a deadline, by a cancel.
    pub censored: u64,
    pub estimate: Estimate,
    /// What the present value gives over the same data.
    pub counterfactual: Estimate,
    /// The bound that limited the choice, in words.
    pub bound: String,
    /// SQL over the analytic tables (`noetl sql`) that reproduces the data.
    pub query: String,
}

/// What is promised; the ledger compares it with what came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Effect {
    /// `failure_rate` (of executions), `duration_ms` (median of executions) or `cost_ms_per_item`.
    pub metric: String,
    pub before: f64,
    pub expected: f64,
    pub low: f64,
    pub high: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    #[default]
    Low,
    Medium,
    High,
}

impl RiskLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A Proposal as the assistant reports it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewProposal {
    /// Path of the playbook.
    #[schema(example = "examples/flaky_orders")]
    pub playbook: String,
    /// The version that the data is about and that the change applies to.
    pub base_version: u32,
    pub kind: ProposalKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The cause that it answers, from the closed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// One line a person reads in a list.
    pub title: String,
    /// Why, in sentences that cite `[e:REF]`.
    pub reason: String,
    pub changes: Vec<Change>,
    /// The whole text of the playbook with the change in it; none when nothing in it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Unified diff from the text of the base version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    pub grounds: Grounds,
    pub effect: Effect,
    pub risk: RiskLevel,
    /// What could go wrong, and what guards against it.
    pub risk_note: String,
    pub evidence: Vec<EvidenceItem>,
    /// Hash of what it rests on: the same evidence never brings back a rejected Proposal.
    pub evidence_hash: String,
    /// `rules`, or the name of a model and the version of its prompt.
    pub written_by: String,
    /// How long it may wait for a decision.
    pub expires_in_seconds: u64,
}

impl NewProposal {
    /// Two Proposals with the same key are about the same thing: the newer one supersedes the older.
    pub fn key(&self) -> String {
        let or_all = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        format!("{}:{}:{}:{}", self.kind.as_str(), self.playbook, or_all(&self.step), or_all(&self.cause))
    }
}

/// A Proposal as the control plane keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Proposal {
    #[schema(example = "386547056640512000")]
    pub id: String,
    #[serde(flatten)]
    pub proposed: NewProposal,
    pub state: ProposalState,
    pub made_at: String,
    pub expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
    /// Why it was rejected, rolled back, or superseded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout_id: Option<String>,
    /// The version that the Rollout tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What was measured after the promotion, in the unit of `effect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Estimate>,
}

/// One transition, never edited: an Event of the control plane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ControlEvent {
    pub seq: u64,
    pub at: String,
    /// `proposal.made`, `proposal.approved`, `proposal.rejected`, `proposal.expired`, `proposal.superseded`,
    /// `proposal.verified`, `proposal.missed`, `rollout.started`, `rollout.paused`, `rollout.resumed`,
    /// `rollout.judged`, `rollout.promoted`, `rollout.rolled_back`.
    pub name: String,
    pub playbook: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout_id: Option<String>,
    /// `cli`, `api`, `policy`, `rollout`, `assistant`.
    pub actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_hash: Option<String>,
    pub data: serde_json::Value,
}

/// Which Proposals to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ProposalFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ProposalKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ProposalState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A decision about a Proposal or a Rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Decide {
    /// Who decides; the client's user name by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// For approvals: the share of executions that the canary gets, in percent; what the policy says by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_percent: Option<u32>,
}

/// What a Proposal would have done to the executions of its window, replayed over what they recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Simulation {
    pub proposal_id: String,
    /// Executions that were replayed.
    pub executions: u64,
    /// Of those, the ones whose ending the recorded data cannot tell under the change.
    pub undecided: u64,
    pub failed_before: u64,
    pub failed_after: Estimate,
    pub duration_ms_before: f64,
    pub duration_ms_after: Estimate,
    /// In words, with what it assumes.
    pub reading: String,
}

/// Promised against delivered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LedgerLine {
    pub proposal_id: String,
    pub playbook: String,
    pub title: String,
    pub state: ProposalState,
    pub metric: String,
    pub before: f64,
    pub promised: f64,
    pub delivered: Option<Estimate>,
    pub promoted_at: Option<String>,
    /// Executions since the promotion that were measured.
    pub n: u64,
    /// Why this promise can never be held against what came; none when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_measurable: Option<String>,
}

/// Which playbook to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct LookRequest {
    /// All of them by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
}

/// What a look at the history found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Looked {
    /// Playbooks that were looked at, and executions of theirs that were read.
    pub playbooks: u64,
    pub executions: u64,
    pub proposals: Vec<Proposal>,
    /// Why nothing is proposed where something might have been.
    pub refused: Vec<Refused>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Refused {
    pub playbook: String,
    pub kind: ProposalKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub why: String,
}

/// A step to draft from a description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DraftStep {
    pub playbook: String,
    /// The step that the new one stands behind.
    pub after: String,
    /// What it shall do, in words.
    pub description: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ProposalList {
    /// Newest first; without the text of the playbook.
    pub items: Vec<Proposal>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Ledger {
    /// Newest promotion first.
    pub items: Vec<LedgerLine>,
}

/// Which events of the control plane; in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ControlFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout_id: Option<String>,
    /// Only events after this `seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ControlEvents {
    pub items: Vec<ControlEvent>,
}
