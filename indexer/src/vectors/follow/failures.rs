//! Failures: one point for a shape of message in a step of a playbook, with how often it was seen.

use std::collections::{BTreeMap, HashMap};

use noetl_api::search::Facts;

use crate::insights::{hex, moment_of_ms};
use crate::rows::StepRow;
use crate::vectors::point::{self, Point, Stored};

/// The failed runs of steps of one stretch of the feed, by the point they count for.
#[derive(Debug, Default)]
pub(super) struct Failures {
    by_point: BTreeMap<u64, Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Where each was committed and when, and whether it was answered; in the order of commits.
    times: Vec<(u64, i64, bool)>,
    newest: StepRow,
    text: String,
}

/// What is known of a point, and whether it is known where the vectors of today lie.
pub(super) type Known = (Stored, bool);

impl Failures {
    /// Adds a run of a step that failed. The template stands in for a message that may not be kept.
    pub(super) fn add(&mut self, row: StepRow, template: Option<String>) {
        let text = match template {
            Some(template) if !template.is_empty() => template,
            _ if row.message.is_empty() => row.cause.to_string(),
            _ => row.message.clone(),
        };
        let time = (row.position, row.exited_at, row.handled == 1);
        let id = id(row.fingerprint, &row.playbook, &row.step);
        match self.by_point.get_mut(&id) {
            Some(seen) => {
                seen.times.push(time);
                (seen.newest, seen.text) = (row, text);
            }
            None => {
                self.by_point.insert(id, Seen { times: vec![time], newest: row, text });
            }
        }
    }

    pub(super) fn ids(&self) -> Vec<u64> {
        self.by_point.keys().copied().collect()
    }

    /// The points as they are afterwards, each with what was known of it. What was counted before is left out.
    pub(super) fn merged(self, known: &HashMap<u64, Known>) -> Vec<(Point, Option<&Known>)> {
        let merged = self.by_point.into_iter().filter_map(|(id, seen)| {
            let old = known.get(&id);
            let stored = seen.onto(old.map(|(stored, _)| stored))?;
            Some((Point { id, stored, behaviour: None }, old))
        });
        merged.collect()
    }
}

impl Seen {
    fn onto(self, old: Option<&Stored>) -> Option<Stored> {
        let counted = old.map_or(0, |old| old.position);
        let fresh = self.times.iter().filter(|(position, ..)| *position > counted);
        let (mut count, mut handled, mut first_ms) = (0, 0, None);
        for (_, at_ms, is_handled) in fresh {
            count += 1;
            handled += u64::from(*is_handled);
            first_ms.get_or_insert(*at_ms);
        }
        let first_at = old.map(|old| old.facts.first_at.clone()).filter(|at| !at.is_empty());
        let (before, handled_before) = old.map_or((0, 0), |old| (old.facts.count, old.facts.handled));
        let row = self.newest;
        // Nothing fresh: it was counted in another life.
        let first_ms = first_ms?;
        let facts = Facts {
            first_at: first_at.unwrap_or_else(|| moment_of_ms(first_ms)),
            count: before + count,
            handled: handled_before + handled,
            ..facts(&row, self.text)
        };
        let mut stored = Stored { facts, at_ms: 0, position: row.position };
        stored.seen_at(row.exited_at);
        Some(stored)
    }
}

/// What one failed run of a step tells.
pub(crate) fn facts(row: &StepRow, text: String) -> Facts {
    Facts {
        text,
        playbook: row.playbook.to_string(),
        version: row.version.into(),
        step: row.step.to_string(),
        tool: row.tool.to_string(),
        status: "FAILED".to_owned(),
        cause: row.cause.to_string(),
        fingerprint: hex(row.fingerprint),
        execution_id: row.execution_id.to_string(),
        event_id: row.event_id.to_string(),
        at: moment_of_ms(row.exited_at),
        attempts: row.attempts.into(),
        duration_ms: row.total_ms.round() as u64,
        ..Facts::default()
    }
}

/// The point of a shape of message in a step.
pub(crate) fn id(fingerprint: u64, playbook: &str, step: &str) -> u64 {
    point::id(&["failure", &hex(fingerprint), playbook, step])
}
