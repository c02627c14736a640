//! Runs the body of a Step once: Tasks in order, with their retries, rules and writes.

mod call;
mod case;
mod end;
mod locals;
mod nested;
mod progress;
mod repeat;
mod wait;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use call::guarded;
use end::with_save;
use locals::bind_input;
use noetl_domain::code::Code;
use noetl_domain::command::{PipelineState, Resume, StepResult, Wake};
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Step, Task};
use noetl_domain::report::{Call, ItemReport, Wait};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::template::{Scope, View};
use noetl_domain::{Map, Value};
use progress::{Progress, Stage};
use wait::after;

use crate::budgets::Owner;
use crate::job::Job;
use crate::policy::{self, Order};
use crate::retry::{self, Verdict};
use crate::scope::Base;
use crate::{fields, save};

/// The locals of one run through a Step's body.
pub(crate) struct Pipeline<'j> {
    pub(crate) job: &'j Job,
    pub(crate) base: &'j Base,
    pub(crate) step: &'j Step,
    /// Iteration, inside a loop.
    pub(crate) index: Option<u64>,
    pub(crate) scope: Scope,
    /// As `scope`, before the Step's inputs are bound: what those inputs are rendered in, at every try.
    outer: Scope,
    pub(crate) state: PipelineState,
    /// The Step's inputs, rendered, with the Token's over them.
    inputs: Map,
    /// Inputs of the pipeline around a loop inside it.
    given: Map,
    /// The try that those inputs were rendered for.
    inputs_try: u32,
    /// The names of the Iteration, for code.
    names: Map,
    calls: Vec<Call>,
    collected: Map,
    case: Option<usize>,
    deadline: Option<Instant>,
    wake: Option<Wake>,
    /// Whose retry budgets the last call counted for.
    owners: Vec<Owner>,
}

/// Why a pipeline stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed(Arc<StepResult>),
    Parked(Wait),
    Cancelled,
}

impl From<TaskError> for Stop {
    fn from(error: TaskError) -> Self {
        Self::Failed(Arc::new(failed(error)))
    }
}

/// One element of a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Iteration<'a> {
    pub(crate) index: u64,
    pub(crate) value: &'a Value,
    pub(crate) total: Option<u64>,
}

impl<'j> Pipeline<'j> {
    pub(crate) fn new(
        job: &'j Job,
        base: &'j Base,
        scope: Scope,
        iteration: Option<Iteration<'_>>,
        resume: Option<Resume>,
    ) -> Self {
        Self::of_body(job, base, &job.command.step, scope, iteration, resume)
    }

    /// Of a loop inside a pipeline, `step` is only a body and its loop.
    fn of_body(
        job: &'j Job,
        base: &'j Base,
        step: &'j Step,
        scope: Scope,
        iteration: Option<Iteration<'_>>,
        resume: Option<Resume>,
    ) -> Self {
        let (state, wake) = match resume {
            Some(Resume { state, wake }) => (state, Some(wake)),
            None => (PipelineState::default(), None),
        };
        let mut pipeline = Self {
            job,
            base,
            step,
            index: iteration.map(|iteration| iteration.index),
            outer: scope.clone(),
            scope,
            state,
            inputs: Map::new(),
            given: Map::new(),
            inputs_try: 0,
            names: Map::new(),
            calls: Vec::new(),
            collected: Map::new(),
            case: None,
            deadline: None,
            wake,
            owners: Vec::new(),
        };
        if let Some(iteration) = iteration {
            pipeline.bind_iteration(iteration);
        }
        pipeline.bind_state();
        pipeline.outer = pipeline.scope.clone();
        pipeline
    }

    /// Runs to the end, to a wait, or to an error, and says what became of it.
    pub(crate) async fn run(mut self) -> ItemReport {
        let running = self.job.slot.clone();
        let _running = running.enter();
        let end = self.tries_of_step().await;
        let end = self.save_step(end).await;
        self.report(end).await
    }

