//! Warm interpreters: started ahead, reused one task at a time, replaced when worn, ended when a task must stop.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::Dialect;
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::interpreter::{Broken, Ending, Interpreter};
use super::locate::{NotFound, Places};
use super::output::Captured;
use super::protocol::{Raised, Reply, Request};
use crate::meter::Meter;
use crate::stop::stopped;
use crate::tool::{Log, TaskContext};

/// How many interpreters there are, and when one is replaced. The default looks for Python where the environment says.
#[derive(Clone, Debug)]
pub struct Config {
    /// `NOETL_PYTHON`, or python3 on the search path.
    pub places: Places,
    /// Tasks that run side by side at most (`NOETL_PYTHON_POOL`).
    pub size: usize,
    /// Tasks after which an interpreter is replaced.
    pub tasks_per_interpreter: u32,
    /// Resident memory above which an interpreter is replaced.
    pub resident_bytes: u64,
    /// Idle interpreters beyond the first end after this time.
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            places: Places::from_env(),
            size: 32,
            tasks_per_interpreter: 10_000,
            resident_bytes: 512 << 20,
            idle: Duration::from_mins(1),
        }
    }
}

impl Config {
    pub fn from_env() -> Self {
        let written = std::env::var("NOETL_PYTHON_POOL").ok().and_then(|text| text.trim().parse().ok());
        let default = Self::default();
        Self { size: written.unwrap_or(default.size).max(1), ..default }
    }
}

/// A cheap handle; clones share the interpreters.
#[derive(Clone, Debug)]
pub struct PythonPool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    program: Result<PathBuf, NotFound>,
    /// The last one used comes first again, so that the others can grow old and end.
    idle: Mutex<Vec<Interpreter>>,
    slots: Semaphore,
}

/// One call of Python code: everything a task says about it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Stands for the file name in tracebacks.
    pub label: &'a str,
    pub code: &'a str,
    pub inputs: &'a Map,
    /// Prior results and variables by name.
    pub context: &'a Map,
    pub execution: u64,
    pub dialect: Dialect,
    /// The loop's current element, bound as `value`.
    pub value: Option<&'a Value>,
    /// The context names the current element: `main` may ask for it by name.
    pub in_loop: bool,
    pub libs: &'a Value,
    pub env: &'a IndexMap<String, String>,
    pub cwd: Option<&'a Path>,
    pub work_dir: &'a Path,
    pub sys_path: &'a [String],
    pub memory_mb: Option<f64>,
    pub cpu_seconds: Option<f64>,
    pub deadline: Option<Instant>,
    pub cancel: &'a CancellationToken,
    pub log: &'a Log,
    pub meter: &'a Meter,
}

impl<'a> Call<'a> {
    /// A call on behalf of a task, without any of the optional surroundings.
    pub fn new(code: &'a str, inputs: &'a Map, ctx: &'a TaskContext) -> Self {
        static NO_ENV: std::sync::LazyLock<IndexMap<String, String>> =
            std::sync::LazyLock::new(IndexMap::new);
        Self {
            label: &ctx.task,
            code,
            inputs,
            context: &ctx.context,
            execution: ctx.execution.0,
            dialect: ctx.dialect,
            value: None,
            in_loop: false,
            libs: &Value::Null,
            env: &NO_ENV,
            cwd: None,
            work_dir: &ctx.work_dir,
            sys_path: &[],
            memory_mb: None,
            cpu_seconds: None,
            deadline: ctx.deadline,
            cancel: &ctx.cancel,
            log: &ctx.log,
            meter: &ctx.meter,
        }
    }

    fn request<'r>(&'r self, inputs: &'r RawValue) -> Request<'r> {
        let searches = (self.dialect <= Dialect::B || self.in_loop) && self.code.contains("main");
        // A whole context can be large: it travels only when the code can name it.
        let reads_context = searches || self.code.contains("context") || self.code.contains("variables");
        Request {
            name: self.label,
            code: self.code,
            inputs,
            context: reads_context.then_some(self.context),
            value: self.value,
            execution_id: self.execution.to_string(),
            plain_rows: self.dialect == Dialect::C,
            search_context: searches,
            libs: self.libs,
            env: self.env,
            cwd: self.cwd,
            work_dir: self.work_dir,
            sys_path: self.sys_path,
            memory_mb: self.memory_mb,
            cpu_seconds: self.cpu_seconds,
        }
    }
}

