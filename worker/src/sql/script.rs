//! The SQL text of a task, however its fields are called.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use noetl_domain::Value;
use noetl_domain::error::TaskError;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Flavour;
use super::split::split;
use crate::fields;
use crate::tool::TaskContext;

/// Other names that serde reads [`Script`]'s fields under.
pub(crate) const SPELLINGS: &[(&str, &str)] = &[
    ("code", "command"),
    ("statements", "commands"),
    ("commands_b64", "command_b64"),
    ("query_b64", "command_b64"),
    ("parameters", "params"),
    ("timeout_seconds", "timeout"),
];

/// The fields that hold SQL: their templates give text, whatever it looks like.
pub(crate) const TEXT: &[&str] = &["command", "commands", "query", "sql", "statement", "statements", "code"];

/// SQL text in a task, under any of its names.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Script {
    /// SQL text; several statements are separated by semicolons.
    #[serde(alias = "code")]
    pub command: Option<Value>,
    /// A list of SQL texts.
    #[serde(alias = "statements")]
    pub commands: Option<Value>,
    /// The same as `command`.
    pub query: Option<Value>,
    /// The same as `command`.
    pub sql: Option<Value>,
    /// The same as `command`.
    pub statement: Option<Value>,
    /// SQL text in base64.
    #[serde(alias = "commands_b64", alias = "query_b64")]
    pub command_b64: Option<String>,
    /// A list for `$1`, `$2`, …, or a map for `:name`.
    #[serde(alias = "parameters")]
    pub params: Value,
    /// Rows as objects (default), or as lists of values.
    pub as_objects: Option<Value>,
    /// Seconds until the statement is cancelled.
    #[serde(alias = "timeout_seconds")]
    pub timeout: Option<Value>,
}

impl Script {
    /// The single statements, in order.
    pub fn statements(&self, tool: &str, flavour: Flavour) -> Result<Vec<String>, TaskError> {
        let wrong = |message: String| TaskError::new("config", message).with_code("TL002");
        let mut texts = Vec::new();
        if let Some(packed) = &self.command_b64 {
            let packed: String = packed.chars().filter(|c| !c.is_whitespace()).collect();
            let bytes = STANDARD
                .decode(packed)
                .map_err(|error| wrong(format!("command_b64 is not base64: {error}")))?;
            texts.push(String::from_utf8(bytes).map_err(|_| wrong("command_b64 is not UTF-8 text".into()))?);
        }
        let written = [&self.command, &self.commands, &self.query, &self.sql, &self.statement];
        for value in written.into_iter().flatten() {
            match value {
                Value::Array(items) => texts.extend(items.iter().map(fields::text)),
                other => texts.push(fields::text(other)),
            }
        }
        let statements: Vec<String> =
            texts.iter().flat_map(|text| split(text, flavour)).map(str::to_owned).collect();
        if statements.is_empty() {
            return Err(wrong(format!(
                "a {tool} task needs SQL: command, commands, query, sql or statement"
            )));
        }
        Ok(statements)
    }

    pub fn as_objects(&self) -> bool {
        self.as_objects
            .as_ref()
            .is_none_or(|value| !matches!(fields::text(value).as_str(), "false" | "False" | "0"))
    }

    pub fn deadline(&self, ctx: &TaskContext) -> Option<Instant> {
        let own = self.timeout.as_ref().and_then(fields::seconds);
        let own = own.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds.min(1e9)));
        [own, ctx.deadline].into_iter().flatten().min()
    }
}
