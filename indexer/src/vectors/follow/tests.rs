//! The follower over the real engine: everything once, whatever died or was lost in between.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::again::until_stopped;
use crate::config::Retention;
use crate::embedding::Embedder;
use crate::status::Progress;
use crate::testing::{RecordedFeed, Told};
use crate::vectors::read::Whole;
use crate::vectors::testing::Store;

const HISTORIES: &[&str] =
    &["failed", "handled", "hello", "loops", "parallel_loop", "retries", "retried", "sub_playbooks"];

/// Longest wait for what takes a second on an idle machine.
const DEADLINE: Duration = Duration::from_mins(1);

struct Layer {
    store: Store,
    config: Config,
    directory: tempfile::TempDir,
}

impl Layer {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::new(directory.path().to_owned());
        // However old the histories are.
        config.retention = Retention { executions: 9_999, hourly: 9_999, ..Retention::default() };
        Self { store: Store::open().await, config, directory }
    }

    fn follower(&self, feed: &Arc<RecordedFeed>) -> (Follower<RecordedFeed>, Status) {
        let status = Status::default();
        let fingerprints = Fingerprints::open(&self.config.directory);
        let learned = Learned { fingerprints, usual: Usual::default() };
        let vectors = self.store.vectors.clone();
        let mut follower =
            Follower::new(Arc::clone(feed), vectors, learned, self.config.clone(), status.clone());
        follower.keep_every = Duration::ZERO;
        (follower, status)
    }

    /// Follows until nothing is behind or on its way, and the place is written down.
    async fn catch_up(&self, feed: &Arc<RecordedFeed>) -> Progress {
        tokio::time::timeout(DEADLINE, self.follow(feed)).await.expect("it catches up")
    }

    async fn follow(&self, feed: &Arc<RecordedFeed>) -> Progress {
        let (follower, status) = self.follower(feed);
        let stop = CancellationToken::new();
        let running = tokio::spawn(until_stopped(follower, stop.clone()));
        let index = self.store.vectors.index().await.unwrap();
        let head = feed.events.len() as u64;
        loop {
            let changed = status.changed();
            let snapshot = status.get();
            match snapshot.vectors.part {
                Part::Failing { reason } | Part::Off { reason } => panic!("{reason}"),
                Part::On if self.place(&index) == head && snapshot.moving.is_none() => break,
                Part::On | Part::Starting => changed.await,
            }
        }
        // It is not in the middle of anything while it waits for more.
        stop.cancel();
        running.await.unwrap();
        status.get().vectors
    }

    fn place(&self, index: &str) -> u64 {
        PlaceFile::new(&self.config.directory, "vectors").load(index).events
    }

    async fn all(&self) -> [Vec<Whole>; 2] {
        [self.store.all(Kind::Failure).await, self.store.all(Kind::Execution).await]
    }

    fn forget(&self, file: &str) {
        std::fs::remove_file(self.config.directory.join(file)).unwrap();
    }

    fn copy(&self, to: &Path) {
        for file in ["vectors.json", "behaviour.json", "fingerprints.json"] {
            std::fs::copy(self.config.directory.join(file), to.join(file)).unwrap();
        }
    }
}

