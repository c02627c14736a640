//! The closed loop: Proposals, the policy that bounds them, and Rollouts that try them.
//!
//! The assistant reports Proposals and applies nothing; a person or the policy approves; a Rollout gives the new version
//! to a share of the Executions beside a control arm, and promotes it or rolls it back.
//! Every transition is one transaction with its Event; nothing is kept in memory but which playbooks have a Rollout.

mod approve;
mod check;
mod count;
mod error;
mod follow;
pub mod policy;
mod rollouts;
mod rows;
mod show;
mod sweep;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;

use noetl_api::policy::{Policy, PolicyState};
use noetl_api::proposal::{ControlEvents, ControlFilter, Decide, NewProposal, Proposal, ProposalFilter};
use noetl_api::proposal::{ProposalKind, ProposalState};
use noetl_domain::finding::has_errors;
use noetl_domain::playbook::Playbook;
use serde_json::json;
use tokio::sync::{Mutex, Notify};

use crate::catalog::{Catalog, CatalogError, Split};
use crate::ids::{Ids, now_ms};
use crate::orchestrator::Which;
use crate::store::SqliteStore;
pub use error::ControlError;
pub use follow::follow_until;
use policy::PolicySource;
pub(crate) use rows::APPLY;
use rows::{Change, Happened, Record};

/// What follows from a version that is registered to be tried; written with it.
#[derive(Debug)]
pub(crate) struct Transition {
    pub(crate) split: Split,
    change: Change,
}

impl Transition {
    pub(crate) fn texts(&self) -> [String; 3] {
        self.change.texts()
    }
}

/// How long a Proposal waits when it does not say so itself.
const USUAL_WAIT_MS: i64 = 7 * 86_400_000;
const LONGEST_WAIT_MS: i64 = 30 * 86_400_000;
/// Titles are lines of lists.
const LONGEST_TITLE: usize = 200;

/// Clones share everything.
#[derive(Clone)]
pub struct Proposals {
    store: SqliteStore,
    ids: Arc<Ids>,
    catalog: Catalog,
    policy: PolicySource,
    /// Told when there may be something to do.
    changed: Arc<Notify>,
    /// One transition at a time: each reads a state, judges it, and replaces it.
    deciding: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Proposals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proposals").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Proposals {
    /// Takes up the Rollouts that were going on; call it before anything starts.
    pub async fn open(
        store: SqliteStore,
        ids: Arc<Ids>,
        catalog: Catalog,
        policy: PolicySource,
    ) -> Result<Self, ControlError> {
        for trial in rows::rollouts(&store, None, false).await? {
            catalog.splits.set(&trial.playbook, trial.split());
        }
        let (deciding, changed) = (Arc::default(), Arc::default());
        Ok(Self { store, ids, catalog, policy, changed, deciding })
    }

    /// The policy in effect, and why nothing can be approved now.
    pub fn policy(&self) -> Result<PolicyState, ControlError> {
        let policy = self.policy_in_effect()?;
        let closed = policy::closed(&policy, now_ms());
        Ok(PolicyState { policy, closed })
    }

    fn policy_in_effect(&self) -> Result<Policy, ControlError> {
        let policy = (self.policy)().map_err(ControlError::Policy)?;
        let wrong = policy::check(&policy);
        if wrong.is_empty() { Ok(policy) } else { Err(ControlError::Policy(wrong.join("; "))) }
    }

