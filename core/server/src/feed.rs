//! The feed over the embedded store: read from the file, woken by commits and by log lines.

use std::pin::pin;

use noetl_bus::feed::{CommittedEvent, CommittedLine, Definition, Feed, FeedError, Heads, Version};
use noetl_domain::id::ExecutionId;

use crate::catalog::{Catalog, CatalogError, CatalogQuery, Entry, PLAYBOOK};
use crate::orchestrator::{Orchestrator, Which};
use crate::store::SqliteStore;

/// Clones share the store.
#[derive(Clone, Debug)]
pub struct StoreFeed {
    store: SqliteStore,
    orchestrator: Orchestrator,
    catalog: Catalog,
}

impl StoreFeed {
    pub fn new(store: SqliteStore, orchestrator: Orchestrator, catalog: Catalog) -> Self {
        Self { store, orchestrator, catalog }
    }
}

impl Feed for StoreFeed {
    async fn heads(&self) -> Result<Heads, FeedError> {
        self.store.heads().await.map_err(failed("read the heads of the feed"))
    }

    async fn events(&self, after: u64, limit: usize, bytes: usize) -> Result<Vec<CommittedEvent>, FeedError> {
        self.store.committed_events(after, limit, bytes).await.map_err(failed("read the feed"))
    }

    async fn history(&self, execution: ExecutionId, up_to: u64) -> Result<Vec<CommittedEvent>, FeedError> {
        self.store.committed_history(execution, up_to).await.map_err(failed("read the log of an execution"))
    }

    async fn opening(&self, execution: ExecutionId) -> Result<Option<CommittedEvent>, FeedError> {
        self.store.committed_opening(execution).await.map_err(failed("read the first event of an execution"))
    }

    async fn lines(&self, after: u64, limit: usize) -> Result<Vec<CommittedLine>, FeedError> {
        self.store.committed_lines(after, limit).await.map_err(failed("read log lines"))
    }

    async fn changed(&self, after: Heads) {
        // Subscribed before the look, so that nothing written in between is missed. Nobody else writes to the file.
        let mut commits = self.orchestrator.subscribe();
        let mut lines = pin!(self.store.lines.notified());
        lines.as_mut().enable();
        // Heads that cannot be read are for the follower to complain about.
        if self.store.heads().await.is_ok_and(|heads| heads == after) {
            tokio::select! {
                _ = commits.recv() => (),
                () = lines => (),
            }
        }
    }

    async fn definition(&self, path: &str, version: u32) -> Result<Option<Definition>, FeedError> {
        let version = (version > 0).then_some(version);
        match self.catalog.get(&Which::Path(path.to_owned(), version)).await {
            Ok(entry) => Ok(Some(definition(entry))),
            Err(CatalogError::Unknown(_)) => Ok(None),
            Err(error) => Err(failed("read a playbook")(error)),
        }
    }

    async fn definitions(&self) -> Result<Vec<Definition>, FeedError> {
        let mut definitions = Vec::new();
        for Version { path, version } in self.versions().await? {
            definitions.extend(self.definition(&path, version).await?);
        }
        Ok(definitions)
    }

    async fn versions(&self) -> Result<Vec<Version>, FeedError> {
        let query = CatalogQuery { kind: Some(PLAYBOOK.to_owned()), ..CatalogQuery::default() };
        let listed = self.catalog.list(query).await.map_err(failed("list the playbooks"))?;
        Ok(listed.into_iter().map(|entry| Version { path: entry.path, version: entry.version }).collect())
    }
}

fn definition(entry: Entry) -> Definition {
    Definition {
        path: entry.path,
        version: entry.version,
        content: entry.content,
        created_ms: entry.created_ms,
    }
}

fn failed<E: std::error::Error + Send + Sync + 'static>(attempted: &'static str) -> impl Fn(E) -> FeedError {
    move |source| FeedError { attempted, source: Box::new(source) }
}
