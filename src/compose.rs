//! Puts the rooms together in one process: store, orchestrator, bus, router, worker.

mod assistant;
mod credentials;
mod desk;
mod history;
mod logging;
pub(crate) mod policy;
mod postgres;
mod semantic;
mod sources;

use std::sync::Arc;

use anyhow::Context as _;
use noetl_api::client::Client;
use noetl_api::pool::PoolRequest;
use noetl_assistant::chat::Talk;
use noetl_bus::Bus as _;
use noetl_bus::local::Local;
use noetl_bus::results::Results;
use noetl_domain::code::Code;
use noetl_domain::{Map, Value};
use noetl_server::catalog::Catalog;
use noetl_server::error::ServerError;
use noetl_server::feed::StoreFeed;
use noetl_server::http::{BudgetsOf, Depth, HttpConfig, Metrics, Pools, Services};
use noetl_server::ids::{Ids, now_ms};
use noetl_server::orchestrator::{Orchestrator, Parts};
use noetl_server::proposals::{Proposals, follow_until};
use noetl_server::schedule::{Schedules, fire_until};
use noetl_server::store::retention::delete_until;
use noetl_server::store::{DataLock, EventStore as _, SqliteStore};
use noetl_server::vault::Vault;
use noetl_worker::budgets::Budgets;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use self::semantic::Layer;

use self::credentials::FromVault;
use crate::context::Context;
use crate::playbook_file;
use crate::problem::Problem;

/// What a process brings besides the store and the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Answers readers.
    Read,
    /// Answers readers, questions to the semantic layer among them.
    Insight,
    /// Keeps what it is given; runs nothing.
    Write,
    /// Runs what it is given, and leaves alone what others began.
    Run,
    /// Runs what it is given and what did not end when its process did.
    Resume,
    /// Serves: resumes, and fires schedules.
    Serve,
}

/// Rooms that run in this process.
#[derive(Debug)]
pub(crate) struct Rooms {
    address: String,
    opened_ms: i64,
    orchestrator: Orchestrator,
    store: Arc<SqliteStore>,
    bus: Arc<Local>,
    stop: CancellationToken,
    working_ends: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    working: Option<JoinHandle<()>>,
    layer: Layer,
    indexing: Option<semantic::Work>,
    /// Held as long as this process decides.
    _lock: Option<DataLock>,
}

pub(crate) async fn reader(context: &Context) -> anyhow::Result<Rooms> {
    open(context, Purpose::Read, None).await
}

pub(crate) async fn insight(context: &Context) -> anyhow::Result<Rooms> {
    open(context, Purpose::Insight, None).await
}

pub(crate) async fn writer(context: &Context, lock: DataLock) -> anyhow::Result<Rooms> {
    open(context, Purpose::Write, Some(lock)).await
}

pub(crate) async fn engine(context: &Context, lock: DataLock) -> anyhow::Result<Rooms> {
    open(context, Purpose::Run, Some(lock)).await
}

pub(crate) async fn resumer(context: &Context, lock: DataLock) -> anyhow::Result<Rooms> {
    open(context, Purpose::Resume, Some(lock)).await
}

pub(crate) async fn server(context: &Context, lock: DataLock) -> anyhow::Result<Rooms> {
    open(context, Purpose::Serve, Some(lock)).await
}