    /// The whole pipeline, again where the Step's retry says so. A single tool's retry belongs to its Task.
    async fn tries_of_step(&mut self) -> Result<Arc<StepResult>, Stop> {
        self.prepare().await?;
        loop {
            let end = self.body().await;
            if !self.step.pipeline || self.step.retry.is_empty() {
                return end;
            }
            let outcome = match &end {
                Ok(outcome) | Err(Stop::Failed(outcome)) => Arc::clone(outcome),
                Err(Stop::Parked(_) | Stop::Cancelled) => return end,
            };
            let attempt = self.state.extra.get("tries").and_then(Value::as_u64).unwrap_or(0) as u32 + 1;
            match retry::judge(self, &self.step.retry, &outcome, attempt).await? {
                Verdict::Settled => return end,
                Verdict::Success => return Ok(succeeded(&outcome)),
                Verdict::Again(delay) => {
                    let Some(delay) = self.grant(delay, &outcome) else {
                        return Err(Stop::Failed(self.spent(&outcome)));
                    };
                    self.state.task = 0;
                    self.state.attempt = 0;
                    self.state.results.clear();
                    self.state.extra.insert("tries".into(), attempt.into());
                    self.again(delay).await?;
                }
            }
        }
    }

    /// Renders the Step's inputs with the Token's over them. Those of a single tool are its own: they may name
    /// `_attempt` and `_task`, as the inputs of a pipeline's task may.
    async fn bind_inputs(&mut self, attempt: u32) -> Result<(), TaskError> {
        self.inputs_try = attempt;
        if !self.step.inputs.is_empty() {
            let mut scope = self.outer.child();
            scope.bind("_attempt", View::number(attempt));
            if let ([only], false) = (self.step.body.as_slice(), self.step.pipeline) {
                scope.bind("_task", View::text(only.name.clone()));
            }
            let mut inputs = self.given.clone();
            inputs.extend(self.base.map(self.job, &scope, &self.step.inputs).await?);
            inputs.extend(Map::clone(&self.base.inputs));
            for (name, value) in &inputs {
                bind_input(&mut self.scope, name, value);
            }
            self.inputs = inputs;
        } else if !self.base.inputs.is_empty() || !self.given.is_empty() {
            self.inputs.clone_from(&self.given);
            self.inputs.extend(Map::clone(&self.base.inputs));
        }
        Ok(())
    }

    /// Readies the Step's inputs and its deadline.
    async fn prepare(&mut self) -> Result<(), TaskError> {
        self.bind_inputs(self.state.attempt + 1).await?;
        if let Some(written) = &self.step.timeout_seconds {
            let seconds = fields::seconds(&self.base.value(self.job, &self.scope, written).await?);
            self.deadline = seconds.and_then(after);
        }
        Ok(())
    }

    async fn body(&mut self) -> Result<Arc<StepResult>, Stop> {
        let step = self.step;
        while let Some(task) = step.body.get(self.state.task) {
            self.state.ran += 1;
            if self.state.ran > self.job.services.config.task_runs {
                let message = format!("the pipeline ran {} tasks without ending", self.state.ran - 1);
                return Err(TaskError::new("loop", message).with_code(Code::TooManySteps.as_str()).into());
            }
            let outcome = self.task(task).await?;
            let order = policy::judge(self, task, &outcome).await;
            match order.map_err(|error| self.give_up(task, &outcome, error))? {
                Order::Continue => {
                    self.remember(task, &outcome);
                    self.go(self.state.task + 1);
                }
                Order::Jump(to) => {
                    self.remember(task, &outcome);
                    self.go(to);
                }
                Order::Break => {
                    self.remember(task, &outcome);
                    break;
                }
                Order::Fail(error) => return Err(self.give_up(task, &outcome, error)),
                Order::Retry(delay) => {
                    if self.is_late() {
                        let error = outcome.error.clone().unwrap_or_else(|| self.too_late());
                        return Err(self.give_up(task, &outcome, error));
                    }
                    let Some(delay) = self.grant(delay, &outcome) else {
                        let spent = self.spent(&outcome);
                        let error = spent.error.clone().unwrap_or_default();
                        return Err(self.give_up(task, &spent, error));
                    };
                    self.again(delay).await?;
                }
            }
        }
        Ok(Arc::new(self.result().await?))
    }

