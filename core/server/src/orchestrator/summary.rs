//! The row that lists show, from the folded state.

use noetl_domain::execution::{Execution, Phase, StepState};
use noetl_domain::result::Stored;

use crate::store::{StepCounts, Summary};

/// Results above this many bytes are not copied into the row.
const RESULT_LIMIT: usize = 16 * 1024;

pub(super) fn summary(execution: &Execution, total_steps: u64) -> Summary {
    let requested = &execution.requested;
    let finished = execution.finished.as_ref();
    let count = |phases: &[Phase]| {
        execution.steps.values().filter(|state| phases.contains(&state.phase)).count() as u64
    };
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
            completed: count(&[Phase::Completed, Phase::Skipped]),
            running: count(&[Phase::Running, Phase::Saving]),
            failed: count(&[Phase::Failed]),
        },
        events: execution.seq,
        result: execution.final_result().and_then(|result| small(&result.value)),
        error: finished.and_then(|finished| finished.error.clone()),
        dedup: None,
    }
}

fn current_step(execution: &Execution) -> Option<String> {
    let running = execution.steps.iter().filter(|(_, state)| state.is_active());
    let newest = running.max_by_key(|(_, state)| state.started_ms);
    let last = || execution.steps.iter().max_by_key(|(_, state): &(&String, &StepState)| state.started_ms);
    newest.or_else(last).map(|(name, _)| name.clone())
}

fn small(value: &Stored) -> Option<Stored> {
    match value {
        Stored::Ref(_) => Some(value.clone()),
        Stored::Inline(json) => (!noetl_bus::results::exceeds(json, RESULT_LIMIT)).then(|| value.clone()),
    }
}