async fn open(context: &Context, purpose: Purpose, lock: Option<DataLock>) -> anyhow::Result<Rooms> {
    logging::start(&context.config.log);
    let (listener, address) = listen(context, purpose).await?;
    let directory = &context.config.store.data_dir;
    let store = SqliteStore::open(directory).await?;
    let largest = store.largest_id().await?;
    // One process decides over a store, so one node number is enough.
    let ids = Arc::new(Ids::new(0).after(largest));
    let key = context.environment.encryption_key.as_deref();
    let vault = Vault::open(store.clone(), Arc::clone(&ids), directory, key).await?;
    let schedules = Schedules::new(store.clone(), Arc::clone(&ids));
    let catalog =
        Catalog::new(store.clone(), Arc::clone(&ids), schedules.clone()).with_reader(playbook_file::reader());
    let proposals =
        Proposals::open(store.clone(), Arc::clone(&ids), catalog.clone(), policy::source(context))
            .await
            .map_err(ServerError::from)?;
    let results = Results::open(&directory.join("results").display().to_string())
        .context("cannot open the directory of large results")?;
    let bus = Arc::new(Local::new(noetl_bus::local::Config::default()));
    let store = Arc::new(store);
    let stop = CancellationToken::new();
    let parts = Parts {
        store: Arc::clone(&store),
        bus: Arc::clone(&bus),
        results: results.clone(),
        ids,
        env: Arc::new(environment(context, &address)),
    };
    let plans = Arc::new(catalog.clone());
    let orchestrator = match purpose {
        Purpose::Read | Purpose::Insight | Purpose::Write | Purpose::Run => {
            Orchestrator::open_beside_unfinished(parts, plans)
        }
        Purpose::Resume | Purpose::Serve => Orchestrator::open(parts, plans).await?,
    };
    let worker_config = worker_config(context);
    let services = Services {
        orchestrator: orchestrator.clone(),
        store: Arc::clone(&store),
        catalog,
        vault: vault.clone(),
        schedules,
        proposals: proposals.clone(),
        results: results.clone(),
        pools: Pools::default(),
        metrics: Metrics::default(),
        config: Arc::new(http_config(context)),
        stop: stop.clone(),
        depth: Some(depth_of(&bus)),
        budgets: Some(budgets_of(&worker_config)),
        sql: Some(postgres::runner()),
    };
    if purpose == Purpose::Serve {
        // Ends with the control plane.
        drop(services.count_events());
        tokio::spawn(fire_until(services.schedules.clone(), orchestrator.clone(), stop.clone()));
        tokio::spawn(follow_until(proposals, orchestrator.clone(), stop.clone()));
        if let Some(keep) = context.config.retention.keep() {
            let store = Arc::clone(&store);
            tokio::spawn(delete_until(store, results.clone(), orchestrator.clone(), keep, stop.clone()));
        }
    }
    let pools = services.pools.clone();
    let feed = StoreFeed::new(SqliteStore::clone(&store), orchestrator.clone(), services.catalog.clone());
    let layer = Layer::new(context);
    let sources = sources::FromStore {
        store: Arc::clone(&store),
        catalog: services.catalog.clone(),
        vault: vault.clone(),
        results: results.clone(),
        pools: pools.clone(),
        semantic: layer.semantic(),
        proposals: services.proposals.clone(),
    };
    let sources = Arc::new(sources);
    let assistant = assistant::open(context, Arc::clone(&sources), &vault);
    let desk = Arc::new(desk::ToControl(services.proposals.clone()));
    let tools = Arc::new(playbook_file::tools());
    let propose = context.config.assistant.propose.clone();
    let talk = assistant.model().map(|model| Talk { model, tools: Arc::clone(&tools) });
    let looking = noetl_assistant::proposal::router(
        Arc::clone(&sources),
        Arc::clone(&desk),
        Arc::clone(&tools),
        propose.failure_costs_seconds * 1_000.0,
    );
    if purpose == Purpose::Serve {
        // Both beside the hot path; they end with the control plane.
        let settings = &context.config.assistant;
        drop(assistant::attend(settings, assistant.clone(), Arc::clone(&store), &orchestrator, stop.clone()));
        tokio::spawn(noetl_assistant::proposal::watch(sources, desk, tools, propose, stop.clone()));
    }
    // Chat and MCP ask as everybody does: over HTTP, under the same limits.
    let answers = Arc::new(Client::new(&address)?);
    let others = noetl_indexer::router(layer.semantic(), Arc::new(feed.clone()))
        .merge(noetl_assistant::router(assistant))
        .merge(looking)
        .merge(noetl_assistant::chat::router(Arc::clone(&answers), talk))
        .merge(noetl_assistant::mcp::router(answers, stop.clone()));
    let router = noetl_server::http::router_with(services, others, described());
    let working_ends = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let serving = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future());
    let working = matches!(purpose, Purpose::Run | Purpose::Resume | Purpose::Serve).then(|| {
        let credentials = Arc::new(FromVault::new(vault));
        pools.add_own(own_pool(&worker_config));
        tokio::spawn(noetl_worker::run(
            worker_config,
            Arc::clone(&bus),
            credentials,
            results,
            working_ends.clone(),
        ))
    });
    let indexing = match purpose {
        Purpose::Serve | Purpose::Insight => layer.start(context, feed),
        Purpose::Read | Purpose::Write | Purpose::Run | Purpose::Resume => {
            layer.leave_off("this process runs playbooks only; ask while `noetl up` runs");
            None
        }
    };
    if let Some(lock) = &lock {
        lock.set_address(&address).context("cannot write the address into the lock file")?;
    }
    Ok(Rooms {
        address,
        opened_ms: now_ms(),
        orchestrator,
        store,
        bus,
        stop,
        working_ends,
        serving,
        working,
        layer,
        indexing,
        _lock: lock,
    })
}

/// The contract of the rooms beside the control plane.
fn described() -> utoipa::openapi::OpenApi {
    let mut document = noetl_indexer::openapi();
    document.merge(noetl_assistant::openapi());
    document
}

