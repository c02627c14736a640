//! Brings a database to the schema of this program: one step per version, all that are due in one transaction.
//!
//! Data directories outlive programs, so a step that was released is never edited: what changes is a new step.
//! A change of the views alone is a step too, and may be empty, because the views are made anew after the last one.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::StoreError;

/// The step at an index brings the schema from the version of that number to the next.
const STEPS: &[&str] = &[include_str!("migrations/1.sql"), include_str!("migrations/2.sql")];

/// What people read.
const VIEWS: &str = include_str!("views.sql");

pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    apply(connection, STEPS, VIEWS).await
}

async fn apply(connection: &mut SqliteConnection, steps: &[&str], views: &str) -> Result<(), StoreError> {
    let failed = |source| StoreError::failed("upgrade the database", source);
    let known = steps.len() as i64;
    // Nearly every start ends here, and must not wait for somebody who writes.
    if version(connection).await? == known {
        return Ok(());
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    // Asked again, because another process may have upgraded it since.
    let found = version(&mut transaction).await?;
    let Some(due) = usize::try_from(found).ok().and_then(|found| steps.get(found..)) else {
        return Err(StoreError::Newer { found, known });
    };
    if !due.is_empty() {
        let end = format!("PRAGMA user_version = {known}");
        for script in due.iter().copied().chain([views, end.as_str()]) {
            sqlx::raw_sql(AssertSqlSafe(script.to_owned()))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        tracing::info!(from = found, to = known, "the database was upgraded");
    }
    transaction.commit().await.map_err(failed)
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await
        .map_err(|source| StoreError::failed("read the version of the database", source))
}

#[cfg(test)]
mod tests {
    use noetl_domain::event::Status;
    use noetl_domain::execution::Execution;
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::super::super::{EventStore as _, SummaryQuery};
    use super::super::{FILE, SqliteStore};
    use super::*;

    async fn connect(directory: &std::path::Path) -> SqliteConnection {
        let file = directory.join(FILE);
        SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await.unwrap()
    }

    async fn schema(connection: &mut SqliteConnection) -> Vec<(String, Option<String>)> {
        sqlx::query_as("SELECT name, sql FROM sqlite_schema ORDER BY type, name")
            .fetch_all(connection)
            .await
            .unwrap()
    }

    /// Every database that was ever written, by the version that wrote it; one is added with every step.
    const WRITTEN: &[&str] =
        &[include_str!("migrations/written_by_1.sql"), include_str!("migrations/written_by_2.sql")];

    #[tokio::test]
    async fn a_database_of_every_version_becomes_as_a_new_one_and_keeps_its_executions() {
        assert_eq!(WRITTEN.len(), STEPS.len(), "a step comes with a database that it wrote");
        let fresh = tempfile::tempdir().unwrap();
        SqliteStore::open(fresh.path()).await.unwrap().close().await;
        let wanted = schema(&mut connect(fresh.path()).await).await;
        for (written, version) in WRITTEN.iter().zip(1..) {
            let directory = tempfile::tempdir().unwrap();
            let mut connection = connect(directory.path()).await;
            sqlx::raw_sql(*written).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            let store = SqliteStore::open(directory.path()).await.unwrap();
            let found = schema(&mut connect(directory.path()).await).await;
            assert_eq!(found, wanted, "version {version}: a step that was released has been edited");
            let rows = store.summaries(SummaryQuery::default()).await.unwrap();
            assert!(rows.len() >= 5, "version {version}: {rows:?}");
            for row in rows {
                let log = store.load(row.execution, 0).await.unwrap();
                let mut execution = Execution::new(row.execution);
                for recorded in &log {
                    execution.apply(&recorded.event, recorded.at_ms);
                }
                assert_eq!((execution.status, execution.seq), (Status::Completed, row.events), "{row:?}");
            }
        }
    }

    #[tokio::test]
    async fn steps_that_are_due_happen_in_order_all_or_none() {
        let directory = tempfile::tempdir().unwrap();
        let mut connection = connect(directory.path()).await;
        let first = "CREATE TABLE a (x); INSERT INTO a VALUES (1);";
        let views = "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT count(*) AS n FROM a;";
        apply(&mut connection, &[first], views).await.unwrap();
        let second = "ALTER TABLE a ADD COLUMN y DEFAULT 2;";
        let broken = "INSERT INTO a VALUES (5, 5); INSERT INTO nowhere VALUES (1);";
        let refused = apply(&mut connection, &[first, second, broken], views).await.unwrap_err();
        assert!(matches!(refused, StoreError::Failed { .. }), "{refused:?}");
        assert_eq!(version(&mut connection).await.unwrap(), 1);
        assert!(
            !schema(&mut connection).await.iter().any(|(_, sql)| sql.as_deref().unwrap_or("").contains('y'))
        );

        let third = "INSERT INTO a SELECT x + 1, y + 1 FROM a;";
        apply(&mut connection, &[first, second, third], views).await.unwrap();
        apply(&mut connection, &[first, second, third], views).await.unwrap();
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT x, y FROM a").fetch_all(&mut connection).await.unwrap();
        assert_eq!(rows, [(1, 2), (2, 3)]);
        let seen: i64 = sqlx::query_scalar("SELECT n FROM v").fetch_one(&mut connection).await.unwrap();
        assert_eq!(seen, 2);
        let newer = apply(&mut connection, &[first], views).await.unwrap_err();
        assert!(matches!(newer, StoreError::Newer { found: 3, known: 1 }), "{newer:?}");
        assert!(newer.hint().is_some());
    }

    #[tokio::test]
    async fn two_processes_that_open_a_new_directory_at_once_both_succeed() {
        for _ in 0..10 {
            let directory = tempfile::tempdir().unwrap();
            let open = || SqliteStore::open(directory.path());
            let (one, two) = tokio::join!(open(), open());
            one.unwrap().close().await;
            two.unwrap().close().await;
        }
    }
}
