//! Opening the file: pragmas, the schema and its versions.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};
use tokio::sync::Mutex;

use super::{FILE, SqliteStore, StoreError, Writer};

/// Each entry brings the schema from its index to the next version; entries are only ever added.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// What people read; replaced at every upgrade of the schema.
const VIEWS: &str = include_str!("views.sql");

const READERS: u32 = 4;

pub(super) async fn open(directory: &Path) -> Result<SqliteStore, StoreError> {
    std::fs::create_dir_all(directory).map_err(|source| StoreError::Directory {
        directory: directory.to_owned(),
        source: Arc::new(source),
    })?;
    let file = directory.join(FILE);
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(false)
        .pragma("temp_store", "memory")
        .disable_statement_logging();
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-65536")
        // 32 MiB of WAL between checkpoints: each one costs two syncs.
        .pragma("wal_autocheckpoint", "8192")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256)
        .row_buffer_size(1024)
        .thread_name(|_| "noetl-store-writer".to_owned());
    let open = |source| StoreError::failed("open the database", source);
    let mut connection = writing.connect().await.map_err(open)?;
    migrate(&mut connection).await?;
    // Reads from committed snapshots; `query_only` rather than read-only, because WAL readers share an index file.
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_lazy_with(options.pragma("query_only", "ON").pragma("cache_size", "-16384"));
    Ok(SqliteStore { writer: Arc::new(Mutex::new(Writer::new(connection))), readers, file })
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let failed = |source| StoreError::failed("upgrade the database", source);
    let row = sqlx::query("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(failed)?;
    let found: i64 = row.try_get(0).map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    let mut script = String::from("BEGIN IMMEDIATE;\n");
    for step in &MIGRATIONS[found as usize..] {
        script.push_str(step);
    }
    script.push_str(VIEWS);
    let _ = write!(script, "\nPRAGMA user_version = {known};\nCOMMIT;");
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(connection).await.map_err(failed)?;
    Ok(())
}
