//! What tools printed. Not synced: losing the last lines in a power cut costs nothing that the log does not know.

use noetl_domain::Value;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Arguments as _, QueryBuilder, Row as _, Sqlite};

use super::super::Order;
use super::script::{Rows, Script};
use super::{LogQuery, Logged, SqliteStore, StoreError};

const LINES: Rows = Rows {
    before: "INSERT INTO log_row (execution_id, step, run, item, at_ms, stream, level, text, fields) VALUES ",
    row: "(?,?,?,?,?,?,?,?,?)",
    after: "",
};

pub(super) async fn append(store: &SqliteStore, lines: Vec<LogLine>) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let failed = |source| StoreError::failed("write log lines", source);
    let mut script = Script::begin_unsynced();
    script
        .rows(&LINES, lines, |arguments, line| {
            arguments.add(line.execution.0 as i64)?;
            arguments.add(line.step)?;
            arguments.add(line.run)?;
            arguments.add(line.index.map(|index| index as i64))?;
            arguments.add(line.at_ms)?;
            arguments.add(line.stream)?;
            arguments.add(line.level)?;
            arguments.add(line.text)?;
            arguments.add((!line.fields.is_null()).then(|| line.fields.to_string()))
        })
        .map_err(failed)?;
    let mut writer = store.writer.lock().await;
    let connection = writer.take_up().await.map_err(failed)?;
    script.commit(connection).await.map_err(failed)?;
    writer.settled();
    store.lines.notify_waiters();
    Ok(())
}

pub(super) async fn read(pool: &SqlitePool, query: LogQuery) -> Result<Vec<Logged>, StoreError> {
    let failed = |source| StoreError::failed("read log lines", source);
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM log_row WHERE execution_id = ");
    sql.push_bind(query.execution.0 as i64);
    sql.push(" AND id > ").push_bind(query.after as i64);
    if let Some(step) = query.step {
        sql.push(" AND step = ").push_bind(step);
    }
    if let Some(stream) = query.stream {
        sql.push(" AND stream = ").push_bind(stream);
    }
    sql.push(match query.order {
        Order::OldestFirst => " ORDER BY id ASC LIMIT ",
        Order::NewestFirst => " ORDER BY id DESC LIMIT ",
    });
    sql.push_bind(query.limit.unwrap_or(1000) as i64);
    let rows = sql.build().fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(|row| line(row).map_err(failed)).collect()
}

pub(super) fn line(row: &SqliteRow) -> Result<Logged, sqlx::Error> {
    let fields = match row.try_get::<Option<&str>, _>("fields")? {
        None => Value::Null,
        Some(text) => serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))?,
    };
    Ok(Logged {
        id: row.try_get::<i64, _>("id")? as u64,
        line: LogLine {
            execution: ExecutionId(row.try_get::<i64, _>("execution_id")? as u64),
            step: row.try_get("step")?,
            run: row.try_get("run")?,
            index: row.try_get::<Option<i64>, _>("item")?.map(|index| index as u64),
            at_ms: row.try_get("at_ms")?,
            stream: row.try_get("stream")?,
            level: row.try_get("level")?,
            text: row.try_get("text")?,
            fields,
        },
    })
}
