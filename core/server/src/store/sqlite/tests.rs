use tempfile::TempDir;

use super::super::conformance::{self, Harness};
use super::*;

/// A directory of its own for every promise.
struct Directory(TempDir);

impl Harness for Directory {
    type Store = SqliteStore;

    async fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.0.path()).await.unwrap()
    }

    async fn close(&self, store: SqliteStore) {
        store.close().await;
    }

    /// SQLite reports a full disk when a file would outgrow its limit of pages.
    async fn set_disk_full(&self, store: &SqliteStore, full: bool) {
        let mut writer = store.writer.lock().await;
        let connection = writer.take_up().await.unwrap();
        let limit = if full { "PRAGMA max_page_count = 1" } else { "PRAGMA max_page_count = 1000000000" };
        sqlx::query(limit).execute(connection).await.unwrap();
        writer.settled();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_every_promise() {
    conformance::suite::<Directory>().await;
}
