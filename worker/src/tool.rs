//! What a Tool is: a kind of work, with a typed input whose schema feeds docs, lint and forms.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;
use noetl_domain::error::TaskError;
use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::Dialect;
use noetl_domain::report::ChildRequest;
use noetl_domain::result::ResultKind;
use noetl_domain::{Map, Value};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::credential::Credential;
use crate::meter::Meter;

/// One kind of work. `Input` is read from the task's rendered fields.
pub trait Tool: Send + Sync + 'static {
    const KIND: &'static str;
    /// One line for `noetl tools` and for the model.
    const ABOUT: &'static str;
    /// Fields handed over as written, without rendering (program code, which has braces of its own).
    const RAW: &'static [&'static str] = &[];
    /// Fields rendered to text and never turned into other types (SQL, shell commands).
    const TEXT: &'static [&'static str] = &[];
    type Input: DeserializeOwned + JsonSchema + Send;

    /// Called once when a worker starts, for what is slow the first time. Must return at once.
    fn warm(&self) {}

    fn run(
        &self,
        input: Self::Input,
        ctx: &TaskContext,
    ) -> impl Future<Output = Result<Output, Failure>> + Send;
}

/// What a Tool returns when it succeeds.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Done {
        kind: ResultKind,
        value: Value,
    },
    /// Wait without holding the worker, then return `{}`.
    Sleep {
        seconds: f64,
    },
    /// Start a sub-playbook, wait for it without holding the worker, return its result.
    Child(ChildRequest),
}

impl Output {
    pub fn plain(value: Value) -> Self {
        Self::Done { kind: ResultKind::Plain, value }
    }
}

/// What a Tool returns when it fails: the error, and what it can still show.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub error: TaskError,
    pub kind: ResultKind,
    pub value: Value,
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self { error, kind: ResultKind::Plain, value: Value::Null }
    }
}

/// Everything a Tool may know about the Task it runs.
#[derive(Clone)]
pub struct TaskContext {
    pub execution: ExecutionId,
    pub step: String,
    pub task: String,
    pub run: u32,
    /// Iteration, inside a loop.
    pub index: Option<u64>,
    /// From 1.
    pub attempt: u32,
    pub dialect: Dialect,
    /// The Task's inputs, rendered.
    pub inputs: Map,
    /// Prior results and variables by name, for tools that hand a whole context to code.
    pub context: Arc<Map>,
    /// The credential that `auth` resolves to for a single-connection tool.
    pub credential: Option<Credential>,
    /// Every alias of `auth`, opened.
    pub aliases: IndexMap<String, Credential>,
    pub cancel: CancellationToken,
    pub deadline: Option<Instant>,
    /// Relative paths of scripts and database files start here.
    pub work_dir: PathBuf,
    /// Scratch space of this Execution on this worker.
    pub scratch_dir: PathBuf,
    pub log: Log,
    pub meter: Meter,
}

impl std::fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskContext")
            .field("execution", &self.execution)
            .field("step", &self.step)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

/// Takes the lines a Tool prints; they become log lines of the step, masked.
#[derive(Clone)]
pub struct Log(Arc<Sink>);

type Sink = dyn Fn(&str, &str, String) + Send + Sync;

impl Log {
    /// `sink(stream, level, text)`.
    pub fn new(sink: impl Fn(&str, &str, String) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    pub fn discard() -> Self {
        Self::new(|_, _, _| {})
    }

    pub fn line(&self, stream: &str, level: &str, text: impl Into<String>) {
        (self.0)(stream, level, text.into());
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}
