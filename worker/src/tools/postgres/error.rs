//! What PostgreSQL said, as a task's error.

use std::error::Error as _;

use noetl_domain::error::TaskError;
use serde_json::json;
use tokio_postgres::Error;
use tokio_postgres::error::ErrorPosition;

/// A statement that failed.
pub(super) fn of_statement(error: &Error, statement: &str, index: usize, place: &str) -> TaskError {
    let Some(said) = error.as_db_error() else { return lost(error, place) };
    let code = said.code().code();
    let mut message = format!("{} (SQLSTATE {code})", said.message());
    if index > 0 {
        message = format!("statement {}: {message}", index + 1);
    }
    if let Some(detail) = said.detail() {
        message = format!("{message}: {detail}");
    }
    let position = match said.position() {
        Some(ErrorPosition::Original(position)) => Some(*position),
        _ => None,
    };
    let task_error = TaskError::new("postgres", message).with_code(code).with_details(json!({
        "sqlstate": code,
        "severity": said.severity(),
        "detail": said.detail(),
        "hint": said.hint(),
        "table": said.table(),
        "constraint": said.constraint(),
        "position": position,
        "statement_index": index,
        "statement": shortened(statement),
    }));
    if is_transient(code) { task_error.retryable() } else { task_error }
}

/// A connection that could not be made.
pub(super) fn of_connect(error: &Error, place: &str) -> TaskError {
    match error.as_db_error() {
        Some(said) if said.code().code().starts_with("28") => {
            TaskError::new("auth", format!("PostgreSQL at {place} refused the login: {}", said.message()))
                .with_code(said.code().code())
        }
        Some(said) => {
            let code = said.code().code();
            let message =
                format!("cannot connect to PostgreSQL at {place}: {} (SQLSTATE {code})", said.message());
            let error = TaskError::new("connection", message).with_code(code);
            if is_transient(code) { error.retryable() } else { error }
        }
        None => TaskError::new(
            "connection",
            format!("cannot connect to PostgreSQL at {place}: {}", causes(error)),
        )
        .with_code("TL008")
        .retryable(),
    }
}

fn lost(error: &Error, place: &str) -> TaskError {
    let message = format!("the connection to PostgreSQL at {place} was lost: {}", causes(error));
    TaskError::new("connection", message).with_code("TL008").retryable()
}

/// Worth another try: serialisation failures, deadlocks, lost connections, a server that starts or stops or is full.
fn is_transient(sqlstate: &str) -> bool {
    sqlstate.starts_with("08")
        || matches!(sqlstate, "40001" | "40P01" | "53300" | "55P03" | "57P01" | "57P02" | "57P03")
}

fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn shortened(statement: &str) -> String {
    match statement.char_indices().nth(2000) {
        Some((end, _)) => format!("{}…", &statement[..end]),
        None => statement.to_owned(),
    }
}
