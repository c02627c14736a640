//! How Proposals and Rollouts look to callers.

use noetl_api::proposal::{LedgerLine, Proposal};
use noetl_api::rollout::Rollout;

use super::rows::{Arms, Record, Trial};
use crate::http::time;

pub(super) fn proposal(record: &Record) -> Proposal {
    Proposal {
        id: record.id.to_string(),
        proposed: record.proposed.clone(),
        state: record.state,
        made_at: time(record.made_ms),
        expires_at: time(record.expires_ms),
        decided_by: record.decided_by.clone(),
        decided_at: record.decided_ms.map(time),
        note: record.note.clone(),
        rollout_id: record.rollout.map(|id| id.to_string()),
        version: record.version,
        delivered: record.delivered.as_ref().map(|delivered| delivered.estimate.clone()),
    }
}

pub(super) fn rollout(trial: &Trial, arms: Arms) -> Rollout {
    Rollout {
        id: trial.id.to_string(),
        playbook: trial.playbook.clone(),
        proposal_id: trial.proposal.map(|id| id.to_string()),
        stable_version: trial.stable,
        canary_version: trial.canary,
        share_percent: trial.share_percent,
        state: trial.state,
        goal: match trial.goal {
            noetl_domain::rollout::Goal::FailureRate => "failure_rate",
            noetl_domain::rollout::Goal::Duration => "duration",
        }
        .to_owned(),
        started_at: time(trial.started_ms),
        ended_at: trial.ended_ms.map(time),
        rules: trial.rules.clone(),
        control: arms.control,
        canary: arms.canary,
        judgement: arms.judgement,
    }
}

/// Promised against delivered.
pub(super) fn ledger_line(record: &Record) -> LedgerLine {
    let effect = &record.proposed.effect;
    LedgerLine {
        proposal_id: record.id.to_string(),
        playbook: record.proposed.playbook.clone(),
        title: record.proposed.title.clone(),
        state: record.state,
        metric: effect.metric.clone(),
        before: effect.before,
        promised: effect.expected,
        delivered: record.delivered.as_ref().map(|delivered| delivered.estimate.clone()),
        promoted_at: record.promoted_ms.map(time),
        n: record.delivered.as_ref().map_or(0, |delivered| delivered.n),
        not_measurable: super::verify::not_measurable(&effect.metric),
    }
}
