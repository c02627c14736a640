//! `sqlite`: runs SQL on a file; without one, on a file that all steps of an execution share.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt;
use noetl_domain::Value;
use noetl_domain::error::TaskError;
use noetl_domain::result::ResultKind;
use noetl_domain::usage::Usage;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use sqlx::sqlite::{SqliteColumn, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _, ValueRef as _,
};

use crate::fields;
use crate::sql::Flavour;
use crate::sql::bind::{Params, bind_named, bind_positional, positions};
use crate::sql::literal::literal;
use crate::sql::script::{self, Script};
use crate::sql::shape::{Rows, StatementResult, combined};
use crate::sql::split::{changes_data, verb};
use crate::sql::together::Together;
use crate::stop::stopped;
use crate::tool::{Failure, Output, TaskContext, Tool};

/// How long a statement waits for another writer of the same file.
const BUSY: Duration = Duration::from_secs(30);
/// The file of an execution, in its scratch folder.
const SHARED_FILE: &str = "tables.sqlite";
/// Virtual machine steps between two looks at whether to stop.
const STEPS: i32 = 10_000;

#[derive(Clone, Copy, Debug, Default)]
pub struct Sqlite;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = spellings)]
pub struct Input {
    #[serde(flatten)]
    pub script: Script,
    /// The file, relative to the working directory; `:memory:` lasts as long as the task.
    /// Left out: one file per execution, which its steps share.
    #[serde(alias = "db_path", alias = "path", alias = "file", alias = "db_name")]
    pub database: Option<Value>,
}

fn spellings(schema: &mut schemars::Schema) {
    crate::spellings::add(schema, script::SPELLINGS);
    let files = ["db_path", "path", "file", "db_name"].map(|spelling| (spelling, "database"));
    crate::spellings::add(schema, &files);
}

impl Tool for Sqlite {
    const KIND: &'static str = "sqlite";
    const ABOUT: &'static str = "Runs SQL on a SQLite file, or on one that all steps of the execution share.";
    const TEXT: &'static [&'static str] = script::TEXT;
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let statements = input.script.statements(Self::KIND, Flavour::Sqlite)?;
        ctx.meter.add(Usage::given(statements.iter().map(String::len).sum()));
        let together = Together::of(&statements, ctx.dialect, Flavour::Sqlite);
        let params = Params::from(input.script.params.clone());
        let place = Place::of(&input, ctx);
        // Dropping the future, or leaving it for a timeout, must also end what runs in SQLite's own thread.
        let stop = Stop(Arc::default());
        let work = async {
            let mut connection = place.open(&stop).await?;
            let ran = execute(&mut connection, &statements, &params, together).await;
            let _ = connection.close().await;
            Ok::<_, TaskError>(ran)
        };
        let stopped = stopped("the sqlite task", input.script.deadline(ctx), &ctx.cancel);
        let ran = tokio::select! {
            ran = work => ran,
            error = stopped => Err(error),
        };
        let (value, error) = match ran {
            Ok((results, error)) => (combined(results, input.script.as_objects()), error),
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

/// Tells SQLite to stop when it is dropped.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Where the tables lie.
enum Place {
    Memory,
    File(PathBuf),
    /// The execution's own.
    Shared(PathBuf),
}

impl Place {
    fn of(input: &Input, ctx: &TaskContext) -> Self {
        let from_credential = || {
            let data = &ctx.credential.as_ref()?.data;
            ["database", "db_path", "path", "db_name"].iter().find_map(|name| data.get(*name))
        };
        let written = input.database.as_ref().filter(|value| !value.is_null()).or_else(from_credential);
        let written = written.map(fields::text).unwrap_or_default();
        let path = written.trim().trim_start_matches("sqlite://").trim_start_matches("sqlite:");
        match path {
            "" => Self::Shared(ctx.scratch_dir.join(SHARED_FILE)),
            ":memory:" => Self::Memory,
            path => Self::File(ctx.work_dir.join(path)),
        }
    }

    async fn open(&self, stop: &Stop) -> Result<SqliteConnection, TaskError> {
        // SQLite's own default; a script turns foreign keys on by pragma.
        let options =
            SqliteConnectOptions::new().busy_timeout(BUSY).foreign_keys(false).create_if_missing(true);
        let (options, path) = match self {
            Self::Memory => (options.in_memory(true), None),
            Self::File(path) => (options.filename(path), Some(path)),
            Self::Shared(path) => {
                if let Some(folder) = path.parent() {
                    tokio::fs::create_dir_all(folder).await.map_err(|error| cannot_open(path, &error))?;
                }
                (options.filename(path).journal_mode(SqliteJournalMode::Wal), Some(path))
            }
        };
        let failed = |error: sqlx::Error| match path {
            Some(path) => cannot_open(path, &error),
            None => TaskError::new("sqlite", error.to_string()),
        };
        let mut connection = options.disable_statement_logging().connect().await.map_err(failed)?;
        let flag = Arc::clone(&stop.0);
        let mut handle = connection.lock_handle().await.map_err(failed)?;
        handle.set_progress_handler(STEPS, move || !flag.load(Ordering::Relaxed));
        drop(handle);
        Ok(connection)
    }
}

fn cannot_open(path: &std::path::Path, error: &dyn std::fmt::Display) -> TaskError {
    TaskError::new("connection", format!("cannot open the SQLite file {}: {error}", path.display()))
        .with_code("TL008")
}

async fn execute(
    connection: &mut SqliteConnection,
    statements: &[String],
    params: &Params,
    together: Together,
) -> (Vec<StatementResult>, Option<TaskError>) {
    let mut results = Vec::with_capacity(statements.len());
    let mut first = None;
    if together == Together::Atomic
        && let Err(error) = run(connection, "BEGIN IMMEDIATE", &Params::None).await
    {
        return (results, Some(error.into_error("BEGIN IMMEDIATE", 0)));
    }
    for (index, statement) in statements.iter().enumerate() {
        match run(connection, statement, params).await {
            Ok(result) => results.push(result),
            Err(refused) => {
                let error = refused.into_error(statement, index);
                let shown = Some((error.message.clone(), error.code.clone()));
                results.push(StatementResult { error: shown, ..StatementResult::default() });
                first.get_or_insert(error);
                if together != Together::Onward {
                    break;
                }
            }
        }
    }
    if together == Together::Atomic {
        let end = if first.is_some() { "ROLLBACK" } else { "COMMIT" };
        if let Err(refused) = run(connection, end, &Params::None).await {
            first.get_or_insert(refused.into_error(end, 0));
        }
    }
    (results, first)
}

enum Refused {
    Database(sqlx::Error),
    Params(String),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Refused {
    fn into_error(self, statement: &str, index: usize) -> TaskError {
        let error = match self {
            Self::Params(message) => return TaskError::new("sqlite", message).with_code("TL002"),
            Self::Database(error) => error,
        };
        let said = error.as_database_error();
        let code = said.and_then(sqlx::error::DatabaseError::code).map(Cow::into_owned).unwrap_or_default();
        let message = said.map_or_else(|| error.to_string(), |said| said.message().to_owned());
        let message = if index > 0 { format!("statement {}: {message}", index + 1) } else { message };
        let shown: String = statement.chars().take(2000).collect();
        // The low byte is the plain code: 5 is a busy file, 6 a locked table.
        let busy = code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6));
        let error = TaskError::new("sqlite", message)
            .with_code(code)
            .with_details(json!({ "statement": shown, "statement_index": index }));
        if busy { error.retryable() } else { error }
    }
}

