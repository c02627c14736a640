//! `kill -9` of the server while the indexer is at work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use super::{MIXED, books, caught_up, failing, library, numbers, options};
use crate::app::{App, PATIENCE, pause};

/// Moments to die at, told by the file that the follower keeps its place in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// A stretch has been written down and its rows are on their way.
    Putting,
    /// A stretch has arrived, and the next one has not begun.
    Between,
    /// The rows of a stretch have arrived, and nobody could write that down.
    Arrived,
    /// The server answers, and its engine may still be opening.
    Opening,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_server_dies_everything_is_indexed_once() {
    use Moment::{Arrived, Between, Opening, Putting};
    if library().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut app = App::start_with(options(&folder.path().join("noetl.toml"), "")).await;
    app.register(MIXED).await.unwrap();
    let mut ids = Vec::new();
    let mut died: BTreeMap<Moment, usize> = BTreeMap::new();
    let moments = [Putting, Arrived, Between, Putting, Arrived, Opening, Putting, Arrived];
    for (round, moment) in moments.into_iter().enumerate() {
        for n in 0..12 {
            let payload = json!({"n": round * 12 + n, "items": 100 * (1 + n % 3)});
            ids.push(app.execute("tests/indexed/mixed", &payload).await.unwrap());
        }
        let found = match moment {
            Arrived => arrived(&app).await,
            Putting | Between | Opening => reached(&app, moment).await,
        };
        app.kill();
        // What kept the place from being written; it is there at one moment only.
        let _ = std::fs::remove_dir(obstacle(&app));
        *died.entry(moment).or_default() += usize::from(found);
        app.restart().await;
    }
    assert!(died[&Putting] > 0 && died[&Arrived] > 0, "it never died at the moments that matter: {died:?}");
    for id in &ids {
        app.ended(id).await.expect("an end");
    }
    let status = caught_up(&app).await;
    assert_eq!(status["poison"], 0, "{status}");
    books::balance(&app).await;
}

/// Waits for a moment of the follower; `false` when there was nothing left to wait for.
async fn reached(app: &App, moment: Moment) -> bool {
    let file = app.data().join("index/analytics.json");
    let before = place(&file)["events"].as_u64();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = place(&file);
        let is_putting = now["intent"].is_object();
        match moment {
            Moment::Opening => return true,
            Moment::Putting if is_putting => return true,
            Moment::Between if !is_putting && now["events"].as_u64() > before => return true,
            Moment::Putting | Moment::Between | Moment::Arrived => {}
        }
        let status = app.get("/api/insights/status").await["analytics"].clone();
        if status["state"] == "on" && status["behind"] == 0 && status["position"] != 0 {
            return false;
        }
        assert!(Instant::now() < deadline, "no {moment:?}: {now} {status}\n{}", app.log());
        pause().await;
    }
}

/// Where the follower writes its place before it replaces the old one; a directory there keeps it from that.
fn obstacle(app: &App) -> PathBuf {
    app.data().join("index/analytics.json.new")
}

/// Lets a stretch arrive and keeps the follower from writing that down; `false` when it was too fast for that.
async fn arrived(app: &App) -> bool {
    let file = app.data().join("index/analytics.json");
    let deadline = Instant::now() + PATIENCE;
    while !place(&file)["intent"].is_object() {
        assert!(Instant::now() < deadline, "nothing is put in:\n{}", app.log());
        tokio::task::yield_now().await;
    }
    if std::fs::create_dir(obstacle(app)).is_err() {
        return false;
    }
    let reason = failing(app).await;
    assert!(reason.contains("cannot keep the place"), "{reason}");
    let last = place(&file);
    let reached = numbers(app, "SELECT max(position) FROM noetl_events").await[0];
    last["intent"]["events"].as_u64().is_some_and(|intent| reached >= intent)
}

/// Where the follower is; null while it is nowhere.
fn place(file: &Path) -> Value {
    std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}
