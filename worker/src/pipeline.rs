//! Runs the body of a Step once: Tasks in order, with their retries, rules and writes.

mod call;
mod case;
mod end;
mod nested;
mod progress;
mod repeat;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use call::guarded;
use end::with_save;
use noetl_domain::code::Code;
use noetl_domain::command::{PipelineState, Resume, StepResult, Wake};
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Assignment, Dialect, SetScope, Step, Task};
use noetl_domain::report::{Call, ItemReport, Wait};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::template::{self, Scope, View};
use noetl_domain::{Map, Value};
use progress::{Progress, Stage};

use crate::job::Job;
use crate::policy::{self, Order};
use crate::retry::{self, Verdict, status};
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
        };
        if let Some(iteration) = iteration {
            pipeline.bind_iteration(iteration);
        }
        pipeline.bind_state();
        pipeline.outer = pipeline.scope.clone();
        pipeline
    }

    fn bind_iteration(&mut self, Iteration { index, value, total }: Iteration<'_>) {
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
    fn bind_state(&mut self) {
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
                Verdict::Again(delay) => self.again(delay).await?,
            }
        }
    }

    fn go(&mut self, to: usize) {
        self.state.task = to;
        self.state.attempt = 0;
    }

    /// Keeps a Task's outcome under its label, as the newest.
    fn remember(&mut self, task: &Task, outcome: &Arc<StepResult>) {
        self.state.results.shift_remove(&task.name);
        self.state.results.insert(task.name.clone(), StepResult::clone(outcome));
        if self.step.pipeline || self.step.body.len() > 1 {
            self.scope.bind(&task.name, View::result(Arc::clone(outcome)));
            self.bind_results(outcome);
        }
    }

    fn bind_results(&mut self, last: &Arc<StepResult>) {
        let all = self.state.results.iter();
        let views = all.map(|(label, result)| (label.clone(), View::result(Arc::new(result.clone()))));
        let views: Vec<_> = views.collect();
        self.scope.bind("results", View::fields(views));
        self.scope.bind("_prev", View::result(Arc::clone(last)));
        template::outcome_view(status(last), Arc::clone(last), None).bind(&mut self.scope);
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

    /// Waits without holding the worker's place, or parks when that takes long.
    /// Waits before the next try. The log says it at once: the Report comes only at the end.
    async fn again(&mut self, seconds: f64) -> Result<(), Stop> {
        if let Some(call) = self.calls.last_mut() {
            call.retry_after = Some(seconds);
        }
        self.tell_of_retry(seconds);
        self.wait(seconds).await
    }

    fn tell_of_retry(&self, seconds: f64) {
        let Some(call) = self.calls.last() else { return };
        let (level, ended) = match &call.error {
            Some(error) => ("warn", format!("failed: {}", error.message.lines().next().unwrap_or_default())),
            None => ("info", "is not the last one".to_owned()),
        };
        // The line carries the step's name already.
        let task = if self.step.pipeline { format!("{}: ", call.task) } else { String::new() };
        let text = format!("{task}try {} {ended}; again in {seconds} s", call.attempt);
        self.job.log(self.index).line("noetl", level, text);
    }

    async fn wait(&self, seconds: f64) -> Result<(), Stop> {
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        if wait > self.job.services.config.park_after {
            return Err(Stop::Parked(Wait::Timer { seconds }));
        }
        self.wait_here(seconds).await
    }

    /// Waits without holding the worker's place, however long it takes.
    async fn wait_here(&self, seconds: f64) -> Result<(), Stop> {
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        if wait.is_zero() {
            return if self.job.cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) };
        }
        let woken = self.job.slot.rest(async {
            tokio::select! {
                () = tokio::time::sleep(wait) => true,
                () = self.job.cancel.cancelled() => false,
            }
        });
        if woken.await { Ok(()) } else { Err(Stop::Cancelled) }
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn too_late(&self) -> TaskError {
        TaskError::new("timeout", format!("step {} took too long", self.step.name))
            .with_code(Code::StepTimeout.as_str())
    }
}

/// Binds an input by its bare name and under `input` and `args`.
fn bind_input(scope: &mut Scope, name: &str, value: &Value) {
    let view = View::json(Arc::new(value.clone()));
    for all in ["input", "args", "data"] {
        scope.overlay(all, name, view.clone());
    }
    if !matches!(name, "input" | "args" | "execution_id" | "job" | "catalog_id") {
        scope.bind(name, view);
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

fn after(seconds: f64) -> Option<Instant> {
    Instant::now().checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}
