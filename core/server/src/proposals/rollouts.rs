//! Rollouts: looked at, judged, paused, resumed, promoted, rolled back.

use noetl_api::policy::{Mode, Policy};
use noetl_api::proposal::{Decide, ProposalState};
use noetl_api::rollout::{Arm, Judgement, Rollout, RolloutFilter, RolloutRules, RolloutState};
use noetl_domain::rollout::{self, Decision, Rules, Tally, Verdict};
use serde_json::json;

use super::rows::{Arms, Change, Happened, Record, Trial};
use super::{ControlError, Proposals, actor, count, happened, policy, rollout_id, rows, shortened, show};
use crate::ids::now_ms;

impl Proposals {
    /// Newest first; those that ended only when they are asked for.
    pub async fn rollouts(&self, filter: &RolloutFilter) -> Result<Vec<Rollout>, ControlError> {
        let mut shown = Vec::new();
        for trial in rows::rollouts(&self.store, filter.playbook.as_deref(), filter.all).await? {
            shown.push(self.shown(&trial).await?);
        }
        Ok(shown)
    }

    pub async fn rollout(&self, id: &str) -> Result<Rollout, ControlError> {
        let trial = self.trial(id).await?;
        self.shown(&trial).await
    }

    /// Everybody gets the stable version until it goes on.
    pub async fn pause(&self, id: &str, decide: &Decide) -> Result<Rollout, ControlError> {
        let _deciding = self.deciding.lock().await;
        let trial = self.in_state(id, &[RolloutState::Running]).await?;
        self.turn(trial, RolloutState::Paused, &actor(decide), decide.note.as_deref()).await?;
        self.rollout(id).await
    }

    pub async fn resume(&self, id: &str, decide: &Decide) -> Result<Rollout, ControlError> {
        let _deciding = self.deciding.lock().await;
        let trial = self.in_state(id, &[RolloutState::Paused]).await?;
        if let Some(why) = policy::closed(&self.policy_in_effect()?, now_ms()) {
            return Err(ControlError::Forbidden(why));
        }
        self.turn(trial, RolloutState::Running, &actor(decide), decide.note.as_deref()).await?;
        self.rollout(id).await
    }

    /// Gives the new version to everybody, whatever the judge says: a person decides.
    pub async fn promote(&self, id: &str, decide: &Decide) -> Result<Rollout, ControlError> {
        let _deciding = self.deciding.lock().await;
        let trial = self.in_state(id, &[RolloutState::Running, RolloutState::Paused]).await?;
        if let Some(why) = policy::closed(&self.policy_in_effect()?, now_ms()) {
            return Err(ControlError::Forbidden(why));
        }
        let arms = self.judged(&trial, now_ms()).await?.1;
        self.end(trial, RolloutState::Promoted, &actor(decide), decide.note.clone(), arms).await?;
        self.rollout(id).await
    }

    /// Takes the new version back: it is archived, and everybody gets the stable one.
    pub async fn roll_back(&self, id: &str, decide: &Decide) -> Result<Rollout, ControlError> {
        let _deciding = self.deciding.lock().await;
        let trial = self.in_state(id, &[RolloutState::Running, RolloutState::Paused]).await?;
        let arms = self.judged(&trial, now_ms()).await?.1;
        self.end(trial, RolloutState::RolledBack, &actor(decide), decide.note.clone(), arms).await?;
        self.rollout(id).await
    }

    /// Looks at a running Rollout and does what its arms say. The caller holds `deciding`.
    pub(super) async fn judge(&self, trial: Trial, policy: Option<&Policy>) -> Result<(), ControlError> {
        let now = now_ms();
        let (verdict, arms) = self.judged(&trial, now).await?;
        match verdict.decision {
            Decision::Hold => Ok(()),
            Decision::RollBack => {
                self.end(trial, RolloutState::RolledBack, "rollout", Some(verdict.why), arms).await
            }
            Decision::Promote => {
                // Without a policy that can be read, nothing goes on by itself.
                let waits = match policy {
                    None => Some("the policy cannot be read".to_owned()),
                    Some(policy) if policy.mode == Mode::Approve => {
                        Some("the policy's mode is approve: a person promotes".to_owned())
                    }
                    Some(policy) => policy::closed(policy, now),
                };
                match waits {
                    None => self.end(trial, RolloutState::Promoted, "rollout", Some(verdict.why), arms).await,
                    Some(why) => self.ready(&trial, &arms, &why, now).await,
                }
            }
        }
    }

    /// Notes once that a Rollout could be promoted and waits.
    async fn ready(&self, trial: &Trial, arms: &Arms, why: &str, now: i64) -> Result<(), ControlError> {
        let filter = noetl_api::proposal::ControlFilter::default();
        let events = rows::events(&self.store, &filter, None, Some(trial.id)).await?;
        let told = events.iter().rev().take_while(|event| event.name == "rollout.judged");
        if told.into_iter().any(|event| event.data["waits"] == why) {
            return Ok(());
        }
        let data = json!({ "waits": why, "judgement": arms.judgement, "control": arms.control, "canary": arms.canary });
        let event = trial_event(trial, "rollout.judged", "rollout", now, data);
        let change = Change { events: vec![event], ..Change::default() };
        Ok(change.apply(&self.store).await?)
    }

