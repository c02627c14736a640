//! What the orchestrator counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the process started.
#[derive(Debug, Default)]
pub struct Metrics {
    pub executions_started: AtomicU64,
    pub executions_completed: AtomicU64,
    pub executions_failed: AtomicU64,
    pub executions_cancelled: AtomicU64,
    /// Runs of steps that ended.
    pub steps_finished: AtomicU64,
    pub commands_issued: AtomicU64,
    pub reports_received: AtomicU64,
    /// Reports of an old Attempt.
    pub reports_stale: AtomicU64,
    pub events_committed: AtomicU64,
    pub commits: AtomicU64,
    pub commits_failed: AtomicU64,
    /// Executions in memory.
    pub executions_active: AtomicU64,
}

pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
