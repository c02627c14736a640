//! Runs the statements of one task over a connection.

use futures::TryStreamExt;
use noetl_domain::Value;
use noetl_domain::error::TaskError;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::error;
use super::pool::Session;
use super::values;
use crate::sql::Flavour::Postgres;
use crate::sql::bind::{Params, bind_named, bind_positional, positions};
use crate::sql::literal::quoted;
use crate::sql::shape::{Rows, StatementResult};
use crate::sql::split::{changes_data, has_word, verb};
use crate::sql::together::Together;

/// A larger answer is refused rather than held in memory.
const RESULT_BYTES: usize = 512 << 20;

/// What ran, and the first error.
pub(super) struct Ran {
    pub results: Vec<StatementResult>,
    pub error: Option<TaskError>,
}

pub(super) async fn execute(
    session: &mut Session,
    statements: &[String],
    params: &Params,
    together: Together,
    place: &str,
) -> Ran {
    let mut ran = Ran { results: Vec::with_capacity(statements.len()), error: None };
    if together == Together::Atomic
        && let Err(error) = simple(session, "BEGIN").await
    {
        ran.error = Some(error::of_statement(&error, "BEGIN", 0, place));
        return ran;
    }
    for (index, statement) in statements.iter().enumerate() {
        match run(session, statement, params).await {
            Ok(result) => ran.results.push(result),
            Err(failed) => {
                let error = match failed {
                    Refused::Server(error) => error::of_statement(&error, statement, index, place),
                    Refused::TooLarge => {
                        let message =
                            "the statement returns more than 512 MiB: select less, or read it in pages";
                        TaskError::new("postgres", message).with_code("TL007")
                    }
                    Refused::Params(message) => TaskError::new("postgres", message).with_code("TL002"),
                };
                ran.results.push(StatementResult {
                    error: Some((error.message.clone(), error.code.clone())),
                    ..StatementResult::default()
                });
                let lost = session.client().is_closed() || session.is_busy();
                ran.error.get_or_insert(error);
                if together != Together::Onward || lost {
                    break;
                }
            }
        }
    }
    if together == Together::Atomic && !session.is_busy() {
        let end = if ran.error.is_some() { "ROLLBACK" } else { "COMMIT" };
        // Deferred constraints speak up at the end.
        if let Err(error) = simple(session, end).await {
            ran.error.get_or_insert(error::of_statement(&error, end, 0, place));
        }
    }
    ran
}

enum Refused {
    Server(Error),
    /// The rest of the rows is still on its way: the connection cannot be used again.
    TooLarge,
    Params(String),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

async fn simple(session: &mut Session, statement: &str) -> Result<(), Error> {
    session.busy();
    let outcome = session.client().batch_execute(statement).await;
    session.idle();
    outcome
}

async fn run(session: &mut Session, statement: &str, params: &Params) -> Result<StatementResult, Refused> {
    let verb = verb(statement, Postgres);
    let changes = changes_data(statement, &verb, Postgres);
    session.busy();
    let outcome = fetch(session, statement, params, &verb).await;
    if !matches!(outcome, Err(Refused::TooLarge)) {
        session.idle();
    }
    let (rows, affected) = outcome?;
    Ok(StatementResult { affected: if changes { affected } else { 0 }, rows, changes, verb, error: None })
}

/// Rows arrive as text over the simple protocol, which writes every type there is;
/// what the columns are is asked at the same time, in the same round trip.
async fn fetch(
    session: &Session,
    statement: &str,
    params: &Params,
    verb: &str,
) -> Result<(Option<Rows>, u64), Refused> {
    let client = session.client();
    let bound;
    let text = match params {
        Params::Named(values) => {
            bound = bind_named(statement, values, Postgres);
            bound.as_str()
        }
        Params::Positional(values) if positions(statement, Postgres) > 0 => {
            let wanted = positions(statement, Postgres);
            if wanted > values.len() {
                let message = format!("the statement uses ${wanted}, but params has {} values", values.len());
                return Err(Refused::Params(message));
            }
            // The server says which type it reads each parameter as.
            let prepared = client.prepare(statement).await?;
            bound = bind_positional(statement, Postgres, |at| {
                let kind = prepared.params().get(at).unwrap_or(&Type::TEXT);
                let written = values::write(&values[at], kind);
                Some(written.map_or_else(|| "NULL".to_owned(), |text| quoted(&text, Postgres)))
            });
            bound.as_str()
        }
        _ => statement,
    };
    let types = async {
        if !returns_rows(verb, text) {
            return Ok(Vec::new());
        }
        let prepared = client.prepare(text).await?;
        Ok::<_, Error>(prepared.columns().iter().map(|column| column.type_().clone()).collect())
    };
    // Both are read side by side: rows that nobody takes would hold up the answer about the types.
    let (types, messages) = tokio::join!(types, collect(client, text));
    let types = types?;
    let mut found = None;
    let mut affected = 0;
    for message in messages? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                let columns = columns.iter().map(|column| column.name().to_owned()).collect();
                found = Some(Rows { columns, values: Vec::new() });
            }
            SimpleQueryMessage::Row(row) => {
                let width = row.columns().len();
                let mut values = Vec::with_capacity(width);
                for at in 0..width {
                    let text = row.try_get(at)?;
                    values.push(text.map_or(Value::Null, |text| values::read(text, types.get(at))));
                }
                if let Some(found) = &mut found {
                    found.values.push(values);
                }
            }
            SimpleQueryMessage::CommandComplete(count) => affected = count,
            _ => {}
        }
    }
    Ok((found, affected))
}

/// Takes every message of an answer, as long as it is not too large to keep.
async fn collect(client: &Client, text: &str) -> Result<Vec<SimpleQueryMessage>, Refused> {
    let stream = client.simple_query_raw(text).await?;
    tokio::pin!(stream);
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while let Some(message) = stream.try_next().await? {
        if let SimpleQueryMessage::Row(row) = &message {
            for at in 0..row.len() {
                bytes += row.try_get(at)?.map_or(0, str::len) + size_of::<Value>();
            }
        }
        if bytes > RESULT_BYTES {
            return Err(Refused::TooLarge);
        }
        messages.push(message);
    }
    Ok(messages)
}

fn returns_rows(verb: &str, statement: &str) -> bool {
    match verb {
        "SELECT" | "WITH" | "VALUES" | "TABLE" | "SHOW" | "EXPLAIN" | "FETCH" | "EXECUTE" | "CALL" => true,
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => has_word(statement, Postgres, &["RETURNING"]),
        _ => false,
    }
}
