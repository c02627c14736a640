//! Opening, closing, dying.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clickhouse::Row;
use noetl_engine_clickhouse::{Config, Engine, OpenError, VERSION};

use serde::Serialize;

use crate::{child, config, owner, serve};

/// The file of this name below a folder.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path());
    entries.find_map(|path| if path.ends_with(name) { Some(path) } else { find(&path, name) })
}

#[derive(Row, Serialize)]
struct Numbered {
    n: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_insert_outlives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let Some(config) = config(directory.path()) else { return };
    let mut rows = 0;
    for round in 0..3 {
        let (mut child, target) = child::start(directory.path(), "close");
        let client = target.client();
        client
            .query("CREATE TABLE IF NOT EXISTS t (n UInt64) ENGINE = MergeTree ORDER BY n")
            .execute()
            .await
            .unwrap();
        let mut insert = client.insert::<Numbered>("t").await.unwrap();
        for n in 0..1_000_u64 {
            insert.write(&Numbered { n: round * 1_000 + n }).await.unwrap();
        }
        insert.end().await.unwrap();
        child.kill();
        rows += 1_000;
        let front = serve(&config).await;
        let count =
            owner(&front).client().query("SELECT uniqExact(n) FROM t").fetch_one::<u64>().await.unwrap();
        assert_eq!(count, rows, "after kill {round}");
        front.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_ends_well_however_its_engine_is_left() {
    for end in ["close", "drop", "exit"] {
        let directory = tempfile::tempdir().unwrap();
        let Some(config) = config(directory.path()) else { return };
        let (mut child, target) = child::start(directory.path(), end);
        let client = target.client();
        client.query("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n").execute().await.unwrap();
        client.query("INSERT INTO t SELECT number FROM numbers(1000)").execute().await.unwrap();
        let status = child.end();
        assert!(status.success(), "left by {end}: {status}");
        let front = serve(&config).await;
        assert_eq!(owner(&front).post(&[], "SELECT count() FROM t").await.text(), "1000");
        front.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_and_one_engine_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let Some(config) = config(directory.path()) else { return };
    let (mut child, target) = child::start(directory.path(), "close");
    let error = Engine::open(&config).unwrap_err();
    assert!(matches!(&error, OpenError::Locked(_)), "{error:?}");
    assert!(error.to_string().ends_with("is in use by another process"), "{error}");
    assert_eq!(target.post(&[], "SELECT 1").await.text(), "1");
    child.end();
    let front = serve(&config).await;
    let other = tempfile::tempdir().unwrap();
    let second = Engine::open(&Config { directory: other.path().to_owned(), ..config.clone() });
    assert!(matches!(second, Err(OpenError::AlreadyOpen)), "{second:?}");
    front.close().await;
    // What is closed can be opened again, and another directory too.
    for directory in [directory.path(), other.path()] {
        let front = serve(&Config { directory: directory.to_owned(), ..config.clone() }).await;
        assert_eq!(owner(&front).post(&[], "SELECT 2").await.text(), "2");
        front.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let Some(config) = config(directory.path()) else { return };
    let open = |config: Config| Engine::open(&config).unwrap_err();
    let library = directory.path().join("libchdb.so");
    let error = open(Config { library: library.clone(), ..config.clone() });
    assert!(matches!(error, OpenError::NoLibrary(_)), "{error:?}");
    std::fs::write(&library, "no library").unwrap();
    let error = open(Config { library, ..config.clone() });
    assert!(matches!(error, OpenError::NotLibrary { .. }), "{error:?}");
    let file = directory.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    let error = open(Config { directory: file.join("below"), ..config.clone() });
    assert!(matches!(error, OpenError::Directory { .. }), "{error:?}");
    let broken = directory.path().join("broken");
    let front = serve(&Config { directory: broken.clone(), ..config.clone() }).await;
    owner(&front).post(&[], "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n").await;
    front.close().await;
    let metadata = find(&broken, "t.sql").unwrap();
    std::fs::write(metadata, "no statement").unwrap();
    let error = open(Config { directory: broken, ..config.clone() });
    assert!(matches!(error, OpenError::Refused(_)), "{error:?}");
    // None of this is in the way of a good one.
    let front = serve(&Config { directory: directory.path().join("good"), ..config }).await;
    let version = owner(&front).post(&[], "SELECT version()").await.text();
    assert!(version.starts_with(VERSION.rsplit_once('.').unwrap().0), "{version}");
    front.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_ends_what_still_runs() {
    let directory = tempfile::tempdir().unwrap();
    let Some(config) = config(directory.path()) else { return };
    let front = serve(&config).await;
    let target = owner(&front);
    target.post(&[], "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n").await;
    let running = {
        let target = target.clone();
        tokio::spawn(async move {
            let sql = "INSERT INTO t SELECT sum(sipHash64(number)) FROM numbers(1000000000000)";
            let client = target.client();
            client.query(sql).execute().await
        })
    };
    let count = "SELECT count() FROM system.processes WHERE query LIKE 'INSERT%'";
    while target.post(&[], count).await.text() != "1" {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    front.close().await;
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    assert!(running.await.unwrap().is_err());
    let front = serve(&config).await;
    assert_eq!(owner(&front).post(&[], "SELECT count() FROM t").await.text(), "0");
    front.close().await;
}
