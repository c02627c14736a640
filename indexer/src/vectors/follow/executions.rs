//! Executions: how each ended and how it behaved. A sample of them, as ten thousand that went well teach one thing.

use std::collections::BTreeMap;

use noetl_api::search::Facts;

use super::behaviour::Behaviour;
use super::memory::Memory;
use super::sample::Class;
use crate::insights::hex;
use crate::rows::{ExecutionRow, Ran};
use crate::vectors::point::{Point, Stored};

/// The Executions of one stretch that are kept.
#[derive(Debug, Default)]
pub(super) struct Executions {
    by_id: BTreeMap<u64, Point>,
}

impl Executions {
    /// Learns from an Execution that has ended, and keeps it when the sample does.
    pub(super) fn add(
        &mut self,
        memory: &mut Memory,
        row: &ExecutionRow,
        ran: &[Ran],
        event_id: u64,
        template: Option<String>,
    ) {
        if memory.knows(row.position) {
            return;
        }
        let behaviour = Behaviour::of(&memory.baselines, &row.playbook, ran);
        memory.baselines.learn(&row.playbook, ran, row.position);
        let at_ms = row.finished_at.unwrap_or(row.started_at);
        let class = Class::of(row, behaviour.is_unusual);
        if memory.sample.keeps(&row.playbook, class, at_ms) {
            let stored = stored(row, event_id, template);
            let point = Point { id: row.execution_id, stored, behaviour: Some(behaviour.numbers) };
            self.by_id.insert(point.id, point);
        }
    }

    pub(super) fn into_points(self) -> Vec<Point> {
        self.by_id.into_values().collect()
    }
}

/// What is known of an Execution; one that has not ended is told as it is at the moment.
pub(crate) fn stored(row: &ExecutionRow, event_id: u64, template: Option<String>) -> Stored {
    let message = template.unwrap_or_else(|| row.message.clone());
    let facts = Facts {
        text: ending(row, &message),
        playbook: row.playbook.to_string(),
        version: row.version.into(),
        step: row.failed_step.to_string(),
        status: row.status.to_string(),
        cause: row.cause.to_string(),
        fingerprint: if row.fingerprint == 0 { String::new() } else { hex(row.fingerprint) },
        execution_id: row.execution_id.to_string(),
        event_id: if event_id == 0 { String::new() } else { event_id.to_string() },
        attempts: row.attempt.into(),
        duration_ms: row.duration_ms.round() as u64,
        ..Facts::default()
    };
    let mut stored = Stored { facts, at_ms: 0, position: row.position };
    stored.seen_at(row.finished_at.unwrap_or(row.started_at));
    stored
}

/// How it ended, in words.
fn ending(row: &ExecutionRow, message: &str) -> String {
    match &*row.status {
        "FAILED" if row.failed_step.is_empty() => format!("failed: {message}"),
        "FAILED" => format!("failed at step {}: {message}", row.failed_step),
        other => other.to_lowercase(),
    }
}
