//! Where the assistant hands its Proposals: the control plane of this process.

use noetl_api::policy::Policy;
use noetl_api::proposal::{NewProposal, Proposal};
use noetl_assistant::gather::SourceError;
use noetl_assistant::proposal::{Desk, Made};
use noetl_server::proposals::{ControlError, Proposals};

use super::sources::failed;

#[derive(Clone, Debug)]
pub(super) struct ToControl(pub(super) Proposals);

impl Desk for ToControl {
    async fn make(&self, proposal: NewProposal) -> Result<Made, SourceError> {
        match self.0.make(proposal).await {
            Ok(kept) => Ok(Made::Kept(Box::new(kept))),
            Err(error @ (ControlError::Catalog(_) | ControlError::Store(_))) => {
                Err(failed("keep a proposal")(error))
            }
            Err(declined) => Ok(Made::Declined(declined.to_string())),
        }
    }

    fn policy(&self) -> Policy {
        // A policy that cannot be read approves nothing; what is proposed meanwhile keeps to the default.
        self.0.policy().map(|state| state.policy).unwrap_or_default()
    }

    async fn get(&self, id: &str) -> Result<Option<Proposal>, SourceError> {
        match self.0.get(id).await {
            Ok(found) => Ok(Some(found)),
            Err(ControlError::UnknownProposal(_)) => Ok(None),
            Err(error) => Err(failed("read a proposal")(error)),
        }
    }
}
