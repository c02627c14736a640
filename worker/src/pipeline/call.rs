//! One try of one Task: inputs, credentials and fields are rendered, the tool runs, its answer becomes an outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt as _;
use noetl_domain::code::Code;
use noetl_domain::command::{StepResult, Wake};
use noetl_domain::error::TaskError;
use noetl_domain::playbook::{Dialect, Task};
use noetl_domain::report::{Call, Wait};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::template::{self, Scope, View};
use noetl_domain::{Map, Value};
use serde_json::json;

use super::{Pipeline, Stop, after, bind_input, failed, nested};
use crate::auth::{self, Auth};
use crate::budgets;
use crate::registry::AnyTool;
use crate::scope::has_template;
use crate::tool::{Failure, Output, TaskContext};
use crate::{fields, script};

/// Sleeps up to this long wait where they are.
const SHORT_SLEEP: f64 = 1.0;
/// Tools that take inputs and nothing else under these names.
const TAKE_INPUTS: [&str; 3] = ["playbook", "playbooks", "python"];
const INPUTS: [&str; 5] = ["input", "inputs", "args", "with", "data"];

impl<'j> Pipeline<'j> {
    /// Tries the Task once. `changes` go over its fields: the next page of a pagination.
    pub(super) async fn call(&mut self, task: &'j Task, changes: &Map) -> Result<Arc<StepResult>, Stop> {
        if let Some(outcome) = self.awaited() {
            return Ok(self.settle(task, outcome));
        }
        self.state.attempt += 1;
        self.owners.clear();
        if self.job.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let started = Instant::now();
        let outcome = match self.try_once(task, changes).await {
            Ok(outcome) => self.settle(task, outcome),
            Err(Stop::Failed(outcome)) => self.settle(task, StepResult::clone(&outcome)),
            Err(stop) => return Err(stop),
        };
        self.calls.push(Call {
            task: task.name.clone(),
            tool: task.kind.clone(),
            attempt: self.state.attempt,
            duration_ms: started.elapsed().as_secs_f64() * 1000.0,
            error: outcome.error.clone(),
            retry_after: None,
            held: None,
        });
        Ok(outcome)
    }

    async fn try_once(&mut self, task: &'j Task, changes: &Map) -> Result<StepResult, Stop> {
        let job = self.job;
        if let Some(inner) = &task.nested {
            return nested::run(self, task, inner).await;
        }
        let Some(tool) = job.services.registry.get(&task.kind) else {
            let known: Vec<_> = job.services.registry.kinds().collect();
            let message =
                format!("there is no tool {:?} here; this worker has {}", task.kind, known.join(", "));
            return Err(TaskError::new("config", message).with_code(Code::UnknownTool.as_str()).into());
        };
        if self.state.attempt != self.inputs_try && !self.step.pipeline {
            self.bind_inputs(self.state.attempt).await?;
        }
        let mut scope = self.scope.child();
        scope.bind("_task", View::text(task.name.clone()));
        scope.bind("_attempt", View::number(self.state.attempt));
        let inputs = self.inputs_of(task, changes, &mut scope).await?;
        let auth = match self.auth_of(task, tool.kind(), &mut scope).await {
            Ok(auth) => auth,
            Err(error) => {
                // A token that could not be fetched: trying again counts for the credential it is fetched with.
                self.owners
                    .extend(task.auth.as_ref().and_then(budgets::named).filter(|_| self.may_retry(task)));
                return Err(error.into());
            }
        };
        let mut fields = self.fields_of(task, tool, &scope, &auth).await?;
        if let (Some(written), "secrets") = (&task.auth, tool.kind()) {
            // A secret's place keeps the name of the credential that opens it.
            fields.insert("auth".into(), self.base.value(job, &scope, written).await?);
        }
        merge_changes(&mut fields, changes);
        if self.may_retry(task) {
            self.owners = budgets::owners(tool.kind(), &fields, &auth);
            // The whole pipeline tried again is no first try either.
            if self.state.attempt == 1 && !self.state.extra.contains_key("tries") {
                job.services.config.retry_budget.request(&self.owners);
            }
        }
        let deadline = self.deadline_of(task, &scope, tool.kind(), &mut fields).await?;
        let context = if task.kind == "python" { self.context(task).await? } else { Map::new() };
        let config = &job.services.config;
        let id = &job.command.id;
        let ctx = TaskContext {
            execution: id.execution,
            step: id.step.clone(),
            task: task.name.clone(),
            run: id.run,
            index: self.index,
            attempt: self.state.attempt,
            dialect: self.step.dialect,
            inputs,
            context: Arc::new(context),
            credential: auth.primary,
            aliases: auth.aliases,
            cancel: job.cancel.clone(),
            deadline,
            work_dir: config.work_dir.clone(),
            scratch_dir: config.scratch_dir.join(id.execution.to_string()),
            log: job.log(self.index),
            meter: job.meter.clone(),
        };
        match guarded(tool, fields, &ctx).await? {
            Ok(Output::Done { kind, value }) => Ok(done(kind, value)),
            Ok(Output::Sleep { seconds }) if seconds < SHORT_SLEEP => {
                self.wait(seconds).await?;
                Ok(done(ResultKind::Plain, json!({})))
            }
            Ok(Output::Sleep { seconds }) => {
                self.state.extra.insert("awaiting".into(), json!({"sleep": seconds}));
                Err(Stop::Parked(Wait::Timer { seconds }))
            }
            Ok(Output::Child(request)) => {
                self.state.extra.insert("awaiting".into(), json!({"child": request.path}));
                Err(Stop::Parked(Wait::Child(request)))
            }
            Err(Failure { mut error, kind, value }) => {
                if error.source.is_empty() {
                    tool.kind().clone_into(&mut error.source);
                }
                Ok(StepResult {
                    kind,
                    status: "FAILED".into(),
                    value: Stored::Inline(value),
                    error: Some(error),
                })
            }
        }
    }

