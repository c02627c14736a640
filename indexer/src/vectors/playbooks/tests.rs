use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use noetl_bus::feed::{CommittedEvent, CommittedLine, Heads, Version};
use noetl_domain::id::ExecutionId;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::again::until_stopped;
use crate::vectors::testing::Store;

/// A catalog that people change.
#[derive(Default)]
struct Catalog {
    definitions: Mutex<Vec<Definition>>,
    /// Texts that were read.
    read: AtomicUsize,
}

impl Catalog {
    fn register(&self, path: &str, description: &str) {
        let mut definitions = self.definitions.lock().unwrap();
        let version = definitions.iter().find(|one| one.path == path).map_or(0, |one| one.version) + 1;
        let content = format!(
            "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: x, path: {path}, description: {description} }}\n\
             workflow:\n  - step: start\n    tool: {{ kind: noop }}\n"
        );
        definitions.retain(|one| one.path != path);
        definitions.push(Definition { path: path.into(), version, content, created_ms: 1_000 });
    }

    fn delete(&self, path: &str) {
        self.definitions.lock().unwrap().retain(|one| one.path != path);
    }
}

impl Feed for Catalog {
    async fn heads(&self) -> Result<Heads, FeedError> {
        Ok(Heads::default())
    }

    async fn events(&self, _: u64, _: usize, _: usize) -> Result<Vec<CommittedEvent>, FeedError> {
        Ok(Vec::new())
    }

    async fn history(&self, _: ExecutionId, _: u64) -> Result<Vec<CommittedEvent>, FeedError> {
        Ok(Vec::new())
    }

    async fn opening(&self, _: ExecutionId) -> Result<Option<CommittedEvent>, FeedError> {
        Ok(None)
    }

    async fn lines(&self, _: u64, _: usize) -> Result<Vec<CommittedLine>, FeedError> {
        Ok(Vec::new())
    }

    async fn changed(&self, _: Heads) {
        std::future::pending::<()>().await;
    }

    async fn definition(&self, path: &str, version: u32) -> Result<Option<Definition>, FeedError> {
        self.read.fetch_add(1, Ordering::Relaxed);
        let definitions = self.definitions.lock().unwrap();
        Ok(definitions.iter().find(|one| one.path == path && one.version == version).cloned())
    }

    async fn definitions(&self) -> Result<Vec<Definition>, FeedError> {
        Ok(self.definitions.lock().unwrap().clone())
    }

    async fn versions(&self) -> Result<Vec<Version>, FeedError> {
        let definitions = self.definitions.lock().unwrap();
        Ok(definitions.iter().map(|one| Version { path: one.path.clone(), version: one.version }).collect())
    }
}

fn keeper(store: &Store, feed: &Arc<Catalog>) -> Keeper<Catalog> {
    Keeper::new(store.vectors.clone(), Arc::clone(feed), Status::default())
}

/// Path, version and text of every point, by path.
async fn held(keeper: &Keeper<Catalog>) -> Vec<(String, u64, String)> {
    let stored = keeper.stored().await.unwrap();
    let facts = stored.into_values().map(|stored| stored.facts);
    let mut held: Vec<_> = facts.map(|facts| (facts.playbook, facts.version, facts.text)).collect();
    held.sort();
    held
}

fn asked(store: &Store) -> u64 {
    store.vectors.embedder().unwrap().counters().texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collection_is_what_is_registered() {
    let mut store = Store::open().await;
    let feed = Arc::new(Catalog::default());
    feed.register("shop/orders", "loads the orders");
    feed.register("shop/prices", "reads prices");
    let mut keeper1 = keeper(&store, &feed);
    keeper1.look().await.unwrap();
    feed.register("shop/prices", "reads and compares prices");
    feed.register("shop/stock", "counts the stock");
    feed.delete("shop/orders");
    keeper1.look().await.unwrap();
    let expected = [
        ("shop/prices".to_owned(), 2, "reads and compares prices\nstart (noop)".to_owned()),
        ("shop/stock".to_owned(), 1, "counts the stock\nstart (noop)".to_owned()),
    ];
    assert_eq!(held(&keeper1).await, expected);
    assert_eq!((asked(&store), feed.read.load(Ordering::Relaxed)), (4, 4));
    keeper1.look().await.unwrap();
    assert_eq!(feed.read.load(Ordering::Relaxed), 4, "what has not changed is not read");

    // After a restart everything is compared, and nothing is embedded but what has changed.
    feed.register("shop/stock", "counts the stock twice");
    feed.delete("shop/prices");
    store.reopen().await;
    let mut keeper2 = keeper(&store, &feed);
    keeper2.look().await.unwrap();
    assert_eq!(
        held(&keeper2).await,
        [("shop/stock".to_owned(), 2, "counts the stock twice\nstart (noop)".to_owned())]
    );
    assert_eq!(asked(&store), 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_another_catalog_is_not_believed() {
    let mut store = Store::open().await;
    let [one, other] = ["one text", "another text"].map(|text| {
        let feed = Arc::new(Catalog::default());
        feed.register("same/path", text);
        feed
    });
    keeper(&store, &one).look().await.unwrap();
    let mut keeper = keeper(&store, &other);
    keeper.look().await.unwrap();
    assert_eq!(held(&keeper).await[0].2, "another text\nstart (noop)");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_when_it_has_looked_and_ends_when_told() {
    let mut store = Store::open().await;
    let feed = Arc::new(Catalog::default());
    feed.register("a/b", "something");
    let (status, stop) = (Status::default(), CancellationToken::new());
    let work = Keeper::new(store.vectors.clone(), Arc::clone(&feed), status.clone());
    let changed = status.changed();
    let kept = tokio::spawn(until_stopped(work, stop.clone()));
    changed.await;
    assert!(status.get().looked_at.playbooks);
    assert_eq!(held(&keeper(&store, &feed)).await.len(), 1);
    stop.cancel();
    kept.await.unwrap();
    store.close().await;
}
