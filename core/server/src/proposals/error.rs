//! What can stand in the way of a change to a playbook.

use noetl_domain::code::Code;

use crate::catalog::CatalogError;
use crate::error::ServerError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("there is no proposal {0}")]
    UnknownProposal(String),
    #[error("there is no rollout {0}")]
    UnknownRollout(String),
    #[error("the proposal is refused: {0}")]
    Refused(String),
    #[error("proposal {id} with the same evidence is {state} already; it takes new evidence to come back")]
    Repeated { id: u64, state: &'static str },
    #[error("proposal {id} is {state}")]
    Settled { id: u64, state: &'static str },
    #[error("{playbook} is at version {newest}, the proposal is about version {base}")]
    Outdated { playbook: String, newest: u32, base: u32 },
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    Policy(String),
    #[error(
        "rollout {id} of {playbook} is going on, and of two changes tried at once nobody could say which one helped"
    )]
    Busy { id: u64, playbook: String },
    #[error("a canary gets 1 to 90 percent of the executions, not {0}")]
    Share(u32),
    #[error("rollout {id} is {state}")]
    Ended { id: u64, state: &'static str },
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ControlError> for ServerError {
    fn from(error: ControlError) -> Self {
        use ControlError as E;
        let (code, hint) = match &error {
            E::UnknownProposal(_) => (Code::UnknownProposal, "noetl proposals list".to_owned()),
            E::UnknownRollout(_) => (Code::UnknownRollout, "noetl rollout status --all".to_owned()),
            E::Refused(_) => (Code::ProposalRefused, "noetl explain PR002".to_owned()),
            E::Repeated { id, .. } => (Code::ProposalRepeated, format!("noetl proposals show {id}")),
            E::Settled { id, .. } => (Code::ProposalSettled, format!("noetl proposals show {id}")),
            E::Outdated { .. } => (
                Code::ProposalOutdated,
                "noetl proposals look makes new ones for the newest version".to_owned(),
            ),
            E::Forbidden(_) => (Code::PolicyForbids, "noetl policy".to_owned()),
            E::Policy(_) => (Code::PolicyInvalid, "noetl policy check FILE".to_owned()),
            E::Busy { id, .. } => {
                let end = format!("noetl rollout promote {id}, noetl rollout rollback {id}");
                (Code::RolloutBusy, format!("noetl rollout status {id}; wait for its end, or end it: {end}"))
            }
            E::Share(_) => (Code::InvalidRequest, "noetl proposals approve ID --share 20".to_owned()),
            E::Ended { id, .. } => (Code::RolloutEnded, format!("noetl rollout status {id}")),
            E::Catalog(_) | E::Store(_) => {
                return match error {
                    E::Catalog(error) => error.into(),
                    E::Store(error) => error.into(),
                    _ => Self::internal("an error changed its kind"),
                };
            }
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}
