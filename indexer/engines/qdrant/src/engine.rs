//! Opening, serving and closing the engine.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, SetAside};
use crate::collection::Shared;
use crate::directory::{Directory, LockError};
use crate::{front, upkeep};

/// A client that does not let go of its connection cannot keep the engine from closing.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Config {
    /// Where the collections live. One process at a time.
    pub directory: PathBuf,
    /// How many reads run at once; each takes a core while it runs.
    pub reads: usize,
    /// After so many touched points of a collection the engine looks whether its segments want rebuilding.
    pub rebuild_after: u64,
}

impl Config {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { directory: directory.into(), reads: cores, rebuild_after: 10_000 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the vector store {} is in use by another process; stop that one or choose another directory", directory.display())]
    Taken { directory: PathBuf },
    #[error("the vector store {} cannot be opened", directory.display())]
    Directory {
        directory: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Where a Qdrant client finds the engine, and the key it must show. The key is new with every start.
#[derive(Clone, PartialEq, Eq)]
pub struct Front {
    pub url: String,
    pub api_key: String,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Front").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Qdrant's engine in this process. Close it before the process ends; what was not closed is found again all the same.
pub struct Engine {
    catalog: Arc<Catalog>,
    damaged: Vec<SetAside>,
    stop: CancellationToken,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("set_aside", &self.damaged).finish_non_exhaustive()
    }
}

impl Engine {
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let Config { directory, reads, rebuild_after } = config;
        let shown = directory.clone();
        let failed = |cause| OpenError::Directory { directory: shown.clone(), cause };
        let opened = tokio::task::spawn_blocking(move || -> Result<_, LockError> {
            let (directory, lock) = Directory::open(&directory)?;
            let reads = Arc::new(Semaphore::new(reads.max(1)));
            let shared = Shared { _lock: Arc::new(lock), reads, rebuild_after };
            Ok(Catalog::open(directory, shared)?)
        });
        let (catalog, damaged) = match opened.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(LockError::Taken)) => return Err(OpenError::Taken { directory: shown }),
            Ok(Err(LockError::File(cause))) => return Err(failed(cause)),
            Err(panic) => return Err(failed(io::Error::other(panic))),
        };
        let catalog = Arc::new(catalog);
        let stop = CancellationToken::new();
        let upkeep = tokio::spawn(upkeep::run(catalog.clone(), stop.clone()));
        Ok(Self { catalog, damaged, stop, tasks: std::sync::Mutex::new(vec![upkeep]) })
    }

    /// The collections that could not be opened, and why.
    pub fn set_aside(&self) -> &[SetAside] {
        &self.damaged
    }

    /// Answers Qdrant's gRPC protocol on this listener until the engine closes.
    pub fn serve(&self, listener: TcpListener) -> io::Result<Front> {
        let address = listener.local_addr()?;
        let api_key = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        let front = Front { url: format!("http://{address}"), api_key };
        let serving = front::serve(
            self.catalog.clone(),
            listener,
            Arc::from(front.api_key.as_str()),
            self.stop.clone(),
        );
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(tokio::spawn(serving));
        Ok(front)
    }

    /// Ends the fronts, brings everything to disk and closes every collection.
    pub async fn close(self) -> io::Result<()> {
        self.stop.cancel();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for mut task in tasks {
            if tokio::time::timeout(CLOSE_PATIENCE, &mut task).await.is_err() {
                task.abort();
            }
        }
        let catalog = self.catalog.clone();
        match tokio::task::spawn_blocking(move || catalog.close()).await {
            Ok(outcome) => outcome,
            Err(panic) => Err(io::Error::other(panic)),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
