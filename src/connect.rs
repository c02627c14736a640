//! Where a command finds its server.
//!
//! A server that was named is the one. Otherwise it is whoever holds the data directory; else the one that listens
//! at the default address; else this process opens the embedded store itself and talks to its own rooms over HTTP,
//! so that there is one code path.

use std::time::Duration;

use noetl_api::client::Client;
use noetl_api::execution::ExecutionFilter;
use noetl_domain::code::Code;
use noetl_server::store::{DataLock, StoreError};

use crate::compose::{self, Rooms};
use crate::context::Context;
use crate::problem::Problem;
use crate::terminal;

/// What a command will ask for, which decides what this process must bring when there is no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Reading only: the store is opened without the right to decide.
    Read,
    /// Questions to the semantic layer.
    Insight,
    /// Writing, but running nothing.
    Write,
    /// Running executions to their end.
    Run,
    /// The same for executions that began in a process that is gone.
    Resume,
    /// Running executions without waiting for them: a server that stays.
    Server,
}

/// A client, and the rooms behind it when they are ours.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    rooms: Option<Rooms>,
    /// The server holds our data directory and may leave; somebody must take over then.
    pub(crate) shared: bool,
}

impl Connection {
    fn remote(address: &str, shared: bool) -> anyhow::Result<Self> {
        Ok(Self { client: Client::new(address)?, rooms: None, shared })
    }

    /// Talks to rooms of this process.
    pub(crate) fn to(rooms: Rooms) -> anyhow::Result<Self> {
        Ok(Self { client: Client::new(rooms.address())?, rooms: Some(rooms), shared: false })
    }

    /// The semantic layer, when it is of this process.
    pub(crate) fn layer(&self) -> Option<&compose::Layer> {
        self.rooms.as_ref().map(Rooms::layer)
    }

    pub(crate) fn into_rooms(self) -> Option<Rooms> {
        self.rooms
    }

    /// Lets our own rooms finish what they hold, and what other commands began in them meanwhile.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let Some(rooms) = self.rooms else { return Ok(()) };
        let mut told = false;
        while rooms.works() && others_are_at_work(&self.client, rooms.opened_ms()).await {
            if !told {
                terminal::tell(
                    "another run uses this process; waiting for it to end (Ctrl-C leaves at once)",
                );
                told = true;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
                // What has not ended goes on in the process that waits for it.
                _ = tokio::signal::ctrl_c() => break,
            }
        }
        rooms.close().await
    }
}

async fn others_are_at_work(client: &Client, since_ms: i64) -> bool {
    let running = ExecutionFilter { status: Some("RUNNING".to_owned()), ..ExecutionFilter::default() };
    let listed = client.executions(&running).await.unwrap_or_default();
    listed.iter().any(|execution| noetl_server::ids::time_of(execution.execution_id.0) >= since_ms)
}

/// How long another process may take to say its address after it took the data directory.
const ANNOUNCEMENT: Duration = Duration::from_secs(10);

pub(crate) async fn connect(context: &Context, need: Need) -> anyhow::Result<Connection> {
    let config = &context.config;
    if context.chosen.address {
        return Connection::remote(&config.client_url(), false);
    }
    let path = &config.store.data_dir;
    let since = std::time::Instant::now();
    loop {
        let held = DataLock::holder(path);
        if held.is_none()
            && let Some(connection) = listening_at_default(context).await?
        {
            return Ok(connection);
        }
        let holder = match (held, need) {
            (Some(holder), _) => holder,
            (None, Need::Server) => return Err(no_server(context).into()),
            (None, Need::Read) => return Connection::to(compose::reader(context).await?),
            (None, Need::Insight) => return Connection::to(compose::insight(context).await?),
            (None, Need::Write | Need::Run | Need::Resume) => match DataLock::acquire(path) {
                Ok(lock) => {
                    return Connection::to(match need {
                        Need::Run => compose::engine(context, lock).await?,
                        Need::Resume => compose::resumer(context, lock).await?,
                        _ => compose::writer(context, lock).await?,
                    });
                }
                Err(StoreError::Locked { holder, .. }) => holder,
                Err(error) => return Err(error.into()),
            },
        };
        if let Some(address) = &holder.address {
            let connection = Connection::remote(address, true)?;
            if connection.client.health().await.is_ok() {
                return Ok(connection);
            }
        }
        if since.elapsed() > ANNOUNCEMENT {
            return Err(Problem::new(format!(
                "{holder} holds the data directory {} and does not answer",
                path.display()
            ))
            .code(Code::StoreLocked)
            .hint("stop it with `noetl server stop`, or choose another directory with --data DIR")
            .into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn no_server(context: &Context) -> Problem {
    Problem::new(format!("there is no server at {}", context.config.client_url()))
        .code(Code::Unreachable)
        .hint("start one with `noetl up`, or run a playbook here and now with `noetl run`")
}

/// A server of another data directory on the usual port, unless a data directory was asked for by name.
async fn listening_at_default(context: &Context) -> anyhow::Result<Option<Connection>> {
    if context.chosen.data_dir {
        return Ok(None);
    }
    let server = &context.config.server;
    // A port that nobody listens on refuses at once; only then is an HTTP client worth setting up.
    if tokio::net::TcpStream::connect((server.host.as_str(), server.port)).await.is_err() {
        return Ok(None);
    }
    let connection = Connection::remote(&context.config.client_url(), false)?;
    Ok(connection.client.health().await.is_ok().then_some(connection))
}
