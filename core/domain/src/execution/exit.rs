//! A Step leaves: variables are written, ways onward are chosen, and all of it becomes one Event.

use std::sync::Arc;

use super::apply::result_after;
use super::decide::Decision;
use super::failure;
use super::plan::Plan;
use super::reads::StepReads;
use super::route::{self, Ending};
use super::state::Execution;
use super::undefined;
use crate::code::Code;
use crate::command::StepResult;
use crate::error::TaskError;
use crate::event::{Event, Exit, StepStatus, Taken};
use crate::playbook::{self, Action, Assignment, Case, Expr, Step};
use crate::result::ResultRef;
use crate::template::{self, Scope, TemplateError, bind_shared};
use crate::{Map, Value};

/// How a Step comes to its end.
#[derive(Debug)]
pub(super) struct Leaving {
    status: StepStatus,
    error: Option<TaskError>,
    /// A result that the decider made itself.
    result: Option<Value>,
}

impl Leaving {
    /// A router: no work, no result.
    pub(super) fn marker() -> Self {
        Self { status: StepStatus::Completed, error: None, result: None }
    }

    pub(super) fn done(value: Value) -> Self {
        Self { result: Some(value), ..Self::marker() }
    }

    /// The result is what the Report said.
    pub(super) fn answered() -> Self {
        Self::marker()
    }

    pub(super) fn failed(error: TaskError) -> Self {
        Self { status: StepStatus::Failed, error: Some(error), result: None }
    }
}

pub(super) fn leave(
    plan: &Plan,
    execution: &Execution,
    step: &Step,
    leaving: Leaving,
    at_ms: i64,
) -> Decision {
    let Some(state) = execution.steps.get(&step.name) else { return Decision::default() };
    let exit = Exit {
        step: step.name.clone(),
        run: state.run,
        status: leaving.status,
        error: leaving.error,
        result: leaving.result,
        ..Exit::default()
    };
    Writer::new(plan, execution, step, exit, at_ms).finish()
}

/// A Step whose guard is false: its Tokens are used up, and routing goes on as if it had done nothing.
pub(super) fn skip(
    plan: &Plan,
    execution: &Execution,
    step: &Step,
    run: u32,
    tokens: u32,
    at_ms: i64,
) -> Decision {
    let exit = Exit { step: step.name.clone(), run, status: StepStatus::Skipped, tokens, ..Exit::default() };
    Writer::new(plan, execution, step, exit, at_ms).finish()
}

/// Writes one Exit: what is written so far is visible to what is rendered next.
struct Writer<'a> {
    plan: &'a Plan,
    execution: &'a Execution,
    step: &'a Step,
    exit: Exit,
    at_ms: i64,
    warnings: Vec<Event>,
    missing: Vec<ResultRef>,
    undefined: Vec<String>,
    collected: Map,
    scope: Scope,
}

impl<'a> Writer<'a> {
    fn new(plan: &'a Plan, execution: &'a Execution, step: &'a Step, exit: Exit, at_ms: i64) -> Self {
        let collected = execution
            .steps
            .get(&step.name)
            .and_then(|state| state.answer.as_ref())
            .map(|answer| answer.collected.clone())
            .unwrap_or_default();
        let mut writer = Self {
            plan,
            execution,
            step,
            exit,
            at_ms,
            warnings: Vec::new(),
            missing: Vec::new(),
            undefined: Vec::new(),
            collected,
            scope: Scope::new(execution.ambient(at_ms)),
        };
        writer.look();
        writer
    }

    fn finish(mut self) -> Decision {
        if let Err(error) = self.write() {
            // A template that fails while a Step leaves is the Step's failure, and nobody can have answered it.
            self.exit.status = StepStatus::Failed;
            self.exit.error = Some(error);
            self.exit.handled = false;
            self.exit.routes.clear();
            self.exit.ctx.clear();
        }
        self.missing.extend(self.scope.missing());
        if !self.missing.is_empty() {
            return Decision::load(self.missing);
        }
        let mut events = self.warnings;
        events.extend(undefined::warnings(self.plan, self.execution, &self.step.name, self.undefined));
        events.push(Event::StepExited(Box::new(self.exit)));
        Decision::events(events)
    }

