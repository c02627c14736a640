//! What the decider's templates may read: the Execution, projected onto the names that are used.

use std::sync::Arc;

use indexmap::IndexMap;

use super::reads::Reads;
use super::state::Execution;
use crate::Map;
use crate::command::{ScopeData, StepResult};
use crate::template::{Ambient, Scope, bind_shared};

/// Names that stand for every variable.
const VARIABLE_ROOTS: &[&str] = &["ctx", "vars", "step", "variables", "context", "iter"];
/// Names that stand for every result.
const STEP_ROOTS: &[&str] = &["steps", "tasks", "context"];
/// Names that stand for the whole workload.
const WORKLOAD_ROOTS: &[&str] = &["workload", "context", "spec"];

impl Execution {
    /// Only what is read, shared where it can be.
    pub(super) fn project(&self, reads: &Reads) -> ScopeData {
        let ctx = if reads.any(VARIABLE_ROOTS) {
            self.ctx.clone()
        } else {
            let read = reads.iter().filter_map(|name| Some((name.clone(), self.ctx.get(name)?.clone())));
            read.collect()
        };
        let mut steps: IndexMap<String, Arc<StepResult>> = IndexMap::new();
        if reads.any(STEP_ROOTS) {
            for (name, state) in &self.steps {
                if let Some(result) = &state.result {
                    steps.insert(name.clone(), Arc::clone(result));
                }
            }
        } else {
            for name in reads.iter() {
                let state = self.steps.get(name).or_else(|| self.hyphenated(name));
                if let Some(result) = state.and_then(|state| state.result.as_ref()) {
                    steps.insert(name.clone(), Arc::clone(result));
                }
            }
        }
        ScopeData { workload: Arc::clone(&self.workload), ctx, steps, system: Arc::clone(&self.system) }
    }

    /// As [`Execution::project`], with the workload cut down too: for Commands, which travel.
    pub(super) fn project_to_travel(&self, reads: &Reads) -> ScopeData {
        let mut data = self.project(reads);
        if !reads.any(WORKLOAD_ROOTS) {
            let read = self.workload.iter().filter(|(key, _)| reads.has(key));
            data.workload = Arc::new(read.map(|(key, value)| (key.clone(), value.clone())).collect());
        }
        data
    }

    pub(super) fn scope(&self, reads: &Reads, inputs: &Map, at_ms: i64) -> Scope {
        let mut scope = Scope::new(self.ambient(at_ms));
        bind_shared(&mut scope, Arc::new(self.project(reads)), Arc::new(inputs.clone()));
        for (reference, value) in &self.loaded {
            scope.provide(reference, Arc::clone(value));
        }
        scope
    }

    pub(super) fn ambient(&self, at_ms: i64) -> Ambient {
        Ambient { now_ms: at_ms, seed: self.id.0 ^ self.seq.rotate_left(32) }
    }

    /// A template says `a_b` for the step `a-b`.
    fn hyphenated(&self, name: &str) -> Option<&super::state::StepState> {
        if !name.contains('_') {
            return None;
        }
        self.steps
            .iter()
            .find(|(step, _)| step.contains('-') && step.replace('-', "_") == name)
            .map(|(_, state)| state)
    }
}