/// Failures of some playbooks, each third run; the rest goes well.
fn busy(executions: u64, playbooks: u64) -> RecordedFeed {
    let now = now_ms() - 3_600_000;
    let mut feed = RecordedFeed::default();
    for n in 0..executions {
        let message = format!("the stock service refused order {n} after {} ms", n * 7 % 900);
        let playbook = format!("shop/{}", n % playbooks);
        feed.tell(&Told {
            id: 1_000 + n,
            playbook: &playbook,
            version: 1,
            step: "load",
            run: 1,
            at_ms: now + n as i64,
            takes_ms: 100 + (n % 7) as i64,
            error: (n % 3 == 0).then_some(&message),
        });
    }
    feed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_and_executions_become_points() {
    let mut layer = Layer::open().await;
    let feed = Arc::new(RecordedFeed::of(HISTORIES));
    let progress = layer.catch_up(&feed).await;
    assert_eq!((progress.behind, progress.part), (0, Part::On));
    let [failures, executions] = layer.all().await;
    let failed =
        failures.iter().map(|whole| &whole.point.stored.facts).find(|one| one.cause == "timeout.step");
    let failed = failed.expect("the step that took too long");
    assert_eq!((failed.count, failed.handled, failed.status.as_str()), (1, 0, "FAILED"));
    assert!(failed.text.contains("it took too long"), "{failed:?}");
    assert!(!failed.first_at.is_empty() && failed.at == failed.first_at && failed.version == 1);
    let handled: Vec<_> = failures.iter().filter(|one| one.point.stored.facts.handled == 1).collect();
    assert!(!handled.is_empty(), "one was answered");

    let ended: Vec<_> = executions.iter().map(|whole| &whole.point.stored.facts).collect();
    let failed_too = ended.iter().find(|one| one.execution_id == failed.execution_id).unwrap();
    assert_eq!((&failed_too.fingerprint, &failed_too.step), (&failed.fingerprint, &failed.step));
    assert!(failed_too.text.starts_with("failed at step sleeper: "), "{}", failed_too.text);
    let retried = ended.iter().find(|one| one.attempts == 2).expect("one was retried as a whole");
    assert_eq!((retried.status.as_str(), retried.playbook.is_empty()), ("FAILED", false));
    for whole in &executions {
        assert_eq!(whole.point.behaviour.as_ref().map(Vec::len), Some(crate::vectors::BEHAVIOUR_NUMBERS));
        assert!(whole.meaning.is_some());
    }
    layer.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_there_once_whatever_died_in_between() {
    let mut layer = Layer::open().await;
    let mut half = busy(60, 4);
    let middle = half.events.len();
    let whole = Arc::new(busy(120, 4));
    half.events = whole.events[..middle - 2].to_vec();
    let half = Arc::new(half);
    layer.catch_up(&half).await;
    let before = tempfile::tempdir().unwrap();
    layer.copy(before.path());
    layer.catch_up(&whole).await;
    let expected = layer.all().await;
    let counted: u64 = expected[0].iter().map(|one| one.point.stored.facts.count).sum();
    assert_eq!(counted, 40, "every third failed");

    // Dying after the points were put in and before the place was written down: the same stretch comes again.
    for file in ["vectors.json", "behaviour.json", "fingerprints.json"] {
        std::fs::copy(before.path().join(file), layer.config.directory.join(file)).unwrap();
    }
    layer.catch_up(&whole).await;
    assert_eq!(layer.all().await, expected, "the same stretch twice");

    // Dying between the two files: what is usual was learned, and the place is older.
    std::fs::copy(before.path().join("vectors.json"), layer.config.directory.join("vectors.json")).unwrap();
    layer.catch_up(&whole).await;
    assert_eq!(layer.all().await, expected, "the place is older than what was learned");

    layer.forget("vectors.json");
    layer.catch_up(&whole).await;
    assert_eq!(layer.all().await, expected, "the place was lost");

    layer.forget("vectors.json");
    layer.forget("behaviour.json");
    layer.catch_up(&whole).await;
    assert_eq!(layer.all().await, expected, "everything but the points was lost");

    layer.store.reopen().await;
    layer.catch_up(&whole).await;
    assert_eq!(layer.all().await, expected, "the engine was opened again");

    // Somebody deletes the points: the place that is left belongs to another copy.
    layer.store.lose().await;
    layer.catch_up(&whole).await;
    let again = layer.all().await;
    assert_eq!(told(&again), told(&expected), "the points were deleted");

    // And one collection alone.
    let collection = layer.store.vectors.collection(Kind::Failure);
    layer.store.vectors.drop_collection(&collection).await.unwrap();
    layer.store.reopen().await;
    layer.catch_up(&whole).await;
    assert_eq!(told(&layer.all().await), told(&expected), "one collection was deleted");
    layer.store.close().await;
    drop(layer.directory);
}

/// Without vectors: a message's vector is the one of the first of its shape.
fn told(all: &[Vec<Whole>; 2]) -> Vec<&Stored> {
    all.iter().flatten().map(|whole| &whole.point.stored).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_asked_for_shapes_and_not_for_events() {
    let mut layer = Layer::open().await;
    let few = Arc::new(busy(300, 16));
    layer.catch_up(&few).await;
    let counters = || layer.store.vectors.embedder().unwrap().counters();
    let first = counters();
    // A text for each shape of a failure, one for each way an execution ends.
    assert!(first.texts <= 60 && first.calls <= 10, "{first:?}");
    let more = Arc::new(busy(3_000, 16));
    layer.catch_up(&more).await;
    let second = counters();
    assert!(second.calls <= first.calls + 4, "{first:?} {second:?}");
    let [failures, executions] = layer.all().await;
    assert_eq!(failures.len(), 16, "a point for each shape and step");
    assert_eq!(failures.iter().map(|one| one.point.stored.facts.count).sum::<u64>(), 1_000);
    assert!(executions.len() < 700, "a sample: {}", executions.len());
    layer.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_embedder_gets_the_points_of_the_one_before() {
    let mut layer = Layer::open().await;
    let whole = busy(120, 4);
    let half = RecordedFeed { events: whole.events[..240].to_vec(), ..RecordedFeed::default() };
    let (half, whole) = (Arc::new(half), Arc::new(whole));
    layer.catch_up(&half).await;
    let before = layer.all().await;
    layer.store.reopen_with(Some(Embedder::builtin_as("other"))).await;
    assert_eq!(layer.store.vectors.former().await.unwrap().len(), 4);
    layer.catch_up(&whole).await;
    assert!(layer.store.vectors.former().await.unwrap().is_empty(), "nothing is left behind");
    let after = layer.all().await;
    assert_eq!(after[0].iter().map(|one| one.point.stored.facts.count).sum::<u64>(), 40);
    for old in &before[1] {
        let new = after[1].iter().find(|new| new.point.id == old.point.id).unwrap();
        assert_eq!(new.point, old.point, "its behaviour came along");
    }

    // Words alone are a space of their own, and the way back is the same.
    layer.store.reopen_with(None).await;
    layer.catch_up(&whole).await;
    let words = layer.all().await;
    assert_eq!(told(&words), told(&after));
    assert!(words.iter().flatten().all(|one| one.meaning.is_none()));
    layer.store.reopen().await;
    layer.catch_up(&whole).await;
    assert_eq!(told(&layer.all().await), told(&after));
    assert!(layer.all().await.iter().flatten().all(|one| one.meaning.is_some()));
    layer.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_goes_on_while_points_are_moved() {
    let mut layer = Layer::open().await;
    let whole = busy(60, 1);
    let half = RecordedFeed { events: whole.events[..120].to_vec(), ..RecordedFeed::default() };
    layer.catch_up(&Arc::new(half)).await;
    layer.store.reopen_with(Some(Embedder::builtin_as("other"))).await;

    // The same failure again, before its point came over: the newest count is the one to go on with.
    let vectors = &layer.store.vectors;
    let moving = Move::begin(vectors).await.unwrap();
    let id = layer.all().await[0].first().map(|one| one.point.id);
    assert_eq!(id, None, "nothing came over yet");
    let collection = moving_from(&moving);
    let (old, _) = vectors.whole_page(&collection, None, 10).await.unwrap();
    let id = old[0].point.id;
    let newest = moving.newest(vectors, Kind::Failure, &[id]).await.unwrap();
    assert_eq!(newest[&id], (old[0].point.stored.clone(), false));

    layer.catch_up(&Arc::new(whole)).await;
    let failures = layer.store.all(Kind::Failure).await;
    assert_eq!((failures.len(), failures[0].point.stored.facts.count), (1, 20));
    layer.store.close().await;
}

fn moving_from(moving: &Move) -> String {
    moving.former_of(Kind::Failure).next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_do_not_reach_points() {
    const SECRETS: [&str; 5] = [
        "hunter2hunter2",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlc2lnbmF0dXJl",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "s3cr3tpassw0rd",
    ];
    let mut layer = Layer::open().await;
    let mut feed = RecordedFeed::default();
    for (n, message) in [
        format!("login failed for password={}", SECRETS[0]),
        format!("401 for Authorization: Bearer {}", SECRETS[1]),
        format!("key {} is not allowed", SECRETS[2]),
        format!("git push with {} was refused", SECRETS[3]),
        format!("cannot connect to postgres://app:{}@db/orders", SECRETS[4]),
    ]
    .iter()
    .enumerate()
    {
        feed.tell(&Told {
            id: 10 + n as u64,
            playbook: "shop/secrets",
            version: 1,
            step: "load",
            run: 1,
            at_ms: now_ms(),
            takes_ms: 5,
            error: Some(message),
        });
    }
    layer.catch_up(&Arc::new(feed)).await;
    let all = layer.all().await;
    assert_eq!([all[0].len(), all[1].len()], [5, 5]);
    let text = format!("{:?}", told(&all));
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("[REDACTED]"));
    layer.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_messages_may_not_be_kept_points_have_templates() {
    let mut layer = Layer::open().await;
    layer.config.policy.errors = Text::Template;
    layer.catch_up(&Arc::new(busy(90, 2))).await;
    let [failures, executions] = layer.all().await;
    for whole in failures.iter().chain(&executions) {
        let text = &whole.point.stored.facts.text;
        assert!(text == "completed" || text.contains("<num>"), "{text}");
    }
    layer.store.close().await;
}

/// How fast it follows, beside the engine it writes to and in the profile it is built in:
/// `cargo nextest run --workspace --lib --run-ignored all --no-capture -E 'test(measure_following)'`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures and checks nothing"]
async fn measure_following() {
    let mut layer = Layer::open().await;
    let feed = Arc::new(busy(50_000, 200));
    let (began, cpu) = (std::time::Instant::now(), cpu_seconds());
    layer.catch_up(&feed).await;
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let [failures, executions] = layer.all().await;
    eprintln!(
        "{} events in {seconds:.1} s, {:.0} a second of time and {:.0} a second of CPU; {} failures, {} executions; {:?}",
        feed.events.len(),
        feed.events.len() as f64 / seconds,
        feed.events.len() as f64 / cpu,
        failures.len(),
        executions.len(),
        layer.store.vectors.embedder().unwrap().counters(),
    );
    layer.store.close().await;
}

/// Of this process, the engine included; a busy machine gives it less time than passes.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
