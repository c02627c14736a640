//! Proposals: numbers chosen from history, each with its grounds.
//!
//! A look gathers one playbook and what its executions did ([`Subject`]), and every kind judges it by formulas of its
//! own (one file each). What is found is handed to a [`Desk`]; the assistant keeps nothing and applies nothing.

mod batch_size;
mod concurrency;
mod credential;
mod desk;
mod grounds;
mod history;
mod http;
mod idempotence;
mod observed;
mod parallelise;
mod pool;
mod retry;
mod schema_guard;
mod simulate;
mod step;
mod subject;
mod timeout;
mod watch;
mod what_if;

use noetl_api::proposal::NewProposal;
use noetl_domain::lint::ToolSchemas;

pub use desk::{Desk, Made};
pub use history::{History, MOST_EXECUTIONS, defect_of, gather};
pub use http::{openapi, router};
pub use observed::{Failure, LoopRun, Observed, Series, StepRun, Try, fold};
pub(crate) use simulate::attempts_of;
pub use simulate::simulate;
pub(crate) use subject::unified;
pub use subject::{Defect, FAILURE_COSTS_MS, Refusal, Subject, Terms};
pub use watch::{Config, watch};
pub use what_if::foresee;
pub(crate) use what_if::written;

/// What a look found, and what it found no reason for.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub proposals: Vec<NewProposal>,
    pub refusals: Vec<Refusal>,
}

/// Judges one playbook by every kind.
pub fn look(subject: &Subject, tools: &ToolSchemas) -> Look {
    let kinds: [fn(&Subject, &ToolSchemas) -> subject::Findings; 8] = [
        retry::look,
        timeout::look,
        batch_size::look,
        concurrency::look,
        pool::look,
        parallelise::look,
        credential::look,
        schema_guard::look,
    ];
    let mut found = Look::default();
    for finding in kinds.iter().flat_map(|kind| kind(subject, tools)) {
        match finding {
            Ok(proposal) => found.proposals.push(proposal),
            Err(refusal) => found.refusals.push(refusal),
        }
    }
    found
}

/// Drafts a new step behind another one from a description.
pub fn draft_step(
    subject: &Subject,
    after: &str,
    description: &str,
    tools: &ToolSchemas,
) -> Result<NewProposal, Refusal> {
    step::draft(subject, after, description, tools)
}

#[cfg(test)]
mod tests;