    /// Inputs of this Task: those of a single tool yield to the Step's, those of a pipeline's task win.
    pub(super) async fn inputs_of(
        &self,
        task: &Task,
        changes: &Map,
        scope: &mut Scope,
    ) -> Result<Map, TaskError> {
        let mut inputs = self.inputs.clone();
        let mut own = self.base.map(self.job, scope, &task.inputs).await?;
        if TAKE_INPUTS.contains(&task.kind.as_str()) {
            self.whole_inputs(task, scope, &mut own).await?;
        }
        for (name, mut value) in own {
            if !self.step.pipeline && inputs.contains_key(&name) {
                continue;
            }
            self.job.reveal(&mut value);
            bind_input(scope, &name, &value);
            inputs.insert(name, value);
        }
        for key in ["args", "input", "inputs"] {
            for (name, value) in changes.get(key).and_then(Value::as_object).into_iter().flatten() {
                bind_input(scope, name, value);
                inputs.insert(name.clone(), value.clone());
            }
        }
        Ok(inputs)
    }

    /// Inputs written as one template that stands for all of them: `input: "{{ ctx.payload }}"`.
    async fn whole_inputs(&self, task: &Task, scope: &Scope, own: &mut Map) -> Result<(), TaskError> {
        for key in INPUTS {
            let Some(written) =
                task.config.get(key).filter(|written| written.is_string() && has_template(written))
            else {
                continue;
            };
            match self.base.value(self.job, scope, written).await? {
                Value::Null => {}
                Value::Object(values) => {
                    for (name, value) in values {
                        own.entry(name).or_insert(value);
                    }
                }
                other => {
                    let message =
                        format!("`{key}` of task {} is {}, not a map", task.name, fields::text(&other));
                    return Err(TaskError::new("config", message).with_code(Code::ToolInput.as_str()));
                }
            }
        }
        Ok(())
    }

    async fn auth_of(&self, task: &Task, tool: &str, scope: &mut Scope) -> Result<Auth, TaskError> {
        let Some(written) = &task.auth else { return Ok(Auth::default()) };
        let written = self.base.value(self.job, scope, written).await?;
        let chosen = match task.config.get("use_auth") {
            Some(alias) => Some(fields::text(&self.base.value(self.job, scope, alias).await?)),
            None => None,
        };
        let auth =
            auth::resolve(self.job, &written, Some(&self.base.keychain), tool, chosen.as_deref()).await?;
        scope.bind("auth", View::map(Arc::new(auth.fields())));
        Ok(auth)
    }

