//! The semantic layer in this process: engines opened behind the server's back, the indexer following, questions
//! answered.
//!
//! Nothing here is waited for: a run goes on while engines open, fail or are absent.

mod again;
mod analytics;
mod vectors;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use noetl_indexer::vectors::Knowledge;
use noetl_indexer::{Config, Fingerprints, LookedAt, Part, Progress, Semantic, Snapshot};
use noetl_server::feed::StoreFeed;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// The layer of this process. Cheap to clone; the one that was started is closed once.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    semantic: Semantic,
}

/// The work behind a layer.
#[derive(Debug)]
pub(super) struct Work {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Layer {
    /// A layer with nothing behind it yet.
    pub(super) fn new(context: &Context) -> Self {
        let directory = directory(context);
        let semantic = Semantic::new(Fingerprints::open(&directory));
        Self { semantic: semantic.with_knowledge(Knowledge::open(&directory)) }
    }

    pub(super) fn semantic(&self) -> Semantic {
        self.semantic.clone()
    }

    /// Says why questions are not answered here.
    pub(super) fn leave_off(&self, reason: &str) {
        self.semantic.set_analytics(Err(reason.to_owned()));
        self.semantic.set_vectors(Err(reason.to_owned()));
    }

    /// Opens the engines and follows the feed, until the work is closed.
    pub(super) fn start(&self, context: &Context, feed: StoreFeed) -> Option<Work> {
        let settings = &context.config.indexer;
        if !settings.enabled {
            self.leave_off("[indexer] enabled = false");
            return None;
        }
        let mut config = Config::new(directory(context));
        config.database.clone_from(&settings.database);
        (config.policy, config.retention) = (settings.policy, settings.retention);
        let plans = (analytics::Plan::of(context), vectors::Plan::of(context));
        let stop = CancellationToken::new();
        let task = tokio::spawn(work(self.semantic.clone(), config, plans, feed, stop.clone()));
        Some(Work { stop, task })
    }

    /// Comes when everything that was committed can be asked about, or when it is known that it will not be.
    pub(crate) async fn caught_up(&self) {
        self.until(|status| {
            let LookedAt { playbooks, knowledge } = status.looked_at;
            let is_looked_at = playbooks && knowledge || status.vectors.part != Part::On;
            is_looked_at && is_settled(&status.analytics) && is_settled(&status.vectors)
        })
        .await;
    }

    /// The same for the tables alone: questions about them do not wait for vectors to be made.
    pub(crate) async fn tables_caught_up(&self) {
        self.until(|status| is_settled(&status.analytics)).await;
    }

    /// Comes when documents can be taken in, or when it is known that they will not be.
    pub(crate) async fn takes_documents(&self) {
        self.until(|status| status.vectors.part != Part::Starting).await;
    }

    async fn until(&self, is_so: impl Fn(&Snapshot) -> bool) {
        let status = self.semantic.status();
        loop {
            let changed = status.changed();
            if is_so(&status.get()) {
                return;
            }
            changed.await;
        }
    }
}

fn is_settled(progress: &Progress) -> bool {
    match progress.part {
        Part::On => progress.behind == 0,
        Part::Off { .. } | Part::Failing { .. } => true,
        Part::Starting => false,
    }
}

impl Work {
    /// Lets what is being put in finish, and closes the engines.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.task.await.context("the semantic layer has stopped by itself")
    }
}

/// Where the engines of this process keep their files.
fn directory(context: &Context) -> PathBuf {
    context.config.store.data_dir.join("index")
}

async fn work(
    semantic: Semantic,
    config: Config,
    (analytics, vectors): (analytics::Plan, vectors::Plan),
    feed: StoreFeed,
    stop: CancellationToken,
) {
    // Each is told as soon as it is there, and its followers begin then: nobody waits for the other, which may be tried
    // for as long as this process lives.
    let (front, engine, ()) = tokio::join!(
        analytics.open(&semantic, &stop),
        vectors.open(&semantic, &stop),
        noetl_indexer::run(config, semantic.clone(), Arc::new(feed), stop.clone()),
    );
    stop.cancelled().await;
    if let Some(front) = front {
        front.close().await;
    }
    if let Some(engine) = engine
        && let Err(error) = engine.close().await
    {
        tracing::warn!(%error, "the vector engine was not closed cleanly");
    }
}
