//! The environment, read in one place, once.
//!
//! Older names stay readable where users have them in their scripts (playbooks.md section 20).

use std::ffi::OsString;
use std::path::PathBuf;

/// Every variable the binary looks at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// `NOETL_CONFIG`: the configuration file.
    pub(crate) config: Option<PathBuf>,
    /// `NOETL_DATA_DIR`: where the embedded store lives.
    pub(crate) data_dir: Option<PathBuf>,
    /// `NOETL_HOST`, `NOETL_PORT`: the server's address.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<String>,
    /// `NOETL_SERVER_URL`: the server that clients talk to.
    pub(crate) server_url: Option<String>,
    /// `NOETL_ENCRYPTION_KEY`: opens the vault instead of the key file.
    pub(crate) encryption_key: Option<String>,
    /// `NOETL_MAX_WORKERS`: commands that the worker runs side by side.
    pub(crate) max_workers: Option<String>,
    /// `NOETL_WORKER_POOL_NAME`: the pool whose commands the worker takes.
    pub(crate) worker_pool: Option<String>,
    /// `NOETL_PYTHON`: the interpreter for python steps.
    pub(crate) python: Option<PathBuf>,
    /// `NOETL_LOG`, else `LOG_LEVEL`: a level, or a filter such as `noetl_server=debug`.
    pub(crate) log: Option<String>,
    /// `NOETL_CLICKHOUSE_KEY`: opens the ClickHouse server that is named in the configuration.
    pub(crate) clickhouse_key: Option<String>,
    /// `NOETL_QDRANT_KEY`: opens the Qdrant server that is named in the configuration.
    pub(crate) qdrant_key: Option<String>,
    /// `NOETL_EMBEDDING_KEY`: opens the embeddings endpoint that is named in the configuration.
    pub(crate) embedding_key: Option<String>,
    /// `NO_COLOR`: no colours, whatever its value (unless empty).
    pub(crate) no_color: bool,
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `USER`: who decides about a proposal, for the record.
    pub(crate) user: Option<String>,
}

impl Environment {
    pub(crate) fn read() -> Self {
        Self {
            config: path("NOETL_CONFIG"),
            data_dir: path("NOETL_DATA_DIR"),
            host: text("NOETL_HOST"),
            port: text("NOETL_PORT"),
            server_url: text("NOETL_SERVER_URL"),
            encryption_key: text("NOETL_ENCRYPTION_KEY"),
            max_workers: text("NOETL_MAX_WORKERS"),
            worker_pool: text("NOETL_WORKER_POOL_NAME"),
            python: path("NOETL_PYTHON"),
            log: text("NOETL_LOG").or_else(|| text("LOG_LEVEL")),
            clickhouse_key: text("NOETL_CLICKHOUSE_KEY"),
            qdrant_key: text("NOETL_QDRANT_KEY"),
            embedding_key: text("NOETL_EMBEDDING_KEY"),
            no_color: present("NO_COLOR").is_some(),
            home: path("HOME"),
            user: text("USER"),
        }
    }
}

/// A variable whose name stands in the configuration.
pub(crate) fn named(name: &str) -> Option<String> {
    if name.is_empty() { None } else { text(name) }
}

/// An empty variable counts as not set.
fn present(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    present(name).map(PathBuf::from)
}

fn text(name: &str) -> Option<String> {
    present(name).map(|value| value.to_string_lossy().into_owned())
}