    /// The tool's own fields: code as it is, SQL and commands as text, the rest as what it means.
    async fn fields_of(
        &self,
        task: &Task,
        tool: &dyn AnyTool,
        scope: &Scope,
        auth: &Auth,
    ) -> Result<Map, TaskError> {
        let (job, base) = (self.job, self.base);
        let loaded;
        let config = match script::wanted(&task.config) {
            None => &task.config,
            Some(written) => {
                let written = base.value(job, scope, written).await?;
                let text = script::load(job, &written, auth).await?;
                loaded = script::replace(&task.config, tool.kind(), text);
                &loaded
            }
        };
        let config = script::decode(config, tool.kind())?;
        let mut fields = Map::new();
        for (key, value) in config.iter().filter(|(key, _)| *key != "use_auth") {
            let rendered = if tool.raw().contains(&key.as_str()) {
                value.clone()
            } else if tool.text().contains(&key.as_str()) {
                self.text(tool.kind(), value, scope).await?
            } else {
                base.value(job, scope, value).await?
            };
            fields.insert(key.clone(), rendered);
        }
        Ok(fields)
    }

    async fn text(&self, tool: &str, value: &Value, scope: &Scope) -> Result<Value, TaskError> {
        let (job, base) = (self.job, self.base);
        // Only SQL has comments that may hold braces.
        let render = match tool {
            "postgres" | "sqlite" => template::render_text,
            _ => template::render_plain,
        };
        match value {
            Value::String(text) if template::has_template(text) => {
                base.noted(job, scope, |scope| render(text, scope)).await.map(Value::String)
            }
            Value::Array(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for item in items {
                    rendered.push(match item {
                        Value::String(text) => {
                            Value::String(base.noted(job, scope, |scope| render(text, scope)).await?)
                        }
                        other => base.value(job, scope, other).await?,
                    });
                }
                Ok(Value::Array(rendered))
            }
            other => base.value(job, scope, other).await,
        }
    }

    /// The earlier of the Task's deadline and the Step's.
    async fn deadline_of(
        &self,
        task: &Task,
        scope: &Scope,
        tool: &str,
        fields: &mut Map,
    ) -> Result<Option<Instant>, TaskError> {
        let Some(written) = &task.timeout_seconds else { return Ok(self.deadline) };
        let written = self.base.value(self.job, scope, written).await?;
        let Some(seconds) = fields::seconds(&written) else {
            let message = format!("the timeout of task {} is {written}, not a duration", task.name);
            return Err(TaskError::new("config", message).with_code(Code::ToolInput.as_str()));
        };
        if tool == "http" {
            // Otherwise the tool's own default would be the shorter one.
            fields.entry("timeout").or_insert(seconds.into());
        }
        Ok([after(seconds), self.deadline].into_iter().flatten().min())
    }

    /// What code may look up by name; gathered only where the code can reach it.
    async fn context(&self, task: &Task) -> Result<Map, TaskError> {
        let code = task.config.get("code").and_then(Value::as_str);
        let reaches = |code: &str| code.contains("context") || code.contains("variables");
        if code.is_some_and(|code| self.step.dialect > Dialect::B && !reaches(code)) {
            return Ok(self.names.clone());
        }
        let mut context = self.base.context(self.job).await?;
        context.extend(self.inputs.clone());
        for (label, result) in &self.state.results {
            if let Stored::Inline(value) = &result.value {
                context.insert(label.clone(), value.clone());
            }
        }
        context.extend(self.state.ctx.clone());
        context.extend(self.names.clone());
        Ok(context)
    }

    /// What a parked Task waited for, once it is there.
    fn awaited(&mut self) -> Option<StepResult> {
        let wake = self.wake.take()?;
        let awaiting = self.state.extra.remove("awaiting")?;
        Some(match wake {
            Wake::Timer if awaiting.get("sleep").is_some() => done(ResultKind::Plain, json!({})),
            Wake::Timer => done(ResultKind::Plain, json!({"status": "timeout", "path": awaiting["child"]})),
            Wake::Child { execution_id, status, result } => child(&awaiting, execution_id, &status, result),
        })
    }