    /// Takes up a Proposal; the same one again is answered with the one that is there.
    pub async fn make(&self, mut new: NewProposal) -> Result<Proposal, ControlError> {
        tidy(&mut new);
        let wrong = check::grounds(&new);
        if !wrong.is_empty() {
            return Err(ControlError::Refused(wrong.join("; ")));
        }
        let _deciding = self.deciding.lock().await;
        let base = self.base_of(&mut new).await?;
        self.check_text(&mut new, &base)?;
        let key = new.key();
        let earlier = rows::with_key(&self.store, &key).await?;
        let mut change = Change::default();
        let now = now_ms();
        for other in earlier {
            let same_evidence = other.proposed.evidence_hash == new.evidence_hash;
            match other.state {
                ProposalState::Proposed if same_evidence => return Ok(show::proposal(&other)),
                ProposalState::Proposed => {
                    let note = "newer evidence is about the same thing".to_owned();
                    let next = Record { state: ProposalState::Superseded, note: Some(note), ..other };
                    change.events.push(happened(&next, "proposal.superseded", "assistant", now));
                    change.proposals.push(next);
                }
                ProposalState::Canary => {
                    let id = other.rollout.unwrap_or_default();
                    return Err(ControlError::Busy { id, playbook: new.playbook });
                }
                ProposalState::Rejected | ProposalState::RolledBack | ProposalState::Missed
                    if same_evidence =>
                {
                    return Err(ControlError::Repeated { id: other.id, state: other.state.as_str() });
                }
                _ => {}
            }
        }
        let asked = i64::try_from(new.expires_in_seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
        let wait = if asked == 0 { USUAL_WAIT_MS } else { asked.min(LONGEST_WAIT_MS) };
        let record = Record {
            id: self.ids.next_id(),
            key,
            proposed: new,
            state: ProposalState::Proposed,
            made_ms: now,
            expires_ms: now + wait,
            ..Record::default()
        };
        let mut event = happened(&record, "proposal.made", "assistant", now);
        event.data = json!({
            "title": record.proposed.title, "written_by": record.proposed.written_by,
            "base_version": record.proposed.base_version, "effect": record.proposed.effect,
        });
        change.events.push(event);
        change.proposals.push(record.clone());
        change.apply(&self.store).await?;
        self.changed.notify_one();
        Ok(show::proposal(&record))
    }

    /// Newest first, without the text of the playbook.
    pub async fn list(&self, filter: &ProposalFilter) -> Result<Vec<Proposal>, ControlError> {
        let records = rows::proposals(&self.store, filter).await?;
        Ok(records
            .iter()
            .map(|record| {
                let mut proposal = show::proposal(record);
                proposal.proposed.content = None;
                proposal
            })
            .collect())
    }

    pub async fn get(&self, id: &str) -> Result<Proposal, ControlError> {
        Ok(show::proposal(&self.record(id).await?))
    }

    /// Turns one down; the same evidence does not bring it back.
    pub async fn reject(&self, id: &str, decide: &Decide) -> Result<Proposal, ControlError> {
        let _deciding = self.deciding.lock().await;
        let record = self.undecided(id).await?;
        let now = now_ms();
        let actor = actor(decide);
        let next = Record {
            state: ProposalState::Rejected,
            decided_by: Some(actor.clone()),
            decided_ms: Some(now),
            note: decide.note.clone(),
            ..record
        };
        let event = happened(&next, "proposal.rejected", &actor, now);
        Change { proposals: vec![next.clone()], rollouts: Vec::new(), events: vec![event] }
            .apply(&self.store)
            .await?;
        Ok(show::proposal(&next))
    }

    /// What happened, in order.
    pub async fn events(&self, filter: &ControlFilter) -> Result<ControlEvents, ControlError> {
        let proposal = filter.proposal_id.as_deref().map(proposal_id).transpose()?;
        let rollout = filter.rollout_id.as_deref().map(rollout_id).transpose()?;
        Ok(ControlEvents { items: rows::events(&self.store, filter, proposal, rollout).await? })
    }

    /// The version that the Proposal is about, which has to be the one that everybody gets.
    async fn base_of(&self, new: &mut NewProposal) -> Result<(String, Playbook), ControlError> {
        let entry = self.catalog.stable(&new.playbook).await?;
        new.playbook.clone_from(&entry.path);
        if entry.version != new.base_version {
            return Err(ControlError::Outdated {
                playbook: entry.path,
                newest: entry.version,
                base: new.base_version,
            });
        }
        let plan = self.catalog.plan_of(&Which::Path(entry.path, Some(entry.version))).await?;
        Ok((entry.content, Playbook::clone(&plan)))
    }

    /// The new text has to be a valid playbook that differs as it is said to; its diff is ours, not what was claimed.
    fn check_text(
        &self,
        new: &mut NewProposal,
        (old, base): &(String, Playbook),
    ) -> Result<(), ControlError> {
        let Some(content) = new.content.clone() else { return Ok(()) };
        if new.kind == ProposalKind::Credential {
            return Err(ControlError::Refused("a credential is missing: no text changes".to_owned()));
        }
        let (text, reading) = self.catalog.check(&content)?;
        let playbook = reading.playbook.filter(|_| !has_errors(&reading.findings));
        let Some(playbook) = playbook else {
            return Err(CatalogError::Refused { text, findings: reading.findings }.into());
        };
        let mut changed = playbook;
        if changed.path.is_empty() {
            changed.path.clone_from(&base.path);
        }
        let wrong = check::text(new, base, &changed);
        if !wrong.is_empty() {
            return Err(ControlError::Refused(wrong.join("; ")));
        }
        let diff = similar::TextDiff::from_lines(old, &text);
        let names = (format!("version {}", new.base_version), "proposed".to_owned());
        new.diff = Some(diff.unified_diff().context_radius(3).header(&names.0, &names.1).to_string());
        new.content = Some(text);
        Ok(())
    }

    async fn record(&self, id: &str) -> Result<Record, ControlError> {
        let found = rows::proposal(&self.store, proposal_id(id)?).await?;
        found.ok_or_else(|| ControlError::UnknownProposal(shortened(id)))
    }

    /// One that can still be decided about.
    async fn undecided(&self, id: &str) -> Result<Record, ControlError> {
        let record = self.record(id).await?;
        if record.state == ProposalState::Proposed && record.expires_ms > now_ms() {
            return Ok(record);
        }
        let state = match record.state {
            ProposalState::Proposed => ProposalState::Expired,
            state => state,
        };
        Err(ControlError::Settled { id: record.id, state: state.as_str() })
    }
}

/// Text from outside without what a terminal would obey.
fn tidy(new: &mut NewProposal) {
    let line = |text: &str| -> String {
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
    };
    new.title = line(&new.title).trim().chars().take(LONGEST_TITLE).collect();
    line(&new.playbook).trim().clone_into(&mut new.playbook);
    new.written_by = line(&new.written_by);
    new.diff = None;
}

fn happened(record: &Record, name: &'static str, actor: &str, at_ms: i64) -> Happened {
    Happened {
        at_ms,
        name,
        playbook: record.proposed.playbook.clone(),
        proposal: Some(record.id),
        rollout: record.rollout,
        actor: actor.to_owned(),
        evidence_hash: Some(record.proposed.evidence_hash.clone()),
        data: match &record.note {
            Some(note) => json!({ "note": note }),
            None => json!({}),
        },
    }
}

/// Who decides: what the caller says, else whoever uses the API.
fn actor(decide: &Decide) -> String {
    let said = decide.actor.as_deref().map(str::trim).filter(|actor| !actor.is_empty());
    said.unwrap_or("api").chars().filter(|character| !character.is_control()).take(100).collect()
}

fn proposal_id(text: &str) -> Result<u64, ControlError> {
    id(text).ok_or_else(|| ControlError::UnknownProposal(shortened(text)))
}

fn rollout_id(text: &str) -> Result<u64, ControlError> {
    id(text).ok_or_else(|| ControlError::UnknownRollout(shortened(text)))
}

/// Databases keep ids in signed columns.
fn id(text: &str) -> Option<u64> {
    text.trim().parse::<u64>().ok().filter(|id| i64::try_from(*id).is_ok())
}

fn shortened(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}
