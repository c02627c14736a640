//! An Execution as readers see it.

use noetl_domain::execution::Execution;

/// The folded state of an Execution at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub execution: Execution,
    /// Steps that the Playbook has; None when the catalog no longer knows it.
    pub total_steps: Option<u64>,
}
