//! The semantic layer in this process: engines opened behind the server's back, the indexer following, questions
//! answered.
//!
//! Nothing here is waited for: a run goes on while engines open, fail or are absent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use noetl_engine_clickhouse::{Access, Engine, Front};
use noetl_indexer::{Analytics, Config, Endpoint, Fingerprints, Part, Semantic};
use noetl_server::feed::StoreFeed;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config;
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
        let semantic = Semantic::new(Fingerprints::open(&directory(context)));
        let reason = "search over meanings is not part of this version".to_owned();
        semantic.status().change(|status| status.vectors.part = Part::Off { reason });
        Self { semantic }
    }

    pub(super) fn semantic(&self) -> Semantic {
        self.semantic.clone()
    }

    /// Says why questions are not answered here.
    pub(super) fn leave_off(&self, reason: &str) {
        self.semantic.set_analytics(Err(reason.to_owned()));
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
        let plan = Plan::of(context);
        let stop = CancellationToken::new();
        let task = tokio::spawn(work(self.semantic.clone(), config, plan, feed, stop.clone()));
        Some(Work { stop, task })
    }

    /// Comes when everything that was committed can be asked about, or when it is known that it will not be.
    pub(crate) async fn caught_up(&self) {
        let status = self.semantic.status();
        loop {
            let changed = status.changed();
            let analytics = status.get().analytics;
            match analytics.part {
                Part::On if analytics.behind == 0 => return,
                Part::Off { .. } | Part::Failing { .. } => return,
                Part::On | Part::Starting => changed.await,
            }
        }
    }
}

impl Work {
    /// Lets what is being put in finish, and closes the engines.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.task.await.context("the semantic layer has stopped by itself")
    }
}

/// Where the analytic store is.
enum Plan {
    Server(Endpoint),
    Engine { library: Option<PathBuf>, directory: PathBuf, listen: String, database: String },
}

impl Plan {
    fn of(context: &Context) -> Self {
        let config::Indexer {
            clickhouse, clickhouse_user, clickhouse_key, clickhouse_listen, database, ..
        } = &context.config.indexer;
        if !clickhouse.is_empty() {
            return Self::Server(Endpoint {
                url: clickhouse.clone(),
                user: clickhouse_user.clone(),
                key: clickhouse_key.clone(),
            });
        }
        Self::Engine {
            library: noetl_engine_clickhouse::library(),
            directory: directory(context).join("clickhouse"),
            listen: clickhouse_listen.clone(),
            database: database.clone(),
        }
    }
}

fn directory(context: &Context) -> PathBuf {
    context.config.store.data_dir.join("index")
}

async fn work(semantic: Semantic, config: Config, plan: Plan, feed: StoreFeed, stop: CancellationToken) {
    let mut front = None;
    let analytics = match plan {
        Plan::Server(endpoint) => Ok(Analytics::new(&endpoint, &endpoint, &config.database)),
        Plan::Engine { library, directory, listen, database } => {
            match open(library, &directory, &listen).await {
                Ok(opened) => {
                    let analytics = connect(&opened, &database);
                    front = Some(opened);
                    Ok(analytics)
                }
                Err(error) => Err(format!("{error:#}")),
            }
        }
    };
    if let Err(reason) = &analytics {
        // Told on request too: `noetl cluster status`.
        tracing::info!(%reason, "analytics are off");
    }
    semantic.set_analytics(analytics);
    noetl_indexer::run(config, semantic, Arc::new(feed), stop.clone()).await;
    stop.cancelled().await;
    if let Some(front) = front {
        front.close().await;
    }
}

fn connect(front: &Front, database: &str) -> Analytics {
    let endpoint = |user: &noetl_engine_clickhouse::User| Endpoint {
        url: front.url(),
        user: user.name.clone(),
        key: user.key.clone(),
    };
    Analytics::new(&endpoint(&front.access.owner), &endpoint(&front.access.reader), database)
}

async fn open(library: Option<PathBuf>, directory: &Path, listen: &str) -> anyhow::Result<Front> {
    let library = library.filter(|path| path.is_file());
    let library =
        library.context("the ClickHouse engine is not on this machine; `cargo xtask setup` fetches it")?;
    let address = if listen.is_empty() { "127.0.0.1:0" } else { listen };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("the analytics cannot listen on {address}"))?;
    let config = noetl_engine_clickhouse::Config { library, directory: directory.to_owned(), memory: None };
    let engine = tokio::task::spawn_blocking(move || Engine::open(&config))
        .await
        .context("opening the ClickHouse engine came apart")??;
    let mut access = Access::random();
    access.reader.key = reader_key(directory, access.reader.key).context("cannot keep the readers' key")?;
    engine.serve(listener, access).context("cannot serve the ClickHouse engine")
}

/// The key that Grafana and others read with; it stays the same, so that they can be configured once.
fn reader_key(directory: &Path, fresh: String) -> std::io::Result<String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    let path = directory.with_file_name("reader.key");
    match std::fs::read_to_string(&path) {
        Ok(key) if !key.trim().is_empty() => return Ok(key.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    file.write_all(fresh.as_bytes())?;
    Ok(fresh)
}
