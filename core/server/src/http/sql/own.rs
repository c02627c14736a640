//! Reads our own SQLite file: attached read-only as schema `noetl`, with limits on time, rows and bytes.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use noetl_api::sql::SqlResult;
use noetl_domain::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Row, TypeInfo, ValueRef};

use super::statement;
use crate::error::ServerError;

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) time: Duration,
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), rows: 10_000, bytes: 16 * 1024 * 1024 }
    }
}

/// Instructions of SQLite's machine between two looks at the clock.
const CLOCK_EVERY: i32 = 10_000;

/// Columns that hold JSON, which a Postgres would hand out as such.
const JSON_COLUMNS: [&str; 13] = [
    "context",
    "result",
    "meta",
    "payload",
    "data",
    "error",
    "labels",
    "capabilities",
    "runtime",
    "tags",
    "schema",
    "fields",
    "with_params",
];

pub(super) async fn read(
    file: &Path,
    sql: &str,
    parameters: &[Value],
    as_objects: bool,
    limits: Limits,
) -> Result<SqlResult, ServerError> {
    let sql = statement::check(sql)?;
    let mut connection = connect(file, Instant::now() + limits.time)
        .await
        .map_err(|error| ServerError::store("open the store for reading", error))?;
    let answer = run(&mut connection, sql, parameters, as_objects, limits).await;
    // Nothing was written, so nothing is lost when closing fails.
    let _ = connection.close().await;
    answer
}

async fn connect(file: &Path, deadline: Instant) -> Result<SqliteConnection, sqlx::Error> {
    let mut connection = SqliteConnectOptions::new().in_memory(true).connect().await?;
    sqlx::query("ATTACH DATABASE ? AS noetl").bind(uri(file)).execute(&mut connection).await?;
    sqlx::query("PRAGMA query_only = ON").execute(&mut connection).await?;
    connection.lock_handle().await?.set_progress_handler(CLOCK_EVERY, move || Instant::now() < deadline);
    Ok(connection)
}

fn uri(file: &Path) -> String {
    let path = file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?mode=ro")
}

async fn run(
    connection: &mut SqliteConnection,
    sql: &str,
    parameters: &[Value],
    as_objects: bool,
    limits: Limits,
) -> Result<SqlResult, ServerError> {
    // The text is the caller's on purpose: `statement::check` and the read-only connection bound what it can do.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for parameter in parameters {
        query = match parameter {
            Value::Null => query.bind(None::<String>),
            Value::Bool(value) => query.bind(*value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => query.bind(value),
                (None, value) => query.bind(value),
            },
            Value::String(text) => query.bind(text.clone()),
            other => query.bind(other.to_string()),
        };
    }
    let mut answer = SqlResult { status: "ok".to_owned(), ..SqlResult::default() };
    let mut bytes = 0;
    let mut rows = query.fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(|error| refused(&error, limits))? {
        if answer.columns.is_empty() {
            answer.columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
        }
        if answer.result.len() == limits.rows || bytes > limits.bytes {
            answer.truncated = true;
            break;
        }
        answer.result.push(show(&row, as_objects, &mut bytes));
    }
    answer.row_count = answer.result.len();
    Ok(answer)
}

fn refused(error: &sqlx::Error, limits: Limits) -> ServerError {
    let sqlx::Error::Database(database) = error else {
        return ServerError::invalid(format!("the query cannot be run: {error}"));
    };
    if database.message().contains("interrupted") {
        return ServerError::invalid(format!("the query took longer than {} s", limits.time.as_secs()))
            .hint("ask for less, or copy the database file and read that");
    }
    ServerError::invalid(format!("the query cannot be run: {}", database.message()))
        .hint("the store speaks SQLite's dialect; tables are noetl.event, noetl.execution, noetl.catalog, …")
}

fn show(row: &SqliteRow, as_objects: bool, bytes: &mut usize) -> Value {
    let cells = (0..row.len()).map(|index| (row.column(index).name(), cell(row, index, bytes)));
    if as_objects {
        Value::Object(cells.map(|(name, value)| (name.to_owned(), value)).collect::<Map>())
    } else {
        Value::Array(cells.map(|(_, value)| value).collect())
    }
}

/// Integers that JavaScript cannot hold are written as text, as ids are everywhere.
const SAFE: u64 = (1 << 53) - 1;

