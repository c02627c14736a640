//! What becomes of Proposals and Rollouts by themselves: they expire, are superseded, judged, verified, and in the modes
//! approve and auto the policy approves.

use noetl_api::policy::{Mode, Policy};
use noetl_api::proposal::{Decide, ProposalFilter, ProposalState};
use noetl_api::rollout::RolloutState;

use super::approve::By;
use super::rows::{Change, Record, Trial};
use super::{ControlError, Proposals, happened, policy, rows};
use crate::catalog::CatalogError;
use crate::ids::now_ms;
use crate::orchestrator::Which;

/// What a sweep found, as far as it says when the next one is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// A Rollout is going on: its Executions are worth listening for.
    pub(super) running: bool,
    /// A promise is being watched, or the policy might approve what waits.
    pub(super) watching: bool,
    /// When the next Proposal expires.
    pub(super) expires_ms: Option<i64>,
}

impl Proposals {
    /// Brings everything that is open up to date.
    pub(super) async fn sweep(&self) -> Result<Swept, ControlError> {
        let _deciding = self.deciding.lock().await;
        let policy = self.policy_in_effect();
        if let Err(error) = &policy {
            tracing::warn!(%error, "the policy cannot be read: nothing is approved or promoted until it can");
        }
        let policy = policy.ok();
        for trial in rows::rollouts(&self.store, None, false).await? {
            self.look_after(trial, policy.as_ref()).await?;
        }
        for record in self.in_state_of(ProposalState::Promoted).await? {
            self.look_back(record, policy.as_ref()).await?;
        }
        for record in self.in_state_of(ProposalState::Proposed).await? {
            self.look_ahead(record, policy.as_ref()).await?;
        }
        let mut swept = Swept::default();
        for trial in rows::rollouts(&self.store, None, false).await? {
            swept.running |= trial.state == RolloutState::Running;
            // A paused one may be archived or superseded, which is told; a kill switch is not.
        }
        swept.watching = !self.in_state_of(ProposalState::Promoted).await?.is_empty();
        let by_itself = policy.is_some_and(|policy| matches!(policy.mode, Mode::Approve | Mode::Auto));
        for record in self.in_state_of(ProposalState::Proposed).await? {
            swept.watching |= by_itself;
            swept.expires_ms =
                Some(swept.expires_ms.map_or(record.expires_ms, |soonest| soonest.min(record.expires_ms)));
        }
        Ok(swept)
    }

    async fn in_state_of(&self, state: ProposalState) -> Result<Vec<Record>, ControlError> {
        let filter = ProposalFilter { state: Some(state), limit: Some(1_000), ..ProposalFilter::default() };
        Ok(rows::proposals(&self.store, &filter).await?)
    }

    /// A Rollout: does it still stand, and what do its arms say?
    async fn look_after(&self, trial: Trial, policy: Option<&Policy>) -> Result<(), ControlError> {
        let archived = |version| {
            let which = Which::Path(trial.playbook.clone(), Some(version));
            async move {
                match self.catalog.get(&which).await {
                    Ok(entry) => Ok(entry.archived_ms.is_some()),
                    Err(CatalogError::Unknown(_)) => Ok(true),
                    Err(error) => Err(ControlError::from(error)),
                }
            }
        };
        if archived(trial.canary).await? {
            let note = Some(format!("version {} was archived", trial.canary));
            let arms = self.judged(&trial, now_ms()).await?.1;
            return self.end(trial, RolloutState::RolledBack, "catalog", note, arms).await;
        }
        let newest = self.catalog.get(&Which::Path(trial.playbook.clone(), None)).await?.version;
        let note = if newest > trial.canary {
            Some(format!("version {newest} was registered"))
        } else if archived(trial.stable).await? {
            Some(format!("version {}, which it was compared with, was archived", trial.stable))
        } else {
            None
        };
        if let Some(note) = note {
            let arms = self.judged(&trial, now_ms()).await?.1;
            return self.end(trial, RolloutState::Superseded, "catalog", Some(note), arms).await;
        }
        if trial.state != RolloutState::Running {
            return Ok(());
        }
        if policy.is_some_and(|policy| policy.kill_switch) {
            let why = Some("the kill switch of the policy is on");
            return self.turn(trial, RolloutState::Paused, "policy", why).await;
        }
        self.judge(trial, policy).await
    }

    /// A promise: was it kept?
    async fn look_back(&self, record: Record, policy: Option<&Policy>) -> Result<(), ControlError> {
        let stable = match self.catalog.stable(&record.proposed.playbook).await {
            Ok(entry) => entry.version,
            Err(CatalogError::Unknown(_)) => 0,
            Err(error) => return Err(error.into()),
        };
        let least = policy.map_or_else(Policy::default, Clone::clone).canary.verify_executions;
        let id = record.id;
        let version = record.version;
        self.verify(record, least).await?;
        if version == Some(stable) {
            return Ok(());
        }
        // Its version gets no more executions: what is not known now will not be.
        match rows::proposal(&self.store, id).await? {
            Some(record) if record.state == ProposalState::Promoted => {
                let note = format!("version {stable} came before enough executions had ended");
                self.supersede(record, note, now_ms()).await
            }
            _ => Ok(()),
        }
    }

    /// What waits: has its time or its version passed, and may the policy approve it?
    async fn look_ahead(&self, record: Record, policy: Option<&Policy>) -> Result<(), ControlError> {
        let now = now_ms();
        if record.expires_ms <= now {
            let note = Some("nobody decided in time".to_owned());
            let next = Record { state: ProposalState::Expired, note, ..record };
            let event = happened(&next, "proposal.expired", "rollout", now);
            let change = Change { proposals: vec![next], events: vec![event], ..Change::default() };
            return Ok(change.apply(&self.store).await?);
        }
        let stable = match self.catalog.stable(&record.proposed.playbook).await {
            Ok(entry) => entry.version,
            Err(CatalogError::Unknown(_)) => 0,
            Err(error) => return Err(error.into()),
        };
        if stable != record.proposed.base_version {
            let note = if stable == 0 {
                "the playbook was archived".to_owned()
            } else {
                format!("the playbook is at version {stable}")
            };
            return self.supersede(record, note, now).await;
        }
        let Some(policy) = policy else { return Ok(()) };
        if record.proposed.content.is_none()
            || policy::closed(policy, now).is_some()
            || policy::needs_a_person(policy, &record.proposed).is_some()
        {
            return Ok(());
        }
        match self.approve_as(&record.id.to_string(), &Decide::default(), By::Policy).await {
            Ok(_) => Ok(()),
            // Bounds, cool-downs, another rollout: it waits for a person, or for its time.
            Err(ControlError::Forbidden(_) | ControlError::Busy { .. } | ControlError::Outdated { .. }) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