/// A server listens where it was told; others take any port of this machine.
async fn listen(context: &Context, purpose: Purpose) -> anyhow::Result<(TcpListener, String)> {
    let server = &context.config.server;
    let wanted =
        if purpose == Purpose::Serve { (server.host.as_str(), server.port) } else { ("127.0.0.1", 0) };
    let listener = TcpListener::bind(wanted).await.map_err(|error| {
        let problem =
            Problem::new(format!("cannot listen on {}:{}", wanted.0, wanted.1)).code(Code::CannotListen);
        let problem = match error.kind() {
            std::io::ErrorKind::AddrInUse => problem.hint(
                "another program uses this port; choose another one with --port, or 0 for any free one",
            ),
            _ => problem.hint("choose another address with --host and --port"),
        };
        anyhow::Error::from(error).context(problem)
    })?;
    let local = listener.local_addr().context("cannot read the address that is listened on")?;
    // Clients of this machine reach a server on all interfaces through the loopback one.
    let host = if local.ip().is_unspecified() { "127.0.0.1".to_owned() } else { bracketed(local.ip()) };
    Ok((listener, format!("http://{host}:{}", local.port())))
}

fn bracketed(ip: std::net::IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

fn http_config(context: &Context) -> HttpConfig {
    let server = &context.config.server;
    HttpConfig {
        allow_connection_strings: server.allow_raw_connections,
        allow_credential_data: server.allow_credential_data,
        local_only: server.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        code_page: Some(|code| Some(code.page())),
        ..HttpConfig::default()
    }
}

/// Follows the bus for `/metrics`.
fn depth_of(bus: &Arc<Local>) -> Arc<dyn Fn() -> Depth + Send + Sync> {
    let bus = Arc::clone(bus);
    Arc::new(move || {
        let noetl_bus::local::Depth { waiting, held } = bus.depth();
        Depth { waiting, held }
    })
}

/// The retry budgets of the workers of this process.
fn budgets_of(config: &noetl_worker::Config) -> BudgetsOf {
    let budgets = Arc::clone(&config.retry_budget);
    Arc::new(move || (budgets.limits(), budgets.accounts()))
}

/// The workers of this process, for `GET /api/worker/pools`.
fn own_pool(config: &noetl_worker::Config) -> PoolRequest {
    PoolRequest {
        name: config.pool.clone(),
        capacity: Some(u32::try_from(config.concurrency).unwrap_or(u32::MAX)),
        runtime: serde_json::json!({ "type": "local", "pid": std::process::id() }),
        ..PoolRequest::default()
    }
}

fn worker_config(context: &Context) -> noetl_worker::Config {
    let worker = &context.config.worker;
    let mut config = noetl_worker::Config { pool: worker.pool.clone(), ..noetl_worker::Config::default() };
    if worker.slots > 0 {
        config.concurrency = worker.slots;
    }
    config.python = noetl_worker::tools::python::Config::from_env();
    if !worker.python.as_os_str().is_empty() {
        config.python.places.chosen = Some(worker.python.clone());
    }
    config.retry_budget = Arc::new(Budgets::new(worker.retry_budget));
    config.scratch_dir = context.config.store.data_dir.join("scratch");
    config
}

/// What templates read as `env.NAME`; the server's own address is among it.
fn environment(context: &Context, address: &str) -> Map {
    let mut map: Map = std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), Value::String(value.to_string_lossy().into_owned()))
        })
        .collect();
    // The vault's key is nobody's business but the vault's, and the model's key but the assistant's.
    map.remove("NOETL_ENCRYPTION_KEY");
    map.remove(&context.config.assistant.model.key_env);
    map.insert("NOETL_SERVER_URL".to_owned(), Value::String(address.to_owned()));
    map
}

impl Rooms {
    /// Whether executions run here.
    pub(crate) fn works(&self) -> bool {
        self.working.is_some()
    }

    /// Unix milliseconds.
    pub(crate) fn opened_ms(&self) -> i64 {
        self.opened_ms
    }

    /// The semantic layer of this process.
    pub(crate) fn layer(&self) -> &Layer {
        &self.layer
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Comes when the server stops by itself, which it should not.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.serving).await {
            Ok(Ok(())) => anyhow::anyhow!("the server has stopped by itself"),
            Ok(Err(error)) => anyhow::Error::from(error).context("the server cannot go on"),
            Err(error) => anyhow::Error::from(error).context("the server has stopped by itself"),
        }
    }

    /// Lets what is in hand finish: no new requests, no new Commands, then the store is written back.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.working_ends.cancel();
        if let Some(working) = self.working {
            working.await.context("the worker has stopped by itself")?;
        }
        self.bus.close();
        self.orchestrator.stop();
        self.serving.await.context("the server has stopped by itself")?.context("the server cannot stop")?;
        if let Some(indexing) = self.indexing {
            indexing.close().await?;
        }
        self.store.close().await;
        Ok(())
    }
}
