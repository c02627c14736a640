//! Connections, kept open per server, database and user between tasks.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use noetl_domain::error::TaskError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{AsyncMessage, Client};

use super::error;
use super::target::Target;
use super::tls::Tls;
use crate::tool::Log;

/// Connections to one place at most, idle ones included.
const PER_PLACE: usize = 10;
const IDLE: Duration = Duration::from_secs(30);

/// Settings that decide how values are written; a task may change them, and the next one finds them as here.
const SETTINGS: &str = "SET DateStyle TO ISO; SET IntervalStyle TO postgres; SET bytea_output TO hex; \
                        SET extra_float_digits TO 1";
/// Gives a used connection back its first state. `DISCARD ALL` would also drop the statements the client prepared.
const RESET: &str = "ROLLBACK; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DISCARD TEMP; DISCARD SEQUENCES; UNLISTEN *; CLOSE ALL; \
                     SELECT pg_advisory_unlock_all(); ";

#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<HashMap<String, Arc<Shelf>>>>);

/// The connections to one place.
#[derive(Debug)]
struct Shelf {
    idle: Mutex<Vec<Idle>>,
    slots: Arc<Semaphore>,
}

struct Idle {
    line: Line,
    since: Instant,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").field("since", &self.since).finish_non_exhaustive()
    }
}

/// An open connection.
struct Line {
    client: Client,
    tls: Tls,
    /// Takes the notices of the task that uses the connection.
    log: Arc<Mutex<Log>>,
}

/// A connection in a task's hands. Dropping it gives it back, or, in the middle of a statement, cancels that on the server.
pub(super) struct Session {
    line: Option<Line>,
    busy: bool,
    shelf: Arc<Shelf>,
    slot: Option<OwnedSemaphorePermit>,
}

impl Connections {
    pub(super) async fn take(&self, target: &Target, log: &Log) -> Result<Session, TaskError> {
        let shelf = {
            let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(shelves.entry(target.key.clone()).or_insert_with(Shelf::new))
        };
        let slot = Arc::clone(&shelf.slots)
            .acquire_owned()
            .await
            .map_err(|_| TaskError::new("connection", "the worker is stopping"))?;
        let line = match shelf.newest() {
            Some(line) => line,
            None => Line::open(target).await?,
        };
        *line.log.lock().unwrap_or_else(PoisonError::into_inner) = log.clone();
        Ok(Session { line: Some(line), busy: false, shelf, slot: Some(slot) })
    }
}

impl Shelf {
    fn new() -> Arc<Self> {
        Arc::new(Self { idle: Mutex::default(), slots: Arc::new(Semaphore::new(PER_PLACE)) })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn newest(&self) -> Option<Line> {
        let mut idle = self.idle();
        while let Some(found) = idle.pop() {
            if !found.line.client.is_closed() {
                return Some(found.line);
            }
        }
        None
    }

    /// Puts a connection on the shelf, and closes it there when nobody takes it.
    fn keep(self: &Arc<Self>, line: Line) {
        let first = {
            let mut idle = self.idle();
            idle.push(Idle { line, since: Instant::now() });
            idle.len() == 1
        };
        if first {
            tokio::spawn(close_idle(Arc::downgrade(self)));
        }
    }
}

/// Runs as long as the shelf has idle connections.
async fn close_idle(shelf: Weak<Shelf>) {
    loop {
        tokio::time::sleep(IDLE / 2).await;
        let Some(shelf) = shelf.upgrade() else { return };
        let mut idle = shelf.idle();
        idle.retain(|one| one.since.elapsed() < IDLE && !one.line.client.is_closed());
        if idle.is_empty() {
            return;
        }
    }
}

impl Line {
    async fn open(target: &Target) -> Result<Self, TaskError> {
        let tls = Tls::new(&target.verify).map_err(|error| {
            TaskError::new("config", format!("cannot connect to PostgreSQL at {}: {error}", target.place))
                .with_code("CR002")
        })?;
        let failed = |error: tokio_postgres::Error| error::of_connect(&error, &target.place);
        let (client, mut connection) = target.config.connect(tls.clone()).await.map_err(failed)?;
        let log = Arc::new(Mutex::new(Log::discard()));
        let heard = Arc::clone(&log);
        // Ends when the client is dropped or the server hangs up.
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notice(notice) = message {
                    let level = if notice.severity() == "WARNING" { "warn" } else { "info" };
                    let log = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    log.line("postgres", level, format!("{}: {}", notice.severity(), notice.message()));
                }
            }
        });
        client.batch_execute(SETTINGS).await.map_err(failed)?;
        Ok(Self { client, tls, log })
    }
}

impl Session {
    pub(super) fn client(&self) -> &Client {
        // Only `drop` takes the line.
        &self.line.as_ref().expect("a session has its connection until it is dropped").client
    }

    /// Marks the connection as in the middle of something until `idle`.
    pub(super) fn busy(&mut self) {
        self.busy = true;
    }

    pub(super) fn idle(&mut self) {
        self.busy = false;
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(line), slot) = (self.line.take(), self.slot.take()) else { return };
        if line.client.is_closed() {
            return;
        }
        // Without a runtime there is nothing left to cancel or keep.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        *line.log.lock().unwrap_or_else(PoisonError::into_inner) = Log::discard();
        let (busy, shelf) = (self.busy, Arc::clone(&self.shelf));
        runtime.spawn(async move {
            if busy {
                // The server would go on with the statement after the client left.
                let _ = line.client.cancel_token().cancel_query(line.tls.clone()).await;
            } else if line.client.batch_execute(&format!("{RESET}{SETTINGS}")).await.is_ok() {
                shelf.keep(line);
            }
            drop(slot);
        });
    }
}
