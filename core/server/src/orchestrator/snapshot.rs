//! An Execution as readers see it.

use std::collections::{BTreeMap, BTreeSet};

use noetl_bus::local::DEFAULT_POOL;
use noetl_domain::execution::{Execution, Plan};

/// The folded state of an Execution at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub execution: Execution,
    /// Steps that the Playbook has; None when the catalog no longer knows it.
    pub total_steps: Option<u64>,
    /// The pools whose workers it needs to go on, with the steps that wait for them.
    pub pools: BTreeMap<String, BTreeSet<String>>,
}

impl Snapshot {
    pub(super) fn new(execution: &Execution, plan: &Plan) -> Self {
        let mut pools: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, _) in execution.flights() {
            let pool = plan.pool_of(&id.step).unwrap_or(DEFAULT_POOL);
            if !pools.get(pool).is_some_and(|steps| steps.contains(&id.step)) {
                pools.entry(pool.to_owned()).or_default().insert(id.step);
            }
        }
        Self { execution: execution.clone(), total_steps: Some(plan.steps.len() as u64), pools }
    }
}
