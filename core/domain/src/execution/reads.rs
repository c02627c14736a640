//! Which names the templates of a Step read, so that only those travel and only those are looked up.

use std::collections::HashSet;

use crate::Value;
use crate::playbook::{Action, Arc, Assignment, Expr, Loop, LoopSource, Repeat, Retry, Save, Step, Task};
use crate::template;

/// A set of root names.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    names: HashSet<String>,
}

/// What the parts of a Step read.
#[derive(Clone, Debug, Default)]
pub(super) struct StepReads {
    /// Guard and loop source, rendered by the decider.
    pub(super) enter: Reads,
    /// Everything that the worker renders.
    pub(super) body: Reads,
    /// Routes, sets, extracts and cases, rendered by the decider.
    pub(super) exit: Reads,
}

impl Reads {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(super) fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.names.iter()
    }

    pub(super) fn of_step(step: &Step) -> StepReads {
        let mut reads = StepReads::default();
        reads.enter.expr(step.guard.as_ref());
        step.looped.iter().for_each(|looped| reads.enter.collection(looped));
        for task in &step.body {
            if is_inline(&task.kind) {
                reads.enter.map(&task.config);
            }
        }
        reads.body_of(step);
        reads.exit.map(&step.extracts);
        reads.exit.sets(&step.sets);
        for arc in step.routes.arcs.iter().chain(&step.routes.otherwise) {
            reads.exit.arc(arc);
        }
        for case in &step.cases {
            reads.exit.expr(case.when.as_ref());
            for action in &case.then {
                match action {
                    Action::Next(arcs) => arcs.iter().for_each(|arc| reads.exit.arc(arc)),
                    Action::Set(sets) => reads.exit.sets(sets),
                    Action::Result(value) | Action::Fail(Some(value)) => reads.exit.value(value),
                    Action::Call { inputs, .. } => reads.exit.map(inputs),
                    Action::Collect { .. }
                    | Action::Again { .. }
                    | Action::Retry(_)
                    | Action::Save(_)
                    | Action::Fail(None)
                    | Action::Skip => {}
                }
            }
        }
        reads
    }

    fn value(&mut self, value: &Value) {
        self.names.extend(template::reads(value));
    }

    fn map(&mut self, map: &crate::Map) {
        map.values().for_each(|value| self.value(value));
    }

    fn expr(&mut self, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.names.extend(template::reads_expr(expr));
        }
    }

    fn sets(&mut self, sets: &[Assignment]) {
        for set in sets {
            self.value(&set.value);
        }
    }

    fn arc(&mut self, arc: &Arc) {
        self.expr(arc.when.as_ref());
        self.map(&arc.inputs);
        self.sets(&arc.sets);
    }

    fn retry(&mut self, retry: &[Retry]) {
        for retry in retry {
            self.expr(retry.when.as_ref());
            self.expr(retry.stop_when.as_ref());
            for value in [
                &retry.max_attempts,
                &retry.initial_delay_seconds,
                &retry.max_delay_seconds,
                &retry.multiplier,
            ] {
                self.value(value);
            }
        }
    }

    fn save(&mut self, save: &Save) {
        self.map(&save.config);
        self.code(&save.config);
        save.auth.iter().for_each(|auth| self.value(auth));
        self.expr(save.when.as_ref());
    }

    fn repeat(&mut self, repeat: &Repeat) {
        self.expr(Some(&repeat.while_true));
        self.map(&repeat.next);
        self.value(&repeat.max_pages);
        self.retry(&repeat.retry);
        repeat.saves.iter().for_each(|save| self.save(save));
    }

    /// What says which elements a loop goes over, and how many at once.
    fn collection(&mut self, looped: &Loop) {
        if let LoopSource::In(source) = &looped.source {
            self.value(source);
        }
        self.expr(looped.filter.as_ref());
        if let Some(order) = &looped.order_by {
            self.expr(Some(&Expr(order.trim_start_matches('-').to_owned())));
        }
        for value in [&looped.max_in_flight, &looped.limit, &looped.chunk].into_iter().flatten() {
            self.value(value);
        }
    }

    /// A loop inside a pipeline.
    fn nested(&mut self, inner: &Step) {
        if let Some(looped) = &inner.looped {
            self.collection(looped);
            self.expr(looped.until.as_ref());
        }
        inner.body.iter().for_each(|task| self.task(task));
    }

    fn task(&mut self, task: &Task) {
        task.nested.iter().for_each(|inner| self.nested(inner));
        self.map(&task.config);
        self.code(&task.config);
        self.map(&task.inputs);
        task.auth.iter().for_each(|auth| self.value(auth));
        self.sets(&task.sets);
        for rule in &task.rules {
            self.expr(rule.when.as_ref());
            self.sets(&rule.sets);
            if let crate::playbook::Directive::Retry { attempts, delay_seconds, .. } = &rule.directive {
                self.value(attempts);
                self.value(delay_seconds);
            }
        }
        self.retry(&task.retry);
        task.repeat.iter().for_each(|repeat| self.repeat(repeat));
        task.saves.iter().for_each(|save| self.save(save));
        task.timeout_seconds.iter().for_each(|value| self.value(value));
    }

    /// Code may name any step or variable (`context`, parameters filled from the whole context), so its words count.
    fn code(&mut self, config: &crate::Map) {
        let Some(Value::String(code)) = config.get("code") else { return };
        let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        self.names.extend(words.map(str::to_owned));
    }
}

impl StepReads {
    fn body_of(&mut self, step: &Step) {
        let body = &mut self.body;
        body.map(&step.inputs);
        step.body.iter().for_each(|task| body.task(task));
        step.saves.iter().for_each(|save| body.save(save));
        body.retry(&step.retry);
        step.timeout_seconds.iter().for_each(|value| body.value(value));
        if let Some(looped) = &step.looped {
            body.expr(looped.until.as_ref());
            if let LoopSource::Cursor(cursor) = &looped.source {
                body.value(&Value::String(cursor.claim.clone()));
                body.map(&cursor.config);
                cursor.auth.iter().for_each(|auth| body.value(auth));
                body.value(&cursor.row_concurrency);
            }
        }
        for case in &step.cases {
            body.expr(case.when.as_ref());
            for action in &case.then {
                match action {
                    Action::Again { next, max_pages } => {
                        body.map(next);
                        body.value(max_pages);
                    }
                    Action::Retry(retry) => body.retry(std::slice::from_ref(retry)),
                    Action::Save(save) => body.save(save),
                    Action::Next(_)
                    | Action::Set(_)
                    | Action::Result(_)
                    | Action::Collect { .. }
                    | Action::Call { .. }
                    | Action::Fail(_)
                    | Action::Skip => {}
                }
            }
        }
    }
}

/// Kinds of work that touch nothing, so that the decider completes them itself.
pub(super) fn is_inline(kind: &str) -> bool {
    matches!(kind, "noop" | "router" | "start" | "end")
}
