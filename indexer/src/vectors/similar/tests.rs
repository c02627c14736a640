//! Likeness over the real engines.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::analytics::Analytics;
use crate::config::Config;
use crate::fingerprints::Fingerprints;
use crate::status::Part;
use crate::testing::{RecordedFeed, Told, clickhouse};
use crate::vectors::testing::Store;

const DEADLINE: Duration = Duration::from_mins(2);

/// Executions of one step, a minute apart.
struct Teller {
    feed: RecordedFeed,
    at_ms: i64,
}

impl Teller {
    fn new() -> Self {
        Self { feed: RecordedFeed::default(), at_ms: chrono::Utc::now().timestamp_millis() - 3 * 3_600_000 }
    }

    fn tell(&mut self, id: u64, playbook: &str, version: u32, run: u32, error: Option<&str>) {
        self.at_ms += 60_000;
        let (at_ms, takes_ms) = (self.at_ms, 50);
        self.feed.tell(&Told { id, playbook, version, step: "load", run, at_ms, takes_ms, error });
    }
}

fn told() -> RecordedFeed {
    let mut teller = Teller::new();
    for id in 1..=5 {
        let message = format!("connection to 10.0.0.{id}:5432 refused");
        teller.tell(id, "shop/load", 1, 1, Some(&message));
    }
    for id in 6..=25 {
        teller.tell(id, "shop/load", 2, 1, None);
    }
    teller.tell(30, "shop/mail", 1, 1, Some("the mail server rejects connections"));
    teller.tell(30, "shop/mail", 1, 2, None);
    for id in 40..=42 {
        teller.tell(id, "shop/report", 1, 1, Some("connection refused by the host of reports"));
    }
    teller.tell(50, "shop/sums", 1, 1, Some("division by zero in the sum of a column"));
    // One that goes on: its end is not there yet.
    teller.tell(60, "shop/load", 2, 1, Some("connection to 10.0.0.9:5432 refused"));
    teller.feed.events.pop();
    teller.feed
}

struct Layer {
    semantic: Semantic,
    feed: Arc<RecordedFeed>,
    store: Store,
    stop: CancellationToken,
    directory: tempfile::TempDir,
}

impl Layer {
    async fn open(directory: tempfile::TempDir, analytics: Result<Analytics, String>) -> Self {
        let store = Store::open().await;
        let config = Config::new(directory.path().join("index"));
        let semantic = Semantic::new(Fingerprints::open(&config.directory));
        semantic.set_vectors(Ok(store.vectors.clone()));
        semantic.set_analytics(analytics);
        let (feed, stop) = (Arc::new(told()), CancellationToken::new());
        tokio::spawn(crate::run(config, semantic.clone(), Arc::clone(&feed), stop.clone()));
        let layer = Self { semantic, feed, store, stop, directory };
        tokio::time::timeout(DEADLINE, layer.caught_up()).await.expect("it catches up");
        layer
    }

    async fn caught_up(&self) {
        loop {
            let changed = self.semantic.status().changed();
            let snapshot = self.semantic.status().get();
            let is_done = |part: &Part, behind: u64| match part {
                Part::On => behind == 0,
                Part::Off { .. } => true,
                Part::Starting => false,
                Part::Failing { reason } => panic!("{reason}"),
            };
            if [&snapshot.analytics, &snapshot.vectors].iter().all(|one| is_done(&one.part, one.behind)) {
                return;
            }
            changed.await;
        }
    }

    async fn similar(&self, id: u64) -> Result<Similar, SimilarError> {
        similar(&self.semantic, &self.feed, id, 10, chrono::Utc::now().timestamp_millis()).await
    }

    async fn close(mut self) {
        self.stop.cancel();
        self.store.close().await;
        drop(self.directory);
    }
}

