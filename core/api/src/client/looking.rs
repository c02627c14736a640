//! Looking for Proposals, drafting and simulating them.

use noetl_domain::Value;

use super::{Client, ClientError};
use crate::proposal::{DraftStep, LookRequest, Looked, Proposal, Simulation};
use crate::what_if::{Foreseen, WhatIf};

impl Client {
    /// Looks at the history of a playbook, or of all of them.
    pub async fn look_for_proposals(&self, request: &LookRequest) -> Result<Looked, ClientError> {
        self.read(self.post(&["api", "proposals", "look"], &Value::Null).query(request)).await
    }

    pub async fn draft_step(&self, request: &DraftStep) -> Result<Proposal, ClientError> {
        self.read(self.post(&["api", "proposals", "draft"], request)).await
    }

    pub async fn simulate_proposal(&self, id: &str) -> Result<Simulation, ClientError> {
        self.read(self.post(&["api", "proposals", id, "simulate"], &Value::Null)).await
    }

    /// What the history of a step lets expect of another value of a parameter.
    pub async fn what_if(&self, question: &WhatIf) -> Result<Foreseen, ClientError> {
        self.read(self.post(&["api", "proposals", "what-if"], question)).await
    }
}
