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

use noetl_domain::Value;
use noetl_domain::error::TaskError;
use noetl_domain::result::ResultKind;
use noetl_domain::usage::Usage;
use schemars::JsonSchema;
use serde::Deserialize;

use self::execute::execute;
use self::pool::Connections;
pub use self::target::Fields;
use self::target::Target;
use crate::sql::Flavour;
use crate::sql::bind::Params;
use crate::sql::literal::name;
use crate::sql::script::{self, Script};
use crate::sql::shape::combined;
use crate::sql::together::Together;
use crate::stop::stopped;
use crate::tool::{Failure, Output, TaskContext, Tool};

/// Runs SQL on PostgreSQL. Clones share their connections.
#[derive(Clone, Debug, Default)]
pub struct Postgres {
    connections: Connections,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = spellings)]
pub struct Input {
    #[serde(flatten)]
    pub script: Script,
    /// Schema to look names up in, before public.
    pub schema: Option<String>,
    #[serde(flatten)]
    pub connection: Fields,
}

fn spellings(schema: &mut schemars::Schema) {
    crate::spellings::add(schema, script::SPELLINGS);
    crate::spellings::add(schema, target::SPELLINGS);
}

impl Tool for Postgres {
    const KIND: &'static str = "postgres";
    const ABOUT: &'static str =
        "Runs SQL on PostgreSQL and returns rows, counts and one result per statement.";
    const TEXT: &'static [&'static str] = script::TEXT;
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let statements = input.script.statements(Self::KIND, Flavour::Postgres)?;
        ctx.meter.add(Usage::given(statements.iter().map(String::len).sum()));
        let target = Target::new(&input.connection, ctx.credential.as_ref())?;
        let params = Params::from(input.script.params.clone());
        let together = Together::of(&statements, ctx.dialect, Flavour::Postgres);
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
