//! The engine in this process, its front, and what the indexer needs to follow into it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use noetl_bus::feed::{Feed as _, Heads};
use noetl_engine_clickhouse::direct::Direct;
use noetl_engine_clickhouse::{Access, Engine, Front, library};
use noetl_indexer::{Analytics, Config, Endpoint, Fingerprints, Part, Retention, Semantic};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::backlog::Backlog;

/// Longest time for anything here.
const PATIENCE: Duration = Duration::from_mins(30);

pub(crate) struct Layer {
    front: Front,
    /// The engine without the front: the raw limit.
    pub(crate) direct: Direct,
    pub(crate) semantic: Semantic,
    config: Config,
    _directory: TempDir,
}

/// The follower at work.
pub(crate) struct Following {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Layer {
    /// Opened, with empty tables.
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let library = library().context("no libchdb.so")?;
        let place = directory.path().join("clickhouse");
        let engine =
            Engine::open(&noetl_engine_clickhouse::Config { library, directory: place, memory: None })?;
        let direct = Direct::open(&engine).map_err(|error| anyhow::anyhow!("{error}"))?;
        let front = engine.serve(TcpListener::bind("127.0.0.1:0").await?, Access::random())?;
        let config = Config::new(directory.path().join("index"));
        let analytics = analytics(&front, &config.database);
        analytics.prepare(config.retention).await?;
        let semantic = Semantic::new(Fingerprints::open(&config.directory));
        semantic.set_analytics(Ok(analytics));
        Ok(Self { front, direct, semantic, config, _directory: directory })
    }

    pub(crate) fn follow(&self, backlog: &Backlog) -> Following {
        let stop = CancellationToken::new();
        let feed = Arc::new(backlog.clone());
        let running = noetl_indexer::run(self.config.clone(), self.semantic.clone(), feed, stop.clone());
        Following { stop, task: tokio::spawn(running) }
    }

    /// Comes when the follower has put in everything up to these places.
    pub(crate) async fn reached(&self, heads: Heads) -> anyhow::Result<()> {
        let reached = async {
            loop {
                let changed = self.semantic.status().changed();
                let analytics = self.semantic.status().get().analytics;
                match analytics.part {
                    Part::Failing { reason } | Part::Off { reason } => anyhow::bail!("{reason}"),
                    Part::On if analytics.position >= heads.events => return Ok(()),
                    Part::On | Part::Starting => {
                        let _ = tokio::time::timeout(Duration::from_millis(50), changed).await;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.context("the follower does not catch up")?
    }

    /// The same tables once more, empty.
    pub(crate) async fn second(&self, database: &str) -> anyhow::Result<()> {
        analytics(&self.front, database).prepare(Retention::default()).await?;
        Ok(())
    }

    pub(crate) fn ask(&mut self, sql: &str, format: &str) -> anyhow::Result<Vec<u8>> {
        self.direct.query(sql, format).map_err(|error| anyhow::anyhow!("{sql}: {error}"))
    }

    pub(crate) fn number(&mut self, sql: &str) -> anyhow::Result<u64> {
        let answer = self.ask(sql, "TSVRaw")?;
        Ok(String::from_utf8_lossy(&answer).trim().parse()?)
    }

    /// Comes when the engine has nothing to merge.
    pub(crate) async fn merged(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.number("SELECT count() FROM system.merges")? > 0 {
            anyhow::ensure!(Instant::now() < deadline, "the engine merges for ever");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    pub(crate) async fn close(self) {
        drop(self.direct);
        self.front.close().await;
    }
}

impl Following {
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(self.task.await?)
    }
}

fn analytics(front: &Front, database: &str) -> Analytics {
    let endpoint = |user: &noetl_engine_clickhouse::User| Endpoint {
        url: front.url(),
        user: user.name.clone(),
        key: user.key.clone(),
    };
    Analytics::new(&endpoint(&front.access.owner), &endpoint(&front.access.reader), database)
}

/// Where the log ends.
pub(crate) async fn heads(backlog: &Backlog) -> anyhow::Result<Heads> {
    Ok(backlog.heads().await?)
}
