//! `noetl.toml`: sections with defaults; an unknown key is an error.
//!
//! What wins, strongest first: an option on the command line, the environment, the file, the default.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use noetl_api::policy::Policy;
use noetl_domain::budget::Limits;
use serde::{Deserialize, Serialize};

use crate::cli::Global;
use crate::env::Environment;
use crate::problem::Problem;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) worker: Worker,
    pub(crate) retention: Retention,
    pub(crate) indexer: Indexer,
    pub(crate) assistant: Assistant,
    /// What proposals may change, and how a change is tried.
    pub(crate) policy: Policy,
    pub(crate) log: Log,
}

/// Where the server listens and where clients look for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// Address to listen on; never all interfaces unless written here.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The server that clients talk to; empty: the one that holds the data directory, or host and port.
    pub(crate) url: String,
    /// Lets `POST /api/postgres/execute` take raw connection strings instead of named credentials.
    pub(crate) allow_raw_connections: bool,
    /// Lets `GET /api/credentials/NAME?include_data=true` hand out what is secret in a credential.
    pub(crate) allow_credential_data: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8082,
            url: String::new(),
            allow_raw_connections: false,
            allow_credential_data: false,
        }
    }
}

/// The embedded store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Store {
    /// Empty: `~/.noetl`.
    pub(crate) data_dir: PathBuf,
}

/// The worker that runs beside the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Worker {
    /// The pool whose commands it takes.
    pub(crate) pool: String,
    /// Commands it runs side by side; 0: chosen from the number of cores.
    pub(crate) slots: usize,
    /// The interpreter for python steps; empty: the first `python3` on PATH.
    pub(crate) python: PathBuf,
    /// How many tries after an error a host or a credential may get: `share` of its requests (0.1), and
    /// `floor_per_second` (10) beside them; `burst` (100) are saved up, and a try waits at most
    /// `longest_wait_seconds` (30).
    pub(crate) retry_budget: Limits,
}

impl Default for Worker {
    fn default() -> Self {
        Self { pool: "default".to_owned(), slots: 0, python: PathBuf::new(), retry_budget: Limits::default() }
    }
}

/// How long history is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retention {
    /// Days for which the server keeps executions after their end, with their logs and large results; 0: for ever.
    /// For ever is the default, because history is evidence and nobody expects a server to delete it unasked.
    pub(crate) keep_days: u32,
}

impl Retention {
    pub(crate) fn keep(self) -> Option<std::time::Duration> {
        (self.keep_days > 0).then(|| std::time::Duration::from_hours(24 * u64::from(self.keep_days)))
    }
}

/// The semantic layer: what makes events answerable. Runs go on without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Indexer {
    pub(crate) enabled: bool,
    /// A ClickHouse server, such as `http://127.0.0.1:8123`; empty: the engine in this process.
    pub(crate) clickhouse: String,
    pub(crate) clickhouse_user: String,
    /// Better given as `NOETL_CLICKHOUSE_KEY`.
    #[serde(skip_serializing)]
    pub(crate) clickhouse_key: String,
    /// Where the engine in this process listens for other readers (Grafana, curl); empty: any free port.
    pub(crate) clickhouse_listen: String,
    /// Database of the analytic tables.
    pub(crate) database: String,
    /// A Qdrant server, such as `http://127.0.0.1:6334` (its gRPC port); empty: the engine in this process.
    pub(crate) qdrant: String,
    /// Better given as `NOETL_QDRANT_KEY`.
    #[serde(skip_serializing)]
    pub(crate) qdrant_key: String,
    /// What makes vectors of texts.
    pub(crate) embedding: noetl_indexer::embedding::Config,
    /// What may be stored of messages.
    pub(crate) policy: noetl_indexer::Policy,
    /// Days that rows stay.
    pub(crate) retention: noetl_indexer::Retention,
}

impl Default for Indexer {
    fn default() -> Self {
        Self {
            enabled: true,
            clickhouse: String::new(),
            clickhouse_user: "default".to_owned(),
            clickhouse_key: String::new(),
            clickhouse_listen: String::new(),
            database: "observability".to_owned(),
            qdrant: String::new(),
            qdrant_key: String::new(),
            embedding: noetl_indexer::embedding::Config::default(),
            policy: noetl_indexer::Policy::default(),
            retention: noetl_indexer::Retention::default(),
        }
    }
}

/// What explains and proposes; it applies nothing, and runs go on without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Assistant {
    /// Off: nothing is explained by itself and no model is asked; `noetl why` answers by rules.
    pub(crate) enabled: bool,
    /// Whether a server explains failures by itself.
    pub(crate) diagnose: Diagnose,
    /// A language model that writes explanations; none by default.
    pub(crate) model: noetl_assistant::llm::Config,
    /// When proposals are looked for.
    pub(crate) propose: noetl_assistant::proposal::Config,
}