    /// The last touches on an outcome that depend on the Step it belongs to.
    fn settle(&self, task: &Task, mut outcome: StepResult) -> Arc<StepResult> {
        if let Stored::Inline(value) = &mut outcome.value {
            self.job.reveal(value);
            if outcome.error.is_none() && self.step.pipeline && task.kind == "python" && says_error(value) {
                let message = ["error", "message"].iter().find_map(|key| value.get(*key)).map(fields::text);
                let message = message.unwrap_or_else(|| format!("task {} returned status error", task.name));
                let mut error = TaskError::new("tool_error", message).with_code(Code::ToolFailed.as_str());
                task.kind.clone_into(&mut error.source);
                outcome.error = Some(error);
                outcome.status = "FAILED".into();
            }
            if let (Dialect::First, Value::Object(map)) = (self.step.dialect, value) {
                let exit_code = i32::from(outcome.error.is_some());
                map.entry("output")
                    .or_insert_with(|| json!({"exitCode": exit_code, "stdout": "", "stderr": ""}));
            }
        }
        Arc::new(outcome)
    }
}

fn says_error(value: &Value) -> bool {
    value.get("status").and_then(Value::as_str).is_some_and(|status| status.eq_ignore_ascii_case("error"))
}

fn done(kind: ResultKind, value: Value) -> StepResult {
    StepResult { kind, status: "COMPLETED".into(), value: Stored::Inline(value), error: None }
}

/// The outcome of a sub-playbook.
fn child(
    awaiting: &Value,
    id: noetl_domain::id::ExecutionId,
    status: &str,
    mut result: StepResult,
) -> StepResult {
    let path = fields::text(&awaiting["child"]);
    match status {
        "FAILED" | "CANCELLED" => {
            let reason =
                result.error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default();
            let message = format!("the sub-playbook {path} (execution {id}) ended {status}{reason}");
            let details = json!({"execution_id": id.to_string(), "status": status, "error": result.error});
            let mut error = TaskError::new("playbook", message)
                .with_code(Code::ChildFailed.as_str())
                .with_details(details);
            error.source = "playbook".into();
            StepResult { error: Some(error), status: "FAILED".into(), ..result }
        }
        _ => {
            if let (ResultKind::Plain, Stored::Inline(Value::Object(map))) = (result.kind, &mut result.value)
            {
                map.entry("_execution")
                    .or_insert_with(|| json!({"execution_id": id.to_string(), "status": status}));
            }
            StepResult { error: None, status: "COMPLETED".into(), ..result }
        }
    }
}

/// Lays the changes of a next page over the fields: maps are merged, everything else is replaced.
fn merge_changes(fields: &mut Map, changes: &Map) {
    for (key, change) in
        changes.iter().filter(|(key, _)| !matches!(key.as_str(), "args" | "input" | "inputs"))
    {
        if let (Some(Value::Object(known)), Value::Object(change)) = (fields.get_mut(key), change) {
            known.extend(change.clone());
            continue;
        }
        if key == "url" {
            fields.remove("endpoint");
        }
        fields.insert(key.clone(), change.clone());
    }
}

/// Runs a tool within its time, and keeps its panics from the worker.
pub(crate) async fn guarded(
    tool: &dyn AnyTool,
    fields: Map,
    ctx: &TaskContext,
) -> Result<Result<Output, Failure>, Stop> {
    let work = AssertUnwindSafe(tool.run(fields, ctx)).catch_unwind();
    let late = async {
        match ctx.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        answer = work => match answer {
            Ok(answer) => Ok(answer),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                let message = format!("the tool {} panicked, which is a bug of ours: {text}", tool.kind());
                Ok(Err(TaskError::new("internal", message).with_code(Code::Internal.as_str()).into()))
            }
        },
        () = ctx.cancel.cancelled() => Err(Stop::Cancelled),
        () = late => {
            let error = TaskError::new("timeout", format!("task {} took too long and was stopped", ctx.task))
                .with_code(Code::StepTimeout.as_str())
                .retryable();
            Err(Stop::Failed(Arc::new(failed(TaskError { source: tool.kind().into(), ..error }))))
        }
    }
}
