//! A Proposal is approved: its text becomes the next version, and a Rollout gives that to a share of the Executions.

use noetl_api::proposal::{Decide, Proposal, ProposalState};
use noetl_api::rollout::RolloutState;
use noetl_domain::rollout::Goal;
use serde_json::json;

use super::rows::{Change, Record, Trial};
use super::{ControlError, Proposals, Transition, actor, happened, policy, rows, show};
use crate::ids::now_ms;

/// More would leave nobody to compare with.
const LARGEST_SHARE: u32 = 90;

/// Whoever approves, as far as the policy tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Person,
    Policy,
}

impl Proposals {
    /// Approves one: for a person, inside the policy's bounds.
    pub async fn approve(&self, id: &str, decide: &Decide) -> Result<Proposal, ControlError> {
        let _deciding = self.deciding.lock().await;
        self.approve_as(id, decide, By::Person).await
    }

    /// The caller holds `deciding`.
    pub(super) async fn approve_as(
        &self,
        id: &str,
        decide: &Decide,
        by: By,
    ) -> Result<Proposal, ControlError> {
        let record = self.undecided(id).await?;
        let now = now_ms();
        let policy = self.policy_in_effect()?;
        let promoted = rows::promoted(&self.store, 200).await?;
        let mut refused = policy::closed(&policy, now)
            .or_else(|| policy::refuses(&policy, &record.proposed, &promoted, now));
        if by == By::Policy {
            refused = refused.or_else(|| policy::needs_a_person(&policy, &record.proposed));
        }
        if let Some(why) = refused {
            return Err(ControlError::Forbidden(why));
        }
        let Some(text) = record.proposed.content.clone() else {
            return Err(ControlError::Refused(
                "nothing in the playbook changes; do what its title says, then reject it".to_owned(),
            ));
        };
        let share = decide.share_percent.unwrap_or(policy.canary.share_percent);
        if !(1..=LARGEST_SHARE).contains(&share) {
            return Err(ControlError::Share(share));
        }
        let playbook = record.proposed.playbook.clone();
        if let Some(open) = rows::rollouts(&self.store, Some(&playbook), false).await?.first() {
            return Err(ControlError::Busy { id: open.id, playbook });
        }
        let base = record.proposed.base_version;
        let actor = if by == By::Policy { "policy".to_owned() } else { actor(decide) };
        let rollout = self.ids.next_id();
        let started = Started { record: &record, rollout, share, now, actor, note: decide.note.clone() };
        let registered = self
            .catalog
            .register_after((&playbook, base), text, |version| started.transition(version, &policy))
            .await?;
        if registered.is_none() {
            return Err(self.outdated(record, now).await?);
        }
        self.changed.notify_one();
        Ok(show::proposal(&self.record(id).await?))
    }

    /// Sets a Proposal aside whose playbook has gone on.
    async fn outdated(&self, record: Record, now: i64) -> Result<ControlError, ControlError> {
        let newest = self.catalog.stable(&record.proposed.playbook).await?.version;
        let base = record.proposed.base_version;
        let playbook = record.proposed.playbook.clone();
        self.supersede(record, format!("the playbook is at version {newest}"), now).await?;
        Ok(ControlError::Outdated { playbook, newest, base })
    }

    pub(super) async fn supersede(&self, record: Record, note: String, now: i64) -> Result<(), ControlError> {
        let next = Record { state: ProposalState::Superseded, note: Some(note), ..record };
        let event = happened(&next, "proposal.superseded", "rollout", now);
        let change = Change { proposals: vec![next], events: vec![event], ..Change::default() };
        Ok(change.apply(&self.store).await?)
    }
}

struct Started<'a> {
    record: &'a Record,
    rollout: u64,
    share: u32,
    now: i64,
    actor: String,
    note: Option<String>,
}

impl Started<'_> {
    fn transition(&self, version: u32, policy: &noetl_api::policy::Policy) -> Transition {
        let proposed = &self.record.proposed;
        let trial = Trial {
            id: self.rollout,
            playbook: proposed.playbook.clone(),
            proposal: Some(self.record.id),
            stable: proposed.base_version,
            canary: version,
            share_percent: self.share,
            goal: if proposed.effect.metric == "failure_rate" { Goal::FailureRate } else { Goal::Duration },
            rules: policy.canary.rules(),
            state: RolloutState::Running,
            started_ms: self.now,
            ..Trial::default()
        };
        let next = Record {
            state: ProposalState::Canary,
            decided_by: Some(self.actor.clone()),
            decided_ms: Some(self.now),
            note: self.note.clone(),
            rollout: Some(self.rollout),
            version: Some(version),
            ..self.record.clone()
        };
        let approved = happened(&next, "proposal.approved", &self.actor, self.now);
        let mut started = happened(&next, "rollout.started", &self.actor, self.now);
        started.data = json!({
            "stable_version": trial.stable, "canary_version": version, "share_percent": self.share,
            "goal": trial.goal, "rules": trial.rules,
        });
        Transition {
            split: trial.split(),
            change: Change { proposals: vec![next], rollouts: vec![trial], events: vec![approved, started] },
        }
    }
}