impl Default for Assistant {
    fn default() -> Self {
        Self {
            enabled: true,
            diagnose: Diagnose::Always,
            model: noetl_assistant::llm::Config::default(),
            propose: noetl_assistant::proposal::Config::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Diagnose {
    /// Every failure, as it happens.
    Always,
    /// When somebody asks.
    OnDemand,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// A level, or a filter such as `warn,noetl_server=debug`.
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "warn".to_owned(), format: LogFormat::Text }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// What was chosen by hand rather than by default; it decides where a command looks for a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) address: bool,
    pub(crate) data_dir: bool,
}

impl Config {
    pub(crate) fn load(global: &Global, environment: &Environment) -> anyhow::Result<(Self, Chosen)> {
        let mut config = match Self::file(global, environment) {
            Some(path) => read(&path)?,
            None => Self::default(),
        };
        let mut chosen = Chosen { address: !config.server.url.is_empty(), data_dir: false };
        config.worker.retry_budget.check().map_err(|wrong| {
            Problem::usage(format!("[worker.retry_budget]: {wrong}"))
                .hint("correct it in noetl.toml, or leave it out; `noetl config` shows what is in use")
        })?;
        config.apply_environment(environment, &mut chosen)?;
        config.apply_options(global, &mut chosen);
        if config.store.data_dir.as_os_str().is_empty() {
            let home = environment.home.clone().ok_or_else(|| {
                Problem::usage("there is no home directory to keep the store in")
                    .hint("name a directory with --data DIR or NOETL_DATA_DIR")
            })?;
            config.store.data_dir = home.join(".noetl");
        } else {
            chosen.data_dir = true;
        }
        Ok((config, chosen))
    }

    /// The file that was named, else noetl.toml of the current directory.
    pub(crate) fn file(global: &Global, environment: &Environment) -> Option<PathBuf> {
        let named = global.config.as_ref().or(environment.config.as_ref()).cloned();
        named.or_else(|| Some(PathBuf::from("noetl.toml")).filter(|path| path.is_file()))
    }

    fn apply_environment(&mut self, environment: &Environment, chosen: &mut Chosen) -> anyhow::Result<()> {
        let Environment {
            data_dir,
            host,
            port,
            server_url,
            max_workers,
            worker_pool,
            python,
            log,
            clickhouse_key,
            qdrant_key,
            embedding_key,
            ..
        } = environment;
        if let Some(key) = clickhouse_key {
            self.indexer.clickhouse_key.clone_from(key);
        }
        if let Some(key) = qdrant_key {
            self.indexer.qdrant_key.clone_from(key);
        }
        if let (Some(key), Some(endpoint)) = (embedding_key, &mut self.indexer.embedding.endpoint) {
            endpoint.key.clone_from(key);
        }
        if let Some(directory) = data_dir {
            self.store.data_dir.clone_from(directory);
        }
        if let Some(host) = host {
            self.server.host.clone_from(host);
            chosen.address = true;
        }
        if let Some(port) = port {
            self.server.port = number("NOETL_PORT", port)?;
            chosen.address = true;
        }
        if let Some(url) = server_url {
            self.server.url.clone_from(url);
            chosen.address = true;
        }
        if let Some(slots) = max_workers {
            self.worker.slots = number("NOETL_MAX_WORKERS", slots)?;
        }
        if let Some(pool) = worker_pool {
            self.worker.pool.clone_from(pool);
        }
        if let Some(python) = python {
            self.worker.python.clone_from(python);
        }
        if let Some(level) = log {
            self.log.level.clone_from(level);
        }
        Ok(())
    }

    fn apply_options(&mut self, global: &Global, chosen: &mut Chosen) {
        if let Some(host) = &global.host {
            self.server.host.clone_from(host);
        }
        if let Some(port) = global.port {
            self.server.port = port;
        }
        if global.host.is_some() || global.port.is_some() {
            // Host and port on the command line beat an address from elsewhere.
            self.server.url.clear();
            chosen.address = true;
        }
        if let Some(url) = &global.server_url {
            self.server.url.clone_from(url);
            chosen.address = true;
        }
        if let Some(directory) = &global.data {
            self.store.data_dir.clone_from(directory);
        }
    }

    /// Where clients look: the address that was named, else host and port.
    pub(crate) fn client_url(&self) -> String {
        let url = self.server.url.trim().trim_end_matches('/');
        match url {
            "" => {
                let host = self.server.host.as_str();
                let host = if host == "0.0.0.0" { "127.0.0.1" } else { host };
                if host.contains(':') {
                    format!("http://[{host}]:{}", self.server.port)
                } else {
                    format!("http://{host}:{}", self.server.port)
                }
            }
            url if url.contains("://") => url.to_owned(),
            url => format!("http://{url}"),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| {
        Problem::usage(format!("cannot read the configuration file {}", path.display()))
            .hint("name it with --config FILE; without it noetl.toml of the current directory is read")
    })?;
    toml::from_str(&text).with_context(|| {
        Problem::usage(format!("the configuration file {} is not valid", path.display()))
            .hint("`noetl config` prints every key with the value in effect")
    })
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> anyhow::Result<T> {
    text.trim().parse().map_err(|_| Problem::usage(format!("{name} must be a number, not {text:?}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_beat_the_environment_which_beats_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("noetl.toml");
        std::fs::write(&file, "[server]\nhost = \"10.0.0.1\"\nport = 1\n[worker]\nslots = 3\n").unwrap();
        let environment =
            Environment { port: Some("2".into()), home: Some("/home/x".into()), ..Environment::default() };
        let global = Global { config: Some(file), host: Some("::1".into()), ..Global::default() };
        let (config, chosen) = Config::load(&global, &environment).unwrap();
        assert_eq!(config.client_url(), "http://[::1]:2");
        assert_eq!(config.worker.slots, 3);
        assert_eq!(config.store.data_dir, Path::new("/home/x/.noetl"));
        assert!(chosen.address && !chosen.data_dir);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = toml::from_str::<Config>("[server]\nprot = 1\n").unwrap_err().to_string();
        assert!(error.contains("unknown field `prot`"), "{error}");
    }

    #[test]
    fn the_default_listens_on_this_machine_only() {
        assert_eq!(Config::default().server.host, "127.0.0.1");
    }
}
