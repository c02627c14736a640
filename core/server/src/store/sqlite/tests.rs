use noetl_bus::feed::CommittedEvent;
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

#[tokio::test]
async fn views_show_the_tables_that_users_know() {
    let harness = Directory::fresh().await;
    let store = harness.open().await;
    conformance::write_sample(&store).await;
    for (view, expected) in [
        (
            "SELECT group_concat(event_type || '/' || status, ' ') FROM (SELECT * FROM event ORDER BY event_id)",
            "playbook.initialized/STARTED step.enter/ENTERED command.issued/PENDING call.done/COMPLETED \
             step.exit/COMPLETED playbook.completed/COMPLETED",
        ),
        ("SELECT result FROM event_log WHERE event_type = 'call.done' AND node_name = 'a'", r#"{"x":1}"#),
        ("SELECT duration FROM event WHERE event_type = 'call.done'", "1.5"),
        ("SELECT context ->> '$.workload.w' FROM event WHERE event_type = 'playbook.initialized'", "5"),
        (
            "SELECT created_at FROM event WHERE execution_id = 1 ORDER BY event_id LIMIT 1",
            "2023-11-14T22:13:20.001Z",
        ),
        ("SELECT count(*) FROM event WHERE parent_event_id IS NULL", "1"),
        ("SELECT path || ' ' || status || ' ' || duration FROM execution", "sample COMPLETED 2.0"),
        ("SELECT data FROM workload", r#"{"w":5}"#),
        ("SELECT status || attempt FROM command", "done1"),
        ("SELECT node_name || status FROM queue", "adone"),
        ("SELECT from_step || to_step FROM transition", "aend"),
        (
            "SELECT var_name || var_value || source_step FROM transient ORDER BY var_name LIMIT 1",
            r#"v{"k":"t"}a"#,
        ),
        ("SELECT text FROM log", "hello"),
        ("SELECT count(*) FROM catalog", "0"),
        ("SELECT count(*) FROM credential", "0"),
        ("SELECT count(*) FROM schedule", "0"),
        ("SELECT count(*) FROM runtime", "0"),
    ] {
        let sql = format!("SELECT CAST(({view}) AS TEXT)");
        let found: Option<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&store.readers).await.unwrap();
        assert_eq!(found.as_deref(), Some(expected), "{view}");
    }
}

/// Many come as one text (`committed.rs`), whatever is in them.
#[tokio::test]
async fn events_of_any_text_come_in_order_and_within_bounds() {
    let harness = Directory::fresh().await;
    let store = harness.open().await;
    let texts = [
        "",
        "{}",
        "two\nlines 1 2 3\n",
        "Größe 東京 \u{1f680}",
        "\"quoted\" \\n",
        "\n\n",
        "17 17 17 17 17 4\n",
    ];
    let mut writer = store.writer.lock().await;
    let connection = writer.take_up().await.unwrap();
    for at in 0..1_000_i64 {
        let sql = "INSERT INTO event_row (execution_id, seq, event_id, at_ms, event_type, data) \
                   VALUES (?, ?, ?, ?, 'x', ?)";
        let insert = sqlx::query(sql).bind(at % 7 - 3).bind(at).bind(at * 3).bind(-at);
        insert.bind(texts[at as usize % texts.len()]).execute(&mut *connection).await.unwrap();
    }
    writer.settled();
    drop(writer);
    let read = async |after, limit, bytes| store.committed_events(after, limit, bytes).await.unwrap();
    let all = read(0, 5_000, usize::MAX).await;
    assert_eq!(all.len(), 1_000);
    for (at, event) in all.iter().enumerate() {
        let told = (event.position, event.execution.0 as i64, event.seq, event.event_id, event.at_ms);
        let number = at as i64;
        assert_eq!(told, (at as u64 + 1, number % 7 - 3, at as u64, at as u64 * 3, -number));
        assert_eq!(event.data, texts[at % texts.len()]);
    }
    let places = |events: Vec<CommittedEvent>| (events.first().map(|one| one.position), events.len());
    assert_eq!(places(read(500, 300, usize::MAX).await), (Some(501), 300));
    assert_eq!(places(read(990, 300, usize::MAX).await), (Some(991), 10));
    assert_eq!(places(read(1_000, 300, usize::MAX).await), (None, 0));
    assert_eq!(places(read(0, 1, usize::MAX).await), (Some(1), 1));
    // About so many bytes, and at least one Event.
    let few = read(0, 1_000, 1).await.len();
    assert!((1..1_000).contains(&few), "{few} events for one byte");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let harness = Directory::fresh().await;
    let store = harness.open().await;
    let mut writer = store.writer.lock().await;
    sqlx::query("PRAGMA user_version = 99").execute(writer.take_up().await.unwrap()).await.unwrap();
    writer.settled();
    drop(writer);
    store.close().await;
    let refused = SqliteStore::open(harness.0.path()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, known: 2 }), "{refused:?}");
}

