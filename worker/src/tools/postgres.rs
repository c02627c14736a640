//! `postgres`: runs SQL, one statement or many, and returns the combined result of playbooks.md 14.3.
//!
//! tokio-postgres rather than sqlx: it has the simple query protocol, which returns every type as text, so that a column
//! of any type, even of an extension, can be shown; and it names the types of parameters and columns of a statement
//! it has never seen. Parameters are written into the statement as literals of the type the server expects.

mod error;
mod execute;
mod pool;
mod target;
#[cfg(test)]
mod tests;
mod tls;
mod values;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use noetl_domain::Value;
use noetl_domain::error::TaskError;
use noetl_domain::result::ResultKind;
use schemars::JsonSchema;
use serde::Deserialize;

use self::execute::{execute, together};
use self::pool::Connections;
pub use self::target::Fields;
use self::target::Target;
use crate::fields;
use crate::sql::Flavour;
use crate::sql::bind::Params;
use crate::sql::literal::name;
use crate::sql::shape::combined;
use crate::sql::split::split;
use crate::stop::stopped;
use crate::tool::{Failure, Output, TaskContext, Tool};

/// Runs SQL on PostgreSQL. Clones share their connections.
#[derive(Clone, Debug, Default)]
pub struct Postgres {
    connections: Connections,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Input {
    #[serde(flatten)]
    pub script: Script,
    /// Schema to look names up in, before public.
    pub schema: Option<String>,
    #[serde(flatten)]
    pub connection: Fields,
}

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
    pub(crate) fn statements(&self, tool: &str, flavour: Flavour) -> Result<Vec<String>, TaskError> {
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

    pub(crate) fn as_objects(&self) -> bool {
        self.as_objects
            .as_ref()
            .is_none_or(|value| !matches!(fields::text(value).as_str(), "false" | "False" | "0"))
    }

    pub(crate) fn deadline(&self, ctx: &TaskContext) -> Option<Instant> {
        let own = self.timeout.as_ref().and_then(fields::seconds);
        let own = own.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds.min(1e9)));
        [own, ctx.deadline].into_iter().flatten().min()
    }
}

impl Tool for Postgres {
    const KIND: &'static str = "postgres";
    const ABOUT: &'static str =
        "Runs SQL on PostgreSQL and returns rows, counts and one result per statement.";
    const TEXT: &'static [&'static str] = &["command", "commands", "query", "sql", "statement"];
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let statements = input.script.statements(Self::KIND, Flavour::Postgres)?;
        let target = Target::new(&input.connection, ctx.credential.as_ref())?;
        let params = Params::from(input.script.params.clone());
        let together = together(&statements, ctx.dialect);
        let schema = input.schema.filter(|schema| !schema.trim().is_empty());
        let work = async {
            let mut session = self.connections.take(&target, &ctx.log).await?;
            if let Some(schema) = &schema {
                let path = format!("SET search_path TO {}, public", name(schema));
                session
                    .client()
                    .batch_execute(&path)
                    .await
                    .map_err(|e| error::of_statement(&e, &path, 0, &target.place))?;
            }
            Ok::<_, TaskError>(execute(&mut session, &statements, &params, together, &target.place).await)
        };
        let stopped = stopped("the postgres task", input.script.deadline(ctx), &ctx.cancel);
        let ran = tokio::select! {
            ran = work => ran,
            error = stopped => Err(error),
        };
        let (value, error) = match ran {
            Ok(ran) => (combined(ran.results, input.script.as_objects()), ran.error),
            Err(error) => (Value::Null, Some(error)),
        };
        match error {
            None => Ok(Output::Done { kind: ResultKind::Sql, value }),
            Some(mut error) => {
                error.source = Self::KIND.into();
                let kind = if value.is_null() { ResultKind::Plain } else { ResultKind::Sql };
                Err(Failure { error, kind, value })
            }
        }
    }
}
