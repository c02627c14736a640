//! A transaction as few, reusable texts: rows go in multi-row statements, statements go together while they are small.
//!
//! Handing a text to the connection's thread costs more than running a small statement, and preparing one costs as
//! much as running it; so row counts are cut into powers of two, and equal texts hit the statement cache.

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Executor as _, SqliteConnection};

/// Rows in the largest statement.
const LARGEST: usize = 64;

/// A text is handed over once it has this many rows.
const TOGETHER: usize = 32;

pub(super) struct Script {
    texts: Vec<Text>,
    open: Text,
    end: &'static str,
}

#[derive(Default)]
struct Text {
    sql: String,
    arguments: SqliteArguments,
    rows: usize,
}

/// A statement that takes any number of rows.
pub(super) struct Rows {
    pub(super) before: &'static str,
    /// One row's placeholders, such as `(?,?)`.
    pub(super) row: &'static str,
    pub(super) after: &'static str,
}

impl Script {
    pub(super) fn begin() -> Self {
        Self::new("BEGIN IMMEDIATE;", "COMMIT;")
    }

    /// A transaction that is in the WAL when it ends, but not yet synced to disk.
    pub(super) fn begin_unsynced() -> Self {
        Self::new("PRAGMA synchronous = NORMAL;BEGIN IMMEDIATE;", "COMMIT;PRAGMA synchronous = FULL;")
    }

    fn new(start: &str, end: &'static str) -> Self {
        let open = Text { sql: start.to_owned(), ..Text::default() };
        Self { texts: Vec::new(), open, end }
    }

    /// Adds a statement for all of `items`; `bind` adds one item's arguments.
    pub(super) fn rows<T>(
        &mut self,
        statement: &Rows,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut bind: impl FnMut(&mut SqliteArguments, T) -> Result<(), sqlx::error::BoxDynError>,
    ) -> Result<(), sqlx::Error> {
        let mut items = items.into_iter();
        while items.len() > 0 {
            let count = largest_power(items.len());
            let sql = &mut self.open.sql;
            sql.push_str(statement.before);
            for row in 0..count {
                if row > 0 {
                    sql.push(',');
                }
                sql.push_str(statement.row);
            }
            sql.push_str(statement.after);
            sql.push(';');
            for item in items.by_ref().take(count) {
                bind(&mut self.open.arguments, item).map_err(sqlx::Error::Encode)?;
            }
            self.open.rows += count;
            if self.open.rows >= TOGETHER {
                self.texts.push(std::mem::take(&mut self.open));
            }
        }
        Ok(())
    }

    /// Runs everything and commits; returns the row id of the last insert.
    pub(super) async fn commit(mut self, connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
        self.open.sql.push_str(self.end);
        self.texts.push(self.open);
        let mut last = 0;
        for text in self.texts {
            let query = sqlx::query_with(AssertSqlSafe(text.sql), text.arguments).persistent(true);
            last = connection.execute(query).await?.last_insert_rowid();
        }
        Ok(last)
    }
}

fn largest_power(count: usize) -> usize {
    if count >= LARGEST { LARGEST } else { 1 << count.ilog2() }
}