    /// Looks at the Execution again, with everything written so far.
    fn look(&mut self) {
        self.missing.extend(self.scope.missing());
        let reads = &self.plan.reads[self.plan.at(&self.step.name).unwrap_or_default()].exit;
        if reads.is_empty() {
            // Most Steps of a long chain: nothing is looked up, so nothing needs to be laid out.
            return;
        }
        let mut data = self.execution.project(reads);
        for (key, value) in self.collected.iter().chain(&self.exit.ctx) {
            data.ctx.insert(key.clone(), value.clone());
        }
        let result = self.result();
        data.steps.insert(self.step.name.clone(), Arc::clone(&result));
        if let Some(alias) = &self.step.alias {
            data.steps.insert(alias.clone(), Arc::clone(&result));
        }
        let state = self.execution.steps.get(&self.step.name);
        let mut inputs = self.step.inputs.clone();
        inputs.extend(state.map(|state| state.inputs.clone()).unwrap_or_default());
        let mut scope = Scope::new(self.execution.ambient(self.at_ms));
        bind_shared(&mut scope, Arc::new(data), Arc::new(inputs));
        for (reference, value) in &self.execution.loaded {
            scope.provide(reference, Arc::clone(value));
        }
        template::outcome_view(&result.status, Arc::clone(&result), result.error.as_ref()).bind(&mut scope);
        self.scope = scope;
    }

    /// The result as it will stand after this Exit.
    fn result(&self) -> Arc<StepResult> {
        let state = self.execution.steps.get(&self.step.name);
        result_after(&self.exit, state.and_then(|state| state.result.as_ref()))
    }

    fn write(&mut self) -> Result<(), TaskError> {
        if self.exit.status == StepStatus::Completed {
            self.keep_collected();
            self.extract();
            self.set(&self.step.sets, "the step's set")?;
        }
        let mut arcs: Vec<&'a playbook::Arc> = Vec::new();
        let mut decided = false;
        for case in self.matching_cases()? {
            decided |= self.act(case, &mut arcs)?;
        }
        if !decided {
            arcs = self.choose()?;
        }
        if self.exit.status == StepStatus::Failed && !arcs.is_empty() {
            self.exit.handled = true;
        }
        if arcs.is_empty() && self.exit.status == StepStatus::Completed {
            self.dead_end()?;
        }
        for arc in arcs {
            self.take(arc)?;
        }
        Ok(())
    }

    /// What was collected `into` a name stays readable, where a later step reads it.
    fn keep_collected(&mut self) {
        let reads =
            self.plan.steps.iter().zip(&self.plan.reads).filter(|(step, _)| step.name != self.step.name);
        for (name, value) in &self.collected {
            let names = [name.as_str(), "ctx", "vars"];
            let is_read = |reads: &StepReads| {
                [&reads.enter, &reads.body, &reads.exit].iter().any(|reads| reads.any(&names))
            };
            if reads.clone().any(|(_, reads)| is_read(reads)) {
                self.exit.ctx.insert(name.clone(), value.clone());
            }
        }
    }

    /// `vars:`; one that fails is skipped with a warning.
    fn extract(&mut self) {
        let mut wrote = false;
        for (name, template) in &self.step.extracts {
            match rendered(template, &self.scope, &mut self.undefined) {
                Ok(value) => {
                    self.exit.ctx.insert(name.clone(), value);
                    wrote = true;
                }
                Err(error) => self.warnings.push(Event::Warned {
                    step: Some(self.step.name.clone()),
                    code: Code::TemplateFailed,
                    message: format!("vars.{name} was skipped: {error}"),
                }),
            }
        }
        if wrote {
            self.look();
        }
    }

    fn set(&mut self, sets: &[Assignment], what: &str) -> Result<(), TaskError> {
        if sets.is_empty() {
            return Ok(());
        }
        // All of a block sees what was there before it, as a mapping has no order of its own.
        for set in sets {
            let value = self.render(&set.value, what)?;
            self.exit.ctx.insert(set.key.clone(), value);
        }
        self.look();
        Ok(())
    }

    fn render(&mut self, value: &Value, what: &str) -> Result<Value, TaskError> {
        rendered(value, &self.scope, &mut self.undefined).map_err(|error| failure::template(what, &error))
    }

