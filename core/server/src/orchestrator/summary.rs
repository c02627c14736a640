//! The row that lists show, from the folded state.

use noetl_domain::execution::Execution;
use noetl_domain::result::Stored;

use crate::store::{StepCounts, Summary};

/// Results above this many bytes are not copied into the row.
const RESULT_LIMIT: usize = 16 * 1024;

pub(super) fn summary(execution: &Execution, total_steps: u64) -> Summary {
    let requested = &execution.requested;
    let finished = execution.finished.as_ref();
    let tally = execution.tally;
    Summary {
        execution: execution.id,
        path: requested.path.clone(),
        version: requested.version,
        catalog_id: requested.catalog_id.clone(),
        status: execution.status,
        parent: requested.parent.as_ref().map(|parent| parent.id.execution),
        root: requested.root,
        trigger: requested.trigger.clone(),
        started_ms: execution.started_ms,
        finished_ms: finished.map(|_| execution.updated_ms),
        current_step: current_step(execution),
        counts: StepCounts {
            total: total_steps,
            completed: tally.completed,
            running: tally.running,
            failed: tally.failed,
        },
        events: execution.seq,
        result: execution.final_result().and_then(|result| small(&result.value)),
        error: finished.and_then(|finished| finished.error.clone()),
        dedup: None,
        rollout: requested.rollout.map(|assigned| assigned.rollout),
    }
}

fn current_step(execution: &Execution) -> Option<String> {
    let running = execution.active.iter().filter_map(|name| Some((name, execution.steps.get(name)?)));
    let newest = running.max_by_key(|(_, state)| state.started_ms).map(|(name, _)| name);
    newest.or(execution.last_entered.as_ref()).cloned()
}

fn small(value: &Stored) -> Option<Stored> {
    match value {
        Stored::Ref(_) => Some(value.clone()),
        Stored::Inline(json) => (!noetl_bus::results::exceeds(json, RESULT_LIMIT)).then(|| value.clone()),
    }
}