#[tokio::test]
async fn an_execution_that_is_being_deleted_is_gone_before_its_rows_are() {
    let harness = Directory::fresh().await;
    let store = harness.open().await;
    conformance::write_sample(&store).await;
    let id = ExecutionId(1);
    let log = store.load(id, 0).await.unwrap();
    let mut writer = store.writer.lock().await;
    // As a crash in the middle leaves it.
    let begun = "DELETE FROM execution_row; INSERT INTO purge_row SELECT DISTINCT execution_id FROM event_row; \
        DELETE FROM event_row WHERE seq = 1";
    sqlx::raw_sql(begun).execute(writer.take_up().await.unwrap()).await.unwrap();
    writer.settled();
    drop(writer);
    assert!(store.load(id, 0).await.unwrap().is_empty());
    let more = Append::new(id, log.len() as u64, Summary::of(id));
    let refused = store.append(vec![more]).await;
    assert!(matches!(refused[0], Err(AppendError::Conflict { actual: 0 })), "{refused:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let harness = Directory::fresh().await;
    std::fs::write(harness.0.path().join(FILE), "not a database at all, but long enough to be one").unwrap();
    let refused = SqliteStore::open(harness.0.path()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Failed { .. }), "{refused:?}");
}

/// Run with `cargo nextest run -p noetl-server --run-ignored only --no-capture bench_`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn bench_group_commit() {
    for (executions, events) in [(1, 1), (1, 4), (16, 4), (64, 4), (256, 4), (1, 1000)] {
        let harness = Directory::fresh().await;
        let store = harness.open().await;
        let rounds = 200_000 / (executions * events).clamp(40, 2000);
        let started = std::time::Instant::now();
        let ids = crate::ids::Ids::new(0);
        let mut spent = std::time::Duration::ZERO;
        for round in 0..rounds {
            let batch: Vec<Append> = (1..=executions)
                .map(|execution| conformance::typical_append(execution, round * events, events, &ids))
                .collect();
            let began = std::time::Instant::now();
            for outcome in store.append(batch).await {
                outcome.unwrap();
            }
            spent += began.elapsed();
        }
        let rows = (rounds * executions * events) as f64;
        println!(
            "{executions:4} executions x {events:4} events: {:9.0} events/s, {:7.0} us per batch ({:.1} s in all)",
            rows / spent.as_secs_f64(),
            spent.as_micros() as f64 / rounds as f64,
            started.elapsed().as_secs_f64()
        );
    }
    for rows in [1, 4, 64, 256, 1000] {
        let directory = tempfile::tempdir().unwrap();
        let (rate, micros) =
            crate::store::sqlite::bare_inserts(directory.path(), rows, 200_000 / rows.clamp(40, 2000))
                .await
                .unwrap();
        println!("bare inserts, {rows:4} rows a commit: {rate:9.0} rows/s, {micros:7.0} us per commit");
    }
}