/// What came of a call that ran to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Null when the code had no result.
    pub value: Value,
    pub stdout: String,
    pub stderr: String,
}

/// A call that failed, with what it printed until then.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    pub error: TaskError,
    pub stdout: String,
    pub stderr: String,
}

impl From<TaskError> for Failed {
    fn from(error: TaskError) -> Self {
        Self { error, stdout: String::new(), stderr: String::new() }
    }
}

impl PythonPool {
    pub fn new(config: Config) -> Self {
        let program = config.places.interpreter();
        let slots = Semaphore::new(config.size.max(1));
        Self(Arc::new(Shared { config, program, idle: Mutex::default(), slots }))
    }

    /// Starts an interpreter ahead of the first task; needs a Tokio runtime, does not wait, and cannot fail:
    /// the first task tells what is wrong.
    pub fn warm(&self) {
        if let Ok(interpreter) = self.start() {
            self.idle(|idle| idle.push(interpreter));
        }
    }

    /// Runs code in an interpreter of its own. Dropping the future ends the interpreter.
    pub async fn call(&self, call: Call<'_>) -> Result<Finished, Failed> {
        let stopped = stopped("the python code", call.deadline, call.cancel);
        tokio::pin!(stopped);
        let slot = tokio::select! {
            slot = self.0.slots.acquire() => slot,
            error = &mut stopped => return Err(error.into()),
        };
        // The semaphore is never closed; if it were, running without a slot is the lesser harm.
        let _slot = slot.ok();
        let unsent = |error| TaskError::new("python", format!("the inputs cannot be sent: {error}"));
        // On their own first, which tells how large they are.
        let inputs = to_raw_value(call.inputs).map_err(unsent)?;
        call.meter.add(Usage::given(if call.inputs.is_empty() { 0 } else { inputs.get().len() }));
        let request = serde_json::to_vec(&call.request(&inputs)).map_err(unsent)?;
        drop(inputs);

        let mut stdout = Captured::stdout(call.log);
        let mut stderr = Captured::stderr(call.log);
        let mut again = true;
        let answer = loop {
            let mut interpreter = self.take()?;
            let answer = tokio::select! {
                answer = interpreter.exchange(&request, &mut stdout, &mut stderr) => answer,
                error = &mut stopped => {
                    drop(interpreter);
                    return Err(Failed { error, stdout: stdout.finish(), stderr: stderr.finish() });
                }
            };
            match answer {
                Ok(answer) => break Ok((interpreter, answer)),
                // It died while it was idle.
                Err(Broken::NotSent(_)) if again => again = false,
                Err(broken) => break Err((interpreter, broken)),
            }
        };
        let read = match answer {
            Ok((interpreter, answer)) => {
                let reply = serde_json::from_slice::<Reply>(&answer);
                call.meter.add(reply.as_ref().map(|reply| reply.usage).unwrap_or_default());
                let worn = reply.as_ref().is_ok_and(|reply| reply.worn);
                self.give_back(interpreter, worn, request.len() + answer.len());
                reply.map_err(|error| TaskError::new("python", format!("the result cannot be read: {error}")))
            }
            Err((interpreter, broken)) => Err(died(&broken, interpreter.post_mortem().await, &call)),
        };
        let (stdout, stderr) = (stdout.finish(), stderr.finish());
        match read {
            Ok(Reply { error: None, result, .. }) => Ok(Finished { value: result, stdout, stderr }),
            Ok(Reply { error: Some(raised), .. }) => {
                Err(Failed { error: raised.into_error(&call), stdout, stderr })
            }
            Err(error) => Err(Failed { error, stdout, stderr }),
        }
    }

    fn take(&self) -> Result<Interpreter, TaskError> {
        while let Some(mut interpreter) = self.idle(Vec::pop) {
            if interpreter.is_alive() {
                return Ok(interpreter);
            }
        }
        self.start()
    }