    /// The first true case of each of the Step's events: the worker has judged the call, the rest is judged here.
    fn matching_cases(&self) -> Result<Vec<&'a Case>, TaskError> {
        let cases = &self.step.cases;
        if cases.is_empty() || self.exit.status == StepStatus::Skipped {
            return Ok(Vec::new());
        }
        let answer = self.execution.steps.get(&self.step.name).and_then(|state| state.answer.as_ref());
        let called = answer.and_then(|answer| answer.case).and_then(|index| cases.get(index));
        let mut matching: Vec<&Case> = called.into_iter().collect();
        let ending = self.ending();
        for event in ["step.exit", "loop.done"] {
            if event == "loop.done" && !ending.looped {
                continue;
            }
            for case in cases {
                let text = case.when.as_ref().map_or("", |when| when.0.as_str());
                // A case that names no event was judged with the call already.
                if !text.contains(event)
                    && (called.is_some() || !matching.is_empty() || text.contains("event."))
                {
                    continue;
                }
                if self.test_case(case, event)? {
                    matching.push(case);
                    break;
                }
            }
        }
        Ok(matching)
    }

    fn test_case(&self, case: &Case, event: &str) -> Result<bool, TaskError> {
        let Some(when) = &case.when else { return Ok(true) };
        route::test(when, &[event], &self.step.name, &self.scope)
            .map_err(|error| failure::template("a case's when", &error))
    }

    /// Carries out a case; true when it chose the way onward.
    fn act(&mut self, case: &'a Case, arcs: &mut Vec<&'a playbook::Arc>) -> Result<bool, TaskError> {
        let mut decided = false;
        for action in &case.then {
            match action {
                Action::Next(next) => {
                    decided = true;
                    arcs.extend(next);
                }
                Action::Set(sets) => self.set(sets, "a case's set")?,
                Action::Result(value) => {
                    self.exit.result = Some(self.render(value, "a case's result")?);
                    self.look();
                }
                Action::Call { step, inputs } => {
                    decided = true;
                    let mut taken = Taken { to: step.clone(), inputs: Map::new() };
                    for (key, value) in inputs {
                        taken.inputs.insert(key.clone(), self.render(value, "a case's call")?);
                    }
                    self.exit.routes.push(taken);
                }
                Action::Fail(message) => {
                    let message = match message {
                        Some(message) => self.render(message, "a case's fail")?,
                        None => Value::String(format!("step {} was failed by a case", self.step.name)),
                    };
                    let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
                    return Err(TaskError::new("failed_by_case", text));
                }
                Action::Skip => decided = true,
                // The worker has done these.
                Action::Collect { .. } | Action::Again { .. } | Action::Retry(_) | Action::Save(_) => {}
            }
        }
        if decided && self.exit.status == StepStatus::Failed {
            self.exit.handled = true;
        }
        Ok(decided)
    }

    fn ending(&self) -> Ending {
        Ending { status: self.exit.status, looped: self.step.looped.is_some() }
    }

    fn choose(&mut self) -> Result<Vec<&'a playbook::Arc>, TaskError> {
        let ending = self.ending();
        let chosen = route::choose(&self.step.routes, &self.step.name, ending, &self.scope)
            .map_err(|error: TemplateError| failure::template("an arc's when", &error))?;
        self.exit.not_taken = chosen.not_taken;
        Ok(chosen.arcs)
    }

    fn take(&mut self, arc: &'a playbook::Arc) -> Result<(), TaskError> {
        self.set(&arc.sets, "an arc's set")?;
        let mut inputs = Map::new();
        for (key, value) in &arc.inputs {
            inputs.insert(key.clone(), self.render(value, "an arc's inputs")?);
        }
        self.exit.routes.push(Taken { to: arc.to.clone(), inputs });
        Ok(())
    }

    fn dead_end(&self) -> Result<(), TaskError> {
        let routes = &self.step.routes;
        let has_arcs = !routes.arcs.is_empty() || !routes.otherwise.is_empty();
        if has_arcs && self.plan.no_next_is_error && self.exit.routes.is_empty() {
            let message = format!("no arc of step {} is true", self.step.name);
            return Err(failure::coded(Code::NoRoute, "no_route", message));
        }
        Ok(())
    }
}

/// Renders, and adds the names that were not there to those of before.
fn rendered(value: &Value, scope: &Scope, undefined: &mut Vec<String>) -> Result<Value, TemplateError> {
    // What conditions asked for in the same scope is not for us.
    scope.undefined();
    let rendered = template::render(value, scope);
    undefined.extend(scope.undefined());
    rendered
}

/// Whether an expression asks how the Step ended.
pub(super) fn asks_about_failure(when: &Expr, step: &str) -> bool {
    let reads = template::reads_expr(when);
    let text = when.0.as_str();
    reads.iter().any(|name| match name.as_str() {
        "event" | "error" => true,
        "output" | "outcome" | "response" | "result" | "this" => {
            text.contains("status") || text.contains("error")
        }
        name => {
            (name == step || name == step.replace('-', "_"))
                && (text.contains(".status") || text.contains(".error"))
        }
    })
}
