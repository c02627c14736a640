//! The follower over the real engine: everything once, whatever died in between.

mod disorder;

use noetl_engine_clickhouse::Front;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::again::until_stopped;
use crate::testing::{RecordedFeed, clickhouse};

const HISTORIES: &[&str] =
    &["failed", "hello", "loops", "parallel_loop", "retries", "retried", "sub_playbooks"];

struct Layer {
    front: Front,
    analytics: Analytics,
    config: Config,
    _directory: tempfile::TempDir,
}

/// None, and a loud word, where set-up could not bring the engine.
async fn layer() -> Option<Layer> {
    let directory = tempfile::tempdir().unwrap();
    let (front, analytics) = clickhouse(directory.path()).await?;
    let mut config = Config::new(directory.path().join("index"));
    // Several batches, so that there is something between them; kept rows, however old the histories are.
    config.batch_rows = 40;
    config.retention = crate::config::Retention {
        events: 9999,
        steps: 9999,
        executions: 9999,
        logs: 9999,
        llm_calls: 9999,
        hourly: 9999,
    };
    Some(Layer { front, analytics, config, _directory: directory })
}

impl Layer {
    fn follower(&self, feed: &Arc<RecordedFeed>) -> (Follower<RecordedFeed>, Status) {
        let status = Status::default();
        let fingerprints = Fingerprints::open(&self.config.directory);
        let follower = Follower::new(
            Arc::clone(feed),
            self.analytics.clone(),
            fingerprints,
            self.config.clone(),
            status.clone(),
        );
        (follower, status)
    }

    /// Follows until nothing is behind.
    async fn catch_up(&self, feed: &Arc<RecordedFeed>) {
        let (follower, status) = self.follower(feed);
        let stop = CancellationToken::new();
        let running = tokio::spawn(until_stopped(follower, stop.clone()));
        loop {
            let changed = status.changed();
            let analytics = status.get().analytics;
            match analytics.part {
                Part::On if analytics.behind == 0 => break,
                Part::Failing { reason } | Part::Off { reason } => panic!("{reason}"),
                _ => changed.await,
            }
        }
        stop.cancel();
        running.await.unwrap();
    }

    /// Rows as they are, rows as they are seen, and runs as the view counts them.
    async fn counts(&self) -> [u64; 6] {
        let sql = "SELECT [
            (SELECT count() FROM {database}.noetl_events),
            (SELECT count() FROM {database}.noetl_events FINAL),
            (SELECT count() FROM {database}.noetl_steps),
            (SELECT sum(runs) FROM {database}.noetl_steps_hourly),
            (SELECT sum(executions) FROM {database}.noetl_executions_hourly),
            (SELECT sum(failures) FROM {database}.noetl_failures_hourly)]::Array(UInt64) AS counts";
        let counts: Vec<u64> = self.analytics.query(sql).fetch_one().await.unwrap();
        counts.try_into().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_there_once_whatever_died_in_between() {
    let Some(layer) = layer().await else { return };
    let feed = Arc::new(RecordedFeed::of(HISTORIES));
    layer.catch_up(&feed).await;
    let whole = layer.counts().await;
    assert!(whole[0] > feed.events.len() as u64, "Iterations are rows of their own: {whole:?}");
    assert_eq!(whole[0], whole[1], "nothing is there twice: {whole:?}");

    // A new process goes on where this one ended.
    layer.catch_up(&feed).await;
    assert_eq!(layer.counts().await, whole);

    // Dying after the rows were put in and before the place moved: the same stretch comes again.
    let file = PlaceFile::new(&layer.config.directory, "analytics");
    let index = layer.analytics.prepare(layer.config.retention).await.unwrap();
    let (mut follower, _) = layer.follower(&feed);
    let end = file.load(&index);
    let mut at = Place { index: index.clone(), ..Place::default() };
    let first = follower.read(&at, None).await.unwrap();
    at.intent = Some(first.until);
    file.save(&at).unwrap();
    let (mut follower, _) = layer.follower(&feed);
    let again = follower.read(&at, at.intent).await.unwrap();
    let putting = follower.put(&mut at, again).unwrap();
    follower.arrived(&mut at, putting).await.unwrap();
    assert_eq!(layer.counts().await, whole, "the token tells that it is there");

    // However the pages fall, a stretch that was written down comes whole.
    let pages = Arc::new(RecordedFeed { page: 7, ..RecordedFeed::of(HISTORIES) });
    let (mut follower, _) = layer.follower(&pages);
    let all = Until { events: end.events, lines: end.lines };
    let batch = follower.read(&Place { index: index.clone(), ..Place::default() }, Some(all)).await.unwrap();
    assert_eq!(batch.rows.events.len() as u64, whole[0]);

    // Losing the file: the tables know how far they reach.
    std::fs::remove_file(layer.config.directory.join("analytics.json")).unwrap();
    let (follower, _) = layer.follower(&feed);
    assert_eq!(follower.begin(&index).await.unwrap().events, end.events);
    layer.catch_up(&feed).await;
    assert_eq!(layer.counts().await, whole);
    layer.front.close().await;
}
