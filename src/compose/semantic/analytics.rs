//! The analytic store: a ClickHouse server, or the engine in this process.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use noetl_engine_clickhouse::{Access, Engine, Front, User};
use noetl_indexer::{Analytics, Endpoint, Semantic};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::again::until_opened;
use super::directory;
use crate::config;
use crate::context::Context;

/// Where the analytic store is.
pub(super) enum Plan {
    Server { endpoint: Endpoint, database: String },
    Engine { directory: PathBuf, listen: String, database: String },
}

impl Plan {
    pub(super) fn of(context: &Context) -> Self {
        let config::Indexer {
            clickhouse, clickhouse_user, clickhouse_key, clickhouse_listen, database, ..
        } = &context.config.indexer;
        let database = database.clone();
        if !clickhouse.is_empty() {
            let endpoint = Endpoint {
                url: clickhouse.clone(),
                user: clickhouse_user.clone(),
                key: clickhouse_key.clone(),
            };
            return Self::Server { endpoint, database };
        }
        Self::Engine {
            directory: directory(context).join("clickhouse"),
            listen: clickhouse_listen.clone(),
            database,
        }
    }

    /// Opens it, however often that takes, and tells the layer; the front, when the engine is ours, is to be closed.
    pub(super) async fn open(self, semantic: &Semantic, stop: &CancellationToken) -> Option<Front> {
        match self {
            Self::Server { endpoint, database } => {
                semantic.set_analytics(Ok(Analytics::new(&endpoint, &endpoint, &database)));
                None
            }
            Self::Engine { directory, listen, database } => {
                let open = || engine(&directory, &listen);
                let failing = |reason| semantic.analytics_fail(reason);
                let front = until_opened("analytics", open, failing, stop).await?;
                semantic.set_analytics(Ok(connect(&front, &database)));
                Some(front)
            }
        }
    }
}

fn connect(front: &Front, database: &str) -> Analytics {
    let endpoint =
        |user: &User| Endpoint { url: front.url(), user: user.name.clone(), key: user.key.clone() };
    Analytics::new(&endpoint(&front.access.owner), &endpoint(&front.access.reader), database)
}

async fn engine(directory: &Path, listen: &str) -> anyhow::Result<Front> {
    // Looked for each time: it may be brought while this process runs.
    let library = noetl_engine_clickhouse::library().filter(|path| path.is_file());
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
