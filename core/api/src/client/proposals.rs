//! Proposals, Rollouts and the policy.

use super::{Client, ClientError};
use crate::policy::PolicyState;
use crate::proposal::{
    ControlEvents, ControlFilter, Decide, Ledger, NewProposal, Proposal, ProposalFilter, ProposalList,
};
use crate::rollout::{Rollout, RolloutFilter, RolloutList};

type Answer<T> = Result<T, ClientError>;

impl Client {
    pub async fn make_proposal(&self, new: &NewProposal) -> Answer<Proposal> {
        self.read(self.post(&["api", "proposals"], new)).await
    }

    pub async fn proposals(&self, filter: &ProposalFilter) -> Answer<ProposalList> {
        self.read(self.get(&["api", "proposals"]).query(filter)).await
    }

    pub async fn proposal(&self, id: &str) -> Answer<Proposal> {
        self.read(self.get(&["api", "proposals", id])).await
    }

    /// `what` is `approve` or `reject`.
    pub async fn decide_proposal(&self, id: &str, what: &str, decide: &Decide) -> Answer<Proposal> {
        self.read(self.post(&["api", "proposals", id, what], decide)).await
    }

    pub async fn ledger(&self) -> Answer<Ledger> {
        self.read(self.get(&["api", "proposals", "ledger"])).await
    }

    pub async fn control_events(&self, filter: &ControlFilter) -> Answer<ControlEvents> {
        self.read(self.get(&["api", "control", "events"]).query(filter)).await
    }

    pub async fn policy(&self) -> Answer<PolicyState> {
        self.read(self.get(&["api", "policy"])).await
    }

    pub async fn rollouts(&self, filter: &RolloutFilter) -> Answer<RolloutList> {
        self.read(self.get(&["api", "rollouts"]).query(filter)).await
    }

    pub async fn rollout(&self, id: &str) -> Answer<Rollout> {
        self.read(self.get(&["api", "rollouts", id])).await
    }

    /// `what` is `pause`, `resume`, `promote` or `rollback`.
    pub async fn steer_rollout(&self, id: &str, what: &str, decide: &Decide) -> Answer<Rollout> {
        self.read(self.post(&["api", "rollouts", id, what], decide)).await
    }
}
