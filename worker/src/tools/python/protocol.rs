//! What the worker and the runner say to each other.

use std::path::Path;

use indexmap::IndexMap;
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One task for the runner.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub name: &'a str,
    pub code: &'a str,
    pub inputs: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<&'a Map>,
    /// The loop's current element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'a Value>,
    pub execution_id: String,
    /// SQL results arrive as plain lists of rows (generation C).
    pub plain_rows: bool,
    /// Parameters of `main` are looked up in the context too (generations up to B, and loops).
    pub search_context: bool,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub libs: &'a Value,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub env: &'a IndexMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<&'a Path>,
    pub work_dir: &'a Path,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub sys_path: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    #[serde(default)]
    pub result: Value,
    pub error: Option<Raised>,
    /// The interpreter should not run another task.
    #[serde(default)]
    pub worn: bool,
    /// Of the task, as the interpreter saw it.
    #[serde(default)]
    pub usage: Usage,
}

/// An exception that ended a task.
#[derive(Debug, Deserialize)]
pub(super) struct Raised {
    #[serde(rename = "type")]
    pub exception: String,
    pub message: String,
    pub line: Option<u64>,
    pub traceback: String,
    pub kind: Option<RaisedKind>,
    pub module: Option<String>,
    pub package: Option<String>,
    /// The interpreter's own path.
    pub python: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RaisedKind {
    MissingModule,
    MemoryLimit,
    CpuLimit,
}
