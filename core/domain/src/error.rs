//! What went wrong in a Task, in the form that templates, policies, events and people read.

use serde::{Deserialize, Serialize};

use crate::Value;

/// The error of a Task or Step (playbooks.md 8.4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskError {
    /// `rate_limit`, `server_error`, `auth`, `not_found`, `client_error`, `timeout`, `connection`, `python`,
    /// `postgres`, `sqlite`, `shell`, `template`, `config`, `playbook`, `cancelled`, `lost`, `tool_error`, …
    pub kind: String,
    /// The tool's own code: a SQLSTATE, an exit status, an exception type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    pub message: String,
    pub retryable: bool,
    /// The tool kind that failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Traceback, response body, statement: whatever helps.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// What the worker adds: why no further try was made. The cause stays the message's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl TaskError {
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into(), ..Self::default() }
    }

    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

impl std::fmt::Display for TaskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