    /// One Task, with its retries, pages, cases and saves; an error is an outcome like any other.
    async fn task(&mut self, task: &'j Task) -> Result<Arc<StepResult>, Stop> {
        let mut progress = Progress::default();
        if self.state.extra.contains_key(progress::KEY) {
            progress = Box::pin(Progress::resumed(self)).await?;
        }
        let mut outcome = self.proceed(task, Ok(()), &progress).await?;
        if let (Some(repeat), None, false) = (&task.repeat, &outcome.error, progress.stage == Stage::Cases) {
            outcome = Box::pin(repeat::pages(self, task, repeat, outcome, progress)).await?;
            progress = Progress::default();
        }
        if !self.step.pipeline && !self.step.cases.is_empty() {
            outcome = Box::pin(case::answer(self, task, outcome, progress)).await?;
        }
        if !task.saves.is_empty() {
            let scope = self.with_outcome(&outcome);
            let saved =
                save::run(self, &task.saves, &scope, outcome.error.is_some(), task.auth.as_ref()).await;
            outcome = with_save(outcome, saved);
        }
        Ok(outcome)
    }

    /// Calls a Task's tool until its retry blocks are satisfied.
    async fn tries(&mut self, task: &'j Task, changes: &Map) -> Result<Arc<StepResult>, Stop> {
        let blocks = match (&task.repeat, self.step.pipeline) {
            _ if !task.retry.is_empty() => &task.retry,
            (Some(repeat), _) if !repeat.retry.is_empty() => &repeat.retry,
            (_, false) => &self.step.retry,
            (_, true) => return self.call(task, changes).await,
        };
        loop {
            let outcome = self.call(task, changes).await?;
            if blocks.is_empty() {
                return Ok(outcome);
            }
            let verdict = match retry::judge(self, blocks, &outcome, self.state.attempt).await {
                Ok(verdict) => verdict,
                Err(error) => return Ok(Arc::new(failed(error))),
            };
            match verdict {
                Verdict::Settled => return Ok(outcome),
                Verdict::Success => return Ok(succeeded(&outcome)),
                Verdict::Again(_) if self.is_late() => return Ok(outcome),
                Verdict::Again(delay) => match self.grant(delay, &outcome) {
                    Some(delay) => self.again(delay).await?,
                    None => return Ok(self.spent(&outcome)),
                },
            }
        }
    }

    fn go(&mut self, to: usize) {
        self.state.task = to;
        self.state.attempt = 0;
    }

    /// What the pipeline as a whole returns.
    async fn result(&self) -> Result<StepResult, TaskError> {
        if !self.step.pipeline {
            let last = self.state.results.last().map(|(_, result)| result.clone());
            let result = last.unwrap_or_default();
            return Ok(StepResult { status: "COMPLETED".into(), error: None, ..result });
        }
        let mut map = Map::new();
        for (label, result) in &self.state.results {
            let value = nested::inline(self, result).await?;
            map.insert(label.clone(), value);
        }
        Ok(StepResult {
            kind: ResultKind::Pipeline,
            status: "COMPLETED".into(),
            value: Stored::Inline(Value::Object(map)),
            error: None,
        })
    }

    /// The pipeline's failure: the Task's error, beside everything that is there.
    fn give_up(&self, task: &Task, outcome: &Arc<StepResult>, error: TaskError) -> Stop {
        if !self.step.pipeline {
            let result =
                StepResult { status: "FAILED".into(), error: Some(error), ..StepResult::clone(outcome) };
            return Stop::Failed(Arc::new(result));
        }
        let inline = |result: &StepResult| match &result.value {
            Stored::Inline(value) => value.clone(),
            Stored::Ref(reference) => serde_json::to_value(reference).unwrap_or_default(),
        };
        let mut map: Map =
            self.state.results.iter().map(|(label, result)| (label.clone(), inline(result))).collect();
        map.insert(task.name.clone(), inline(outcome));
        Stop::Failed(Arc::new(StepResult {
            kind: ResultKind::Pipeline,
            status: "FAILED".into(),
            value: Stored::Inline(Value::Object(map)),
            error: Some(error),
        }))
    }
}

pub(crate) fn failed(error: TaskError) -> StepResult {
    StepResult { status: "FAILED".into(), error: Some(error), ..StepResult::default() }
}

fn succeeded(outcome: &Arc<StepResult>) -> Arc<StepResult> {
    if outcome.error.is_none() {
        return Arc::clone(outcome);
    }
    Arc::new(StepResult { status: "COMPLETED".into(), error: None, ..StepResult::clone(outcome) })
}