async fn run(
    connection: &mut SqliteConnection,
    statement: &str,
    params: &Params,
) -> Result<StatementResult, Refused> {
    let text = bound(statement, params)?;
    let verb = verb(statement, Flavour::Sqlite);
    let changes = changes_data(statement, &verb, Flavour::Sqlite);
    let prepared = connection.prepare(AssertSqlSafe(text.clone()).into_sql_str()).await?;
    let columns: Vec<String> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    let mut rows = (!columns.is_empty()).then(|| Rows { columns, values: Vec::new() });
    let mut affected = 0;
    let mut stream = sqlx::raw_sql(AssertSqlSafe(text)).fetch_many(connection);
    while let Some(step) = stream.try_next().await? {
        match step {
            Either::Left(done) => affected = done.rows_affected(),
            Either::Right(row) => {
                if let Some(rows) = &mut rows {
                    rows.values.push(values(&row)?);
                }
            }
        }
    }
    Ok(StatementResult { rows, affected: if changes { affected } else { 0 }, changes, verb, error: None })
}

fn bound(statement: &str, params: &Params) -> Result<String, Refused> {
    match params {
        Params::None => Ok(statement.to_owned()),
        Params::Named(values) => Ok(bind_named(statement, values, Flavour::Sqlite)),
        Params::Positional(values) => {
            let wanted = positions(statement, Flavour::Sqlite);
            if wanted > values.len() {
                let message = format!("the statement uses {wanted} params, but there are {}", values.len());
                return Err(Refused::Params(message));
            }
            Ok(bind_positional(statement, Flavour::Sqlite, |at| Some(literal(&values[at], Flavour::Sqlite))))
        }
    }
}

fn values(row: &SqliteRow) -> Result<Vec<Value>, sqlx::Error> {
    row.columns().iter().enumerate().map(|(at, column)| value(row, at, column)).collect()
}

/// By the type of the value itself; only a declared BOOLEAN says more than that.
fn value(row: &SqliteRow, at: usize, column: &SqliteColumn) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INTEGER" => {
            let whole: i64 = row.try_get_unchecked(at)?;
            if column.type_info().name() == "BOOLEAN" && matches!(whole, 0 | 1) {
                (whole == 1).into()
            } else {
                whole.into()
            }
        }
        "REAL" => {
            let float: f64 = row.try_get_unchecked(at)?;
            serde_json::Number::from_f64(float).map_or_else(|| float.to_string().into(), Value::Number)
        }
        "BLOB" => STANDARD.encode(row.try_get_unchecked::<Vec<u8>, _>(at)?).into(),
        _ => row.try_get_unchecked::<String, _>(at)?.into(),
    })
}
