//! `python`: runs code in a warm interpreter, in every call convention of playbooks.md 14.2.

mod interpreter;
mod locate;
mod output;
mod pool;
mod protocol;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

pub use self::locate::{NotFound, Places};
pub use self::pool::{Call, Config, Failed, Finished, PythonPool};
use crate::fields;
use crate::tool::{Failure, Output, TaskContext, Tool};

/// Runs Python code. Clones of its pool also serve what else calls Python, such as `save` with backend python.
#[derive(Clone, Debug)]
pub struct Python {
    pool: PythonPool,
}

impl Python {
    pub fn new(pool: PythonPool) -> Self {
        Self { pool }
    }

    pub fn pool(&self) -> &PythonPool {
        &self.pool
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = spellings)]
pub struct Input {
    /// Python source: a `main` function, statements that set `result`, or a body that returns.
    #[serde(alias = "source")]
    #[schemars(with = "Option<String>")]
    pub code: Option<Value>,
    /// The same in base64.
    #[serde(alias = "code_base64")]
    pub code_b64: Option<String>,
    /// `{alias: module}`, `{Name: {from: module, import: Name}}`, or a list of packages that must be installed.
    pub libs: Value,
    /// Where else to find modules.
    pub deps: Option<Dependencies>,
    /// Environment variables for this task.
    pub env: Option<Map>,
    /// Working directory; relative to the worker's.
    pub cwd: Option<PathBuf>,
    /// Memory the task may take, in MiB.
    pub memory_mb: Option<Value>,
    /// CPU time the task may take.
    pub cpu_seconds: Option<Value>,
    /// Seconds until the task is stopped.
    #[serde(alias = "timeout_seconds")]
    pub timeout: Option<Value>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Dependencies {
    /// Packages that must be installed, as in a list of `libs`.
    pub packages: Vec<String>,
    /// A virtual environment whose packages are added.
    pub venv_path: Option<PathBuf>,
    /// Folders searched for modules first.
    pub sys_path: Vec<String>,
}

fn spellings(schema: &mut schemars::Schema) {
    crate::spellings::add(
        schema,
        &[("source", "code"), ("code_base64", "code_b64"), ("timeout_seconds", "timeout")],
    );
}

impl Tool for Python {
    const KIND: &'static str = "python";
    const ABOUT: &'static str =
        "Runs Python code: main(…), statements that set result, or a body that returns.";
    /// Python has braces of its own: f-strings, dictionaries in dictionaries.
    const RAW: &'static [&'static str] = &["code"];
    type Input = Input;

    fn warm(&self) {
        let pool = self.pool.clone();
        // Starting a process blocks for a moment; whoever starts the worker does not wait for it.
        tokio::task::spawn_blocking(move || pool.warm());
    }

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let code = source(&input)?;
        let limit = |name: &str, written: &Option<Value>, read: fn(&Value) -> Option<f64>| match written {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value).filter(|number| *number > 0.0) {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(format!("{name} is {value}, not a number above zero"))),
            },
        };
        let memory_mb = limit("memory_mb", &input.memory_mb, fields::number)?;
        let cpu_seconds = limit("cpu_seconds", &input.cpu_seconds, fields::seconds)?;
        let timeout = limit("timeout", &input.timeout, fields::seconds)?;
        let own_deadline = timeout.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds.min(1e9)));
        let deadline = [own_deadline, ctx.deadline].into_iter().flatten().min();

        let env: IndexMap<String, String> = input
            .env
            .iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), fields::text(value)))
            .collect();
        let cwd = input.cwd.filter(|path| !path.as_os_str().is_empty()).map(|path| ctx.work_dir.join(path));
        let deps = input.deps.unwrap_or_default();
        let libs = if deps.packages.is_empty() {
            input.libs
        } else {
            // Both kinds of wishes in one list.
            let mut list = deps.packages.into_iter().map(Value::String).collect::<Vec<_>>();
            match input.libs {
                Value::Null => {}
                Value::Array(items) => list.extend(items),
                other => list.push(other),
            }
            Value::Array(list)
        };
        let mut sys_path: Vec<String> =
            deps.sys_path.iter().map(|path| ctx.work_dir.join(path).to_string_lossy().into_owned()).collect();
        if let Some(venv) = deps.venv_path {
            sys_path.extend(packages_of(&ctx.work_dir.join(venv)));
        }
        let label =
            if ctx.task == ctx.step { ctx.step.clone() } else { format!("{}.{}", ctx.step, ctx.task) };

        let call = Call {
            label: &label,
            libs: &libs,
            env: &env,
            cwd: cwd.as_deref(),
            sys_path: &sys_path,
            memory_mb,
            cpu_seconds,
            deadline,
            value: ctx.index.and_then(|_| ctx.context.get("value")),
            in_loop: ctx.index.is_some(),
            ..Call::new(&code, &ctx.inputs, ctx)
        };
        match self.pool.call(call).await {
            Ok(Finished { value: Value::Null, stdout, stderr }) => {
                Ok(Output::plain(json!({ "stdout": stdout, "stderr": stderr })))
            }
            Ok(finished) => Ok(Output::plain(finished.value)),
            Err(failed) => {
                let mut failure = Failure::from(failed.error);
                failure.error.source = Self::KIND.into();
                failure.value = json!({ "stdout": failed.stdout, "stderr": failed.stderr });
                Err(failure)
            }
        }
    }
}

fn source(input: &Input) -> Result<String, TaskError> {
    if let Some(code) = input.code.as_ref().map(fields::text).filter(|code| !code.is_empty()) {
        return Ok(code);
    }
    if let Some(encoded) = &input.code_b64 {
        use base64::Engine;
        let packed: String = encoded.chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(packed)
            .map_err(|error| wrong(format!("code_b64 is not base64: {error}")))?;
        return String::from_utf8(bytes).map_err(|_| wrong("code_b64 is not UTF-8 text".into()));
    }
    Err(wrong("a python task needs code, code_b64 or script".into()))
}

fn wrong(message: String) -> TaskError {
    TaskError::new("config", message).with_code("TL002")
}

/// The package folders of a virtual environment.
fn packages_of(venv: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(venv.join("lib")) else { return Vec::new() };
    entries
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .filter(|path| path.is_dir())
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}