fn cell(row: &SqliteRow, index: usize, bytes: &mut usize) -> Value {
    let Ok(raw) = row.try_get_raw(index) else { return Value::Null };
    if raw.is_null() {
        return Value::Null;
    }
    *bytes += 8;
    match raw.type_info().name() {
        "INTEGER" => match row.try_get_unchecked::<i64, _>(index) {
            Ok(number) if number.unsigned_abs() > SAFE => number.to_string().into(),
            Ok(number) => number.into(),
            Err(_) => Value::Null,
        },
        "REAL" => row.try_get_unchecked::<f64, _>(index).map_or(Value::Null, Into::into),
        "BLOB" => {
            let blob: Vec<u8> = row.try_get_unchecked(index).unwrap_or_default();
            *bytes += blob.len() * 4 / 3;
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, blob).into()
        }
        _ => {
            let text: String = row.try_get_unchecked(index).unwrap_or_default();
            *bytes += text.len();
            json(row.column(index).name(), &text).unwrap_or_else(|| text.into())
        }
    }
}

fn json(column: &str, text: &str) -> Option<Value> {
    if !JSON_COLUMNS.contains(&column) || !text.starts_with(['{', '[', '"']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("odd name%?.db");
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        let mut connection = options.connect().await.expect("a database");
        for statement in [
            "CREATE TABLE event (execution_id INTEGER, status TEXT, result TEXT, blob BLOB)",
            "INSERT INTO event VALUES (9007199254740993, 'COMPLETED', '{\"a\":1}', x'00ff'), (2, 'FAILED', NULL, NULL)",
        ] {
            sqlx::query(statement).execute(&mut connection).await.expect("SQL");
        }
        (directory, file)
    }

    async fn ask(
        file: &Path,
        sql: &str,
        parameters: &[Value],
        limits: Limits,
    ) -> Result<SqlResult, ServerError> {
        read(file, sql, parameters, true, limits).await
    }

    #[tokio::test]
    async fn rows_come_out_as_a_postgres_would_show_them() {
        let (_directory, file) = file().await;
        let sql = "SELECT * FROM noetl.event WHERE status = $1";
        let answer = ask(&file, sql, &[json!("COMPLETED")], Limits::default()).await.expect("rows");
        assert_eq!(
            answer.result,
            [
                json!({"execution_id": "9007199254740993", "status": "COMPLETED", "result": {"a": 1}, "blob": "AP8="})
            ]
        );
        let lists =
            read(&file, "select 1, 'x', null from event", &[], false, Limits::default()).await.expect("rows");
        assert_eq!(lists.result, [json!([1, "x", null]), json!([1, "x", null])]);
    }

    #[tokio::test]
    async fn rows_bytes_and_time_are_bounded() {
        let (_directory, file) = file().await;
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        let few = Limits { rows: 3, ..Limits::default() };
        let answer = ask(&file, endless, &[], few).await.expect("rows");
        assert_eq!((answer.row_count, answer.truncated), (3, true));
        let small = Limits { bytes: 1000, ..Limits::default() };
        assert!(ask(&file, endless, &[], small).await.expect("rows").row_count < 200);
        let short = Limits { time: Duration::from_millis(50), ..Limits::default() };
        let counted = endless.replace("SELECT i FROM n", "SELECT count(*) FROM n");
        let error = ask(&file, &counted, &[], short).await.expect_err("too slow");
        assert!(error.detail.contains("longer"), "{error}");
    }

    #[tokio::test]
    async fn nothing_can_be_written() {
        let (_directory, file) = file().await;
        for sql in [
            "WITH x AS (SELECT 1) INSERT INTO noetl.event SELECT 1, 'x', NULL, NULL",
            "WITH x AS (SELECT 1) DELETE FROM noetl.event",
            "SELECT load_extension('/tmp/x.so')",
            "SELECT * FROM nowhere",
            "SELECT",
        ] {
            let error = ask(&file, sql, &[], Limits::default()).await.expect_err(sql);
            assert_eq!(error.code, noetl_domain::code::Code::InvalidRequest, "{sql}");
        }
        let rows =
            ask(&file, "SELECT count(*) AS n FROM noetl.event", &[], Limits::default()).await.expect("rows");
        assert_eq!(rows.result, [json!({"n": 2})]);
    }
}
