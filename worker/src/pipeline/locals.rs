//! What the templates of a body may read beside the Command's scope: the Iteration, results so far, and variables.

use std::sync::Arc;

use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Assignment, Dialect, SetScope, Task};
use noetl_domain::template::{self, Scope, View};
use noetl_domain::{Map, Value};

use super::{Iteration, Pipeline};
use crate::retry::status;

impl Pipeline<'_> {
    pub(super) fn bind_iteration(&mut self, Iteration { index, value, total }: Iteration<'_>) {
        let iterator = self.step.looped.as_ref().map_or("item", |looped| looped.iterator.as_str());
        template::bind_iteration(&mut self.scope, iterator, value, index, total);
        if let Some(looped) = &self.step.looped {
            if looped.enumerate {
                self.scope.bind("index", View::number(index));
            }
            if looped.chunk.is_some() {
                self.scope.bind_json("batch", value);
            }
        }
        if self.step.dialect <= Dialect::B {
            template::bind_result_index(&mut self.scope, &self.step.name, index);
        }
        if self.step.body.iter().any(|task| task.calls("python")) {
            self.names.insert(iterator.to_owned(), value.clone());
            self.names.insert("value".into(), value.clone());
            self.names.insert("index".into(), index.into());
        }
    }

    /// Makes what a parked pipeline knew visible again.
    pub(super) fn bind_state(&mut self) {
        let state = std::mem::take(&mut self.state);
        for (scope, map) in
            [(SetScope::Ctx, &state.ctx), (SetScope::Iter, &state.iter), (SetScope::Step, &state.step)]
        {
            for (key, value) in map {
                let mut value = value.clone();
                self.job.reveal(&mut value);
                self.scope.set(scope, key, &value);
            }
        }
        self.state = state;
        if let Some((_, last)) = self.state.results.last() {
            let last = Arc::new(last.clone());
            for (label, result) in &self.state.results {
                self.scope.bind(label, View::result(Arc::new(result.clone())));
            }
            self.bind_results(&last);
        }
    }

    /// Keeps a Task's outcome under its label, as the newest.
    pub(super) fn remember(&mut self, task: &Task, outcome: &Arc<StepResult>) {
        self.state.results.shift_remove(&task.name);
        self.state.results.insert(task.name.clone(), StepResult::clone(outcome));
        if self.step.pipeline || self.step.body.len() > 1 {
            self.scope.bind(&task.name, View::result(Arc::clone(outcome)));
            self.bind_results(outcome);
        }
    }

    pub(super) fn bind_results(&mut self, last: &Arc<StepResult>) {
        let all = self.state.results.iter();
        let views = all.map(|(label, result)| (label.clone(), View::result(Arc::new(result.clone()))));
        let views: Vec<_> = views.collect();
        self.scope.bind("results", View::fields(views));
        self.scope.bind("_prev", View::result(Arc::clone(last)));
        template::outcome_view(status(last), Arc::clone(last), None).bind(&mut self.scope);
    }

    /// A scope with `output`, `result`, `error` and the rest of an outcome.
    pub(crate) fn with_outcome(&self, outcome: &Arc<StepResult>) -> Scope {
        let mut scope = self.scope.child();
        template::outcome_view(status(outcome), Arc::clone(outcome), None).bind(&mut scope);
        scope.bind("_attempt", View::number(self.state.attempt));
        scope.bind("attempt", View::number(self.state.attempt));
        if let Some(task) = self.step.body.get(self.state.task) {
            scope.bind("_task", View::text(task.name.clone()));
        }
        scope
    }
    /// Carries out `set`: every value is rendered with the outcome bound and the writes before it visible.
    pub(crate) async fn assign(
        &mut self,
        sets: &[Assignment],
        outcome: &Arc<StepResult>,
    ) -> Result<(), TaskError> {
        for set in sets {
            let scope = self.with_outcome(outcome);
            let value = self.base.value(self.job, &scope, &set.value).await?;
            self.write(set.scope, &set.key, value);
        }
        Ok(())
    }

    /// Writes a variable; a dotted key reaches into an object.
    pub(crate) fn write(&mut self, scope: SetScope, key: &str, value: Value) {
        let map = match scope {
            SetScope::Ctx => &mut self.state.ctx,
            SetScope::Iter => &mut self.state.iter,
            SetScope::Step => &mut self.state.step,
        };
        let (root, rest) = key.split_once('.').map_or((key, None), |(root, rest)| (root, Some(rest)));
        match rest {
            None => {
                map.insert(root.to_owned(), value);
            }
            Some(path) => {
                let mut place = map.entry(root).or_insert(Value::Null);
                for part in path.split('.') {
                    if !place.is_object() {
                        *place = Value::Object(Map::new());
                    }
                    place = &mut place[part];
                }
                *place = value;
            }
        }
        let written = map[root].clone();
        self.scope.set(scope, root, &written);
        self.outer.set(scope, root, &written);
    }
}

/// Binds an input by its bare name and under `input` and `args`.
pub(super) fn bind_input(scope: &mut Scope, name: &str, value: &Value) {
    let view = View::json(Arc::new(value.clone()));
    for all in ["input", "args", "data"] {
        scope.overlay(all, name, view.clone());
    }
    if !matches!(name, "input" | "args" | "execution_id" | "job" | "catalog_id") {
        scope.bind(name, view);
    }
}