    fn start(&self) -> Result<Interpreter, TaskError> {
        let program = self
            .0
            .program
            .as_ref()
            .map_err(|missing| TaskError::new("config", missing.to_string()).with_code("TL004"))?;
        Interpreter::spawn(program).map_err(|error| {
            let message = format!("the Python interpreter {} cannot be started: {error}", program.display());
            TaskError::new("config", message).with_code("TL004")
        })
    }

    fn give_back(&self, mut interpreter: Interpreter, worn: bool, transferred: usize) {
        let config = &self.0.config;
        // Looking at the memory costs more than a light task: look now and then, and after large data.
        let looks = interpreter.tasks.is_multiple_of(32) || transferred > 1 << 20;
        let worn = worn
            || interpreter.tasks >= config.tasks_per_interpreter
            || (looks && interpreter.resident_bytes().is_some_and(|bytes| bytes > config.resident_bytes));
        if worn {
            drop(interpreter);
            if self.idle(|idle| idle.is_empty()) {
                self.warm();
            }
            return;
        }
        interpreter.idle_since = Instant::now();
        let expired = self.idle(|idle| {
            let keep =
                idle.iter().position(|one| one.idle_since.elapsed() < config.idle).unwrap_or(idle.len());
            let expired: Vec<Interpreter> = idle.drain(..keep).collect();
            idle.push(interpreter);
            expired
        });
        drop(expired);
    }

    fn idle<R>(&self, change: impl FnOnce(&mut Vec<Interpreter>) -> R) -> R {
        change(&mut self.0.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn died(broken: &Broken, ending: Ending, call: &Call<'_>) -> TaskError {
    let how = match ending {
        Ending::CpuLimit => return cpu_limit(call),
        Ending::Signal("SIGKILL") => "it was killed (SIGKILL), perhaps because memory ran out".to_owned(),
        Ending::Signal(signal) => format!("signal {signal}"),
        Ending::Exit(code) => format!("exit status {code}"),
        Ending::Unknown => "it closed its channel".to_owned(),
    };
    let cause = std::error::Error::source(broken).map_or_else(String::new, ToString::to_string);
    TaskError::new("python", format!("{broken}: {how}"))
        .with_code("InterpreterDied")
        .with_details(serde_json::json!({ "exception": "InterpreterDied", "cause": cause }))
}

fn cpu_limit(call: &Call<'_>) -> TaskError {
    let limit = call.cpu_seconds.unwrap_or_default();
    TaskError::new("resource_limit", format!("the python code used more than cpu_seconds: {limit}"))
        .with_code("TL007")
}

impl Raised {
    fn into_error(self, call: &Call<'_>) -> TaskError {
        use super::protocol::RaisedKind::{CpuLimit, MemoryLimit, MissingModule};
        let place = self.line.map_or_else(String::new, |line| format!(" (line {line})"));
        let said = if self.message.is_empty() {
            format!("{}{place}", self.exception)
        } else {
            format!("{}: {}{place}", self.exception, self.message)
        };
        let mut error = match self.kind {
            Some(CpuLimit) => cpu_limit(call),
            Some(MemoryLimit) => {
                let limit = call.memory_mb.unwrap_or_default();
                let message = format!("the python code used more than memory_mb: {limit}{place}");
                TaskError::new("resource_limit", message).with_code("TL007")
            }
            Some(MissingModule) => {
                let python = self.python.as_deref().unwrap_or("python3");
                let package = self.package.as_deref().or(self.module.as_deref()).unwrap_or_default();
                let message = format!("{said}; to install it, type: {python} -m pip install {package}");
                TaskError::new("python_missing_module", message).with_code(Code::PythonMissingModule.as_str())
            }
            None => TaskError::new("python", said).with_code(self.exception.clone()),
        };
        error.details = serde_json::json!({
            "exception": self.exception,
            "message": self.message,
            "line": self.line,
            "traceback": self.traceback,
            "exit_code": 1,
        });
        if let (Some(module), Some(details)) = (self.module, error.details.as_object_mut()) {
            details.insert("module".into(), module.into());
        }
        error
    }
}
