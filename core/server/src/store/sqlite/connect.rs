//! Opening the file: pragmas, and the connections that read and write.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::Mutex;

use super::migrate::migrate;
use super::{FILE, SqliteStore, StoreError, Writer};

const READERS: u32 = 4;
/// How long others may hold the file.
const PATIENCE: Duration = Duration::from_secs(10);
/// SQLite's code for a file that another one holds.
const BUSY: &str = "5";

pub(super) async fn open(directory: &Path) -> Result<SqliteStore, StoreError> {
    std::fs::create_dir_all(directory).map_err(|source| StoreError::Directory {
        directory: directory.to_owned(),
        source: Arc::new(source),
    })?;
    let file = directory.join(FILE);
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .busy_timeout(PATIENCE)
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
    let mut connection = connect(&writing).await.map_err(open)?;
    migrate(&mut connection).await?;
    // Reads from committed snapshots; `query_only` rather than read-only, because WAL readers share an index file.
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        // Followers read pages of thousands of rows; a small buffer would wake them for every few.
        .connect_lazy_with(
            options.pragma("query_only", "ON").pragma("cache_size", "-16384").row_buffer_size(1024),
        );
    let writer = Arc::new(Mutex::new(Writer::new(connection)));
    Ok(SqliteStore { writer, readers, lines: Arc::default(), file })
}

/// Connects, and waits for another process that makes the file at the same moment.
///
/// The change to WAL is refused at once while another one holds the file, whatever the busy timeout says.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    let since = Instant::now();
    loop {
        match options.connect().await {
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some(BUSY) && since.elapsed() < PATIENCE =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            done => return done,
        }
    }
}