fn state(failures: &[SimilarFailure], playbook: &str) -> (String, Option<String>) {
    let one = failures.iter().find(|one| one.facts.playbook == playbook);
    let one = one.unwrap_or_else(|| panic!("{playbook}: {failures:?}"));
    (one.ended.state.clone(), one.ended.by.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_like_it_says_what_ended_it() {
    let directory = tempfile::tempdir().unwrap();
    let Some((front, analytics)) = clickhouse(directory.path()).await else { return };
    let layer = Layer::open(directory, Ok(analytics)).await;

    let answer = layer.similar(5).await.unwrap();
    assert_eq!((answer.of.kind.as_str(), answer.of.execution.execution_id.as_str()), ("execution", "5"));
    let failure = answer.of.failure.as_ref().unwrap();
    // The last one with this shape is the one that goes on.
    assert_eq!((failure.text.as_str(), failure.count), ("connection to 10.0.0.5:5432 refused", 6));
    assert!(answer.failures[0].is_same, "{:?}", answer.failures);
    assert!(answer.failures[0].meaning.unwrap() > 0.9, "{:?}", answer.failures[0]);
    assert!(answer.failures[1..].iter().all(|one| !one.is_same));
    assert_eq!(state(&answer.failures, "shop/load").0, "happening", "60 failed after all");
    assert_eq!(state(&answer.failures, "shop/report").0, "happening");
    assert_eq!(state(&answer.failures, "shop/mail"), ("quiet".to_owned(), Some("retry".to_owned())));
    let scores: Vec<_> =
        answer.failures.iter().map(|one| (&one.facts.playbook, one.score, one.meaning)).collect();
    assert!(scores.iter().all(|(playbook, ..)| *playbook != "shop/sums"), "about something else: {scores:?}");

    let ids: Vec<u64> = answer.executions.iter().map(|one| one.facts.execution_id.parse().unwrap()).collect();
    assert!(ids.len() >= 9 && !ids.contains(&5), "{ids:?}");
    let mut likest = ids[..4].to_vec();
    likest.sort_unstable();
    assert_eq!(likest, [1, 2, 3, 4], "what failed alike comes first");
    assert!(answer.executions[0].behaviour.unwrap() > 0.9 && answer.executions[0].ended.is_some());
    assert!(answer.executions.last().unwrap().ended.is_none(), "it completed");

    // The event that ended its step names the same failure; only the tables know whose it is.
    let exit = layer.feed.events.iter().find(|event| event.execution.0 == 3 && event.seq == 3).unwrap();
    let answer = layer.similar(exit.event_id).await.unwrap();
    assert_eq!((answer.of.kind.as_str(), answer.of.execution.execution_id.as_str()), ("failure", "3"));
    assert_eq!(answer.of.failure.unwrap().text, "connection to 10.0.0.3:5432 refused");

    // Nothing was kept of this one, and nothing in it failed.
    let answer = layer.similar(25).await.unwrap();
    assert_eq!(answer.of.execution.status, "COMPLETED");
    assert!(answer.failures.is_empty() && answer.executions[0].facts.status == "COMPLETED", "{answer:?}");

    let running = layer.similar(60).await.unwrap();
    assert_eq!(running.of.execution.status, "RUNNING");
    assert!(running.failures[0].is_same && !running.executions.is_empty());
    assert!(matches!(layer.similar(999).await, Err(SimilarError::Unknown(999))));
    layer.close().await;
    front.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_analytics_likeness_stays_and_endings_are_unknown() {
    let directory = tempfile::tempdir().unwrap();
    let layer = Layer::open(directory, Err("not here".to_owned())).await;
    let answer = layer.similar(2).await.unwrap();
    assert!(answer.failures[0].is_same && answer.failures.len() >= 3);
    for ended in answer.failures.iter().map(|one| &one.ended) {
        assert_eq!(
            (ended.state.as_str(), ended.reason.as_deref()),
            ("unknown", Some("the analytics are off"))
        );
    }
    // The newest event of a failure is known without tables.
    let event: u64 = answer.failures[0].facts.event_id.parse().unwrap();
    assert_eq!(layer.similar(event).await.unwrap().of.kind, "failure");
    layer.close().await;
}