    /// Ends a Rollout, and with it what becomes of its Proposal. The caller holds `deciding`.
    pub(super) async fn end(
        &self,
        trial: Trial,
        state: RolloutState,
        actor: &str,
        note: Option<String>,
        arms: Arms,
    ) -> Result<(), ControlError> {
        let now = now_ms();
        if state == RolloutState::RolledBack {
            // Archived first: from here on nobody gets it, and a stop in between is seen at the next start.
            match self.catalog.archive(&trial.playbook, Some(trial.canary)).await {
                // It is archived already.
                Ok(_) | Err(crate::catalog::CatalogError::Unknown(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let (name, proposal_state) = match state {
            RolloutState::Promoted => ("rollout.promoted", ProposalState::Promoted),
            RolloutState::Superseded => ("rollout.superseded", ProposalState::Superseded),
            _ => ("rollout.rolled_back", ProposalState::RolledBack),
        };
        let data = json!({
            "note": note, "judgement": arms.judgement, "control": arms.control, "canary": arms.canary,
        });
        let mut change = Change::default();
        let mut event = trial_event(&trial, name, actor, now, data);
        if let Some(id) = trial.proposal
            && let Some(record) = rows::proposal(&self.store, id).await?
        {
            event.evidence_hash = Some(record.proposed.evidence_hash.clone());
            let promoted_ms = (state == RolloutState::Promoted).then_some(now);
            let next =
                Record { state: proposal_state, note: note.clone().or(record.note), promoted_ms, ..record };
            if state == RolloutState::Superseded {
                change.events.push(happened(&next, "proposal.superseded", actor, now));
            }
            change.proposals.push(next);
        }
        change.events.insert(0, event);
        let playbook = trial.playbook.clone();
        change.rollouts.push(Trial { state, ended_ms: Some(now), arms: Some(arms), ..trial });
        change.apply(&self.store).await?;
        self.catalog.splits.remove(&playbook);
        self.changed.notify_one();
        Ok(())
    }

    /// Pauses or resumes. The caller holds `deciding`.
    pub(super) async fn turn(
        &self,
        trial: Trial,
        state: RolloutState,
        actor: &str,
        note: Option<&str>,
    ) -> Result<(), ControlError> {
        let name = if state == RolloutState::Paused { "rollout.paused" } else { "rollout.resumed" };
        let event = trial_event(&trial, name, actor, now_ms(), json!({ "note": note }));
        let next = Trial { state, ..trial };
        let split = next.split();
        let playbook = next.playbook.clone();
        let change = Change { rollouts: vec![next], events: vec![event], ..Change::default() };
        change.apply(&self.store).await?;
        self.catalog.splits.set(&playbook, split);
        self.changed.notify_one();
        Ok(())
    }

    pub(super) async fn judged(&self, trial: &Trial, now: i64) -> Result<(Verdict, Arms), ControlError> {
        let (control, canary) = count::arms(&self.store, trial, now).await?;
        let verdict = rollout::judge(&control, &canary, trial.goal, &rules(&trial.rules));
        let arms = Arms {
            control: arm(trial.stable, &control),
            canary: arm(trial.canary, &canary),
            judgement: Judgement {
                verdict: verdict.decision.as_str().to_owned(),
                why: verdict.why.clone(),
                p_harm: verdict.p_harm,
                p_benefit: verdict.p_benefit,
            },
        };
        Ok((verdict, arms))
    }

    async fn shown(&self, trial: &Trial) -> Result<Rollout, ControlError> {
        let arms = match &trial.arms {
            Some(arms) => arms.clone(),
            None => self.judged(trial, now_ms()).await?.1,
        };
        Ok(show::rollout(trial, arms))
    }

    async fn trial(&self, id: &str) -> Result<Trial, ControlError> {
        let found = rows::rollout(&self.store, rollout_id(id)?).await?;
        found.ok_or_else(|| ControlError::UnknownRollout(shortened(id)))
    }

    async fn in_state(&self, id: &str, states: &[RolloutState]) -> Result<Trial, ControlError> {
        let trial = self.trial(id).await?;
        if states.contains(&trial.state) {
            return Ok(trial);
        }
        Err(ControlError::Ended { id: trial.id, state: trial.state.as_str() })
    }
}

fn trial_event(
    trial: &Trial,
    name: &'static str,
    actor: &str,
    at_ms: i64,
    data: noetl_domain::Value,
) -> Happened {
    Happened {
        at_ms,
        name,
        playbook: trial.playbook.clone(),
        proposal: trial.proposal,
        rollout: Some(trial.id),
        actor: actor.to_owned(),
        evidence_hash: None,
        data,
    }
}

fn rules(rules: &RolloutRules) -> Rules {
    Rules {
        min_executions: rules.min_executions,
        harm_above: rules.harm_above,
        harm_margin: rules.harm_margin,
        benefit_above: rules.benefit_above,
        slower_by: rules.slower_by,
        give_up_after: rules.give_up_after,
    }
}

fn arm(version: u32, tally: &Tally) -> Arm {
    Arm {
        version,
        finished: tally.finished(),
        failed: tally.failed,
        running: tally.running_ms.len() as u64,
        duration_ms: rollout::median(&rollout::sorted(&tally.durations_ms)),
    }
}
