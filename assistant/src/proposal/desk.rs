//! Where Proposals go: the control plane keeps them, this room only hands them over.

use std::future::Future;

use noetl_api::policy::Policy;
use noetl_api::proposal::{NewProposal, Proposal};

use crate::gather::SourceError;

/// What became of a Proposal.
#[derive(Clone, Debug)]
pub enum Made {
    /// It is kept; one that says the same on the same evidence is the one that is there already.
    Kept(Box<Proposal>),
    /// The control plane does not take it up, and says why: it was turned down before, or a rollout is going on.
    Declined(String),
}

pub trait Desk: Send + Sync + 'static {
    fn make(&self, proposal: NewProposal) -> impl Future<Output = Result<Made, SourceError>> + Send;

    /// The policy that bounds what may be proposed.
    fn policy(&self) -> Policy;

    fn get(&self, id: &str) -> impl Future<Output = Result<Option<Proposal>, SourceError>> + Send;
}
