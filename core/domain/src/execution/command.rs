//! A Command, built from what the log says about it and what its Step reads.

use std::sync::Arc;

use super::plan::Plan;
use super::state::{Execution, Flight};
use crate::Value;
use crate::command::{Command, Item, StepResult, Work};
use crate::event::{Issued, IssuedWork, LoopItems};
use crate::id::CommandId;
use crate::playbook::Step;

impl Execution {
    /// The Command that `issued` speaks of; None when it is no longer under way.
    pub fn command(&self, plan: &Plan, issued: &Issued) -> Option<Command> {
        let at = plan.at(&issued.step)?;
        let step = Arc::clone(&plan.steps[at]);
        let state = self.steps.get(&issued.step)?;
        let flight = state.flights.get(&issued.batch)?;
        let reads = &plan.reads[at].body;
        let mut scope = self.project_to_travel(reads);
        scope.ctx.extend(state.locals.clone());
        let names = |entry: &&crate::playbook::KeychainEntry| {
            uses_keychain(&step, reads.has("keychain"), &entry.name)
        };
        Some(Command {
            id: CommandId {
                execution: self.id,
                step: issued.step.clone(),
                run: issued.run,
                batch: issued.batch,
            },
            attempt: flight.attempt,
            // Commands are built as soon as their Event is folded in.
            issued: self.seq,
            path: self.requested.path.clone(),
            version: self.requested.version,
            work: self.work(issued, flight)?,
            inputs: state.inputs.clone(),
            scope,
            // Entries may refer to earlier ones, so all of them go where any is named.
            keychain: if plan.keychain.iter().any(|entry| names(&entry)) {
                plan.keychain.clone()
            } else {
                Vec::new()
            },
            parent: self.requested.parent.as_ref().map(|parent| parent.id.execution),
            pool: step.pool.clone(),
            step,
        })
    }

    fn work(&self, issued: &Issued, flight: &Flight) -> Option<Work> {
        let state = self.steps.get(&issued.step)?;
        Some(match issued.work {
            IssuedWork::Once => Work::Once { resume: flight.resume.clone() },
            IssuedWork::Saves => Work::Saves { result: state.result.as_deref().cloned().unwrap_or_default() },
            IssuedWork::Frame { lane } => {
                let Some(LoopItems::Cursor { max_rows, .. }) =
                    state.looped.as_ref().map(|looped| &looped.items)
                else {
                    return None;
                };
                Work::Frame { lane, max_rows: *max_rows }
            }
            IssuedWork::Items { first, count } => {
                let looped = state.looped.as_ref()?;
                let value = |index: u64| match &looped.items {
                    LoopItems::List(items) => items.get(index as usize).cloned().unwrap_or_default(),
                    LoopItems::Range(_) | LoopItems::Cursor { .. } => Value::from(index),
                };
                let items = (first..first + count)
                    .map(|index| Item { index, value: value(index), resume: flight.resume.clone() })
                    .collect();
                Work::Items { items, total: looped.total(), concurrency: flight.slots }
            }
        })
    }

    /// The result of the whole Execution, once it has ended.
    pub fn final_result(&self) -> Option<&Arc<StepResult>> {
        let step = self.finished.as_ref()?.result_step.as_ref()?;
        self.steps.get(step)?.result.as_ref()
    }
}

/// Whether the Step reads the keychain in a template, or names an entry where a credential goes.
fn uses_keychain(step: &Step, reads: bool, entry: &str) -> bool {
    reads
        || step.body.iter().any(|task| {
            task.auth.as_ref().is_some_and(|auth| auth.to_string().contains(entry))
                || task.config.values().any(|value| value.to_string().contains("keychain"))
                || task.nested.as_ref().is_some_and(|inner| uses_keychain(inner, reads, entry))
        })
}
