//! One collection: a directory, a shard of the engine, a journal.
//!
//! Reads go straight to the shard, many at once. Writes take turns: the journal is their lock.
//! A directory is a collection from the moment its `collection.json` is there until its `gone` mark is.

mod home;
mod upkeep;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ::qdrant_client::qdrant;
use qdrant_edge::{EdgeConfig, EdgeShard, UpdateOperation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, Semaphore, watch};
use tonic::Status;

use crate::check;
use crate::directory::DirectoryLock;
use crate::engine_call::guarded;
use crate::journal::Journal;
use crate::room;
use crate::wire;

pub(crate) use home::{Reason, write_whole};
pub(crate) use upkeep::chain;

/// A write flushes the engine when the journal has grown to this.
const JOURNAL_BYTES: u64 = 64 << 20;
/// While segments are rebuilt nothing can be flushed, and writes wait once the journal has grown to this.
const JOURNAL_LIMIT: u64 = 1 << 30;

pub(crate) struct Collection {
    name: String,
    home: PathBuf,
    /// None once the collection is closed or gone.
    shard: RwLock<Option<EdgeShard>>,
    journal: Arc<Mutex<Journal>>,
    metadata: RwLock<Map<String, Value>>,
    optimising: watch::Sender<bool>,
    /// Operations ever answered, for the number a client gets back.
    operations: AtomicU64,
    /// Points touched since the engine was last asked whether its segments want rebuilding.
    touched: AtomicU64,
    shared: Shared,
}

/// What `collection.json` holds; the engine keeps the rest of the configuration itself.
#[derive(Serialize, Deserialize)]
struct About {
    name: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// When a write is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Once it would survive the loss of power.
    Synced,
    /// At once; the upkeep syncs it within a second.
    Soon,
}

/// What all collections of an engine share.
#[derive(Clone)]
pub(crate) struct Shared {
    /// The directory stays locked as long as any thread works in it.
    pub(crate) _lock: Arc<DirectoryLock>,
    pub(crate) reads: Arc<Semaphore>,
    /// After so many touched points the engine is asked whether its segments want rebuilding.
    pub(crate) rebuild_after: u64,
}

impl Collection {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn metadata(&self) -> HashMap<String, qdrant::Value> {
        let metadata = self.metadata.read().unwrap_or_else(PoisonError::into_inner);
        metadata.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect()
    }

    pub(crate) fn is_optimising(&self) -> bool {
        *self.optimising.borrow()
    }

    /// Runs a read on a thread that may block, a bounded number at a time.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&EdgeShard) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let permit = self
            .shared
            .reads
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Status::unavailable("the vector engine is closing"))?;
        let this = self.clone();
        blocking(move || {
            let _permit = permit;
            this.look(work)
        })
        .await
    }

    /// Works with the shard on the calling thread.
    pub(crate) fn look<T>(&self, work: impl FnOnce(&EdgeShard) -> Result<T, Status>) -> Result<T, Status> {
        let shard = self.shard.read().unwrap_or_else(PoisonError::into_inner);
        match shard.as_ref() {
            Some(shard) => guarded(|| work(shard)).unwrap_or_else(|words| Err(Status::internal(words))),
            None => Err(not_found(&self.name)),
        }
    }

    /// Applies operations in order and answers with the number of the last one. The first refused one ends the batch;
    /// those before it stay done.
    pub(crate) async fn write(
        self: &Arc<Self>,
        operations: Vec<UpdateOperation>,
        durability: Durability,
    ) -> Result<u64, Status> {
        let mut journal = self.journal.clone().lock_owned().await;
        while journal.bytes() > JOURNAL_LIMIT && self.is_optimising() {
            drop(journal);
            // An error means that the collection is being dropped, and the write will say so.
            let _ = self.optimising.subscribe().wait_for(|optimising| !optimising).await;
            journal = self.journal.clone().lock_owned().await;
        }
        let this = self.clone();
        blocking(move || {
            room::check(&this.home).map_err(|error| unwritten(&error))?;
            let applied = this.look(|shard| {
                let config = shard.config().clone();
                operations.iter().try_for_each(|operation| check::operation(&config, operation))?;
                operations.into_iter().try_for_each(|operation| this.apply(shard, &mut journal, operation))
            });
            if durability == Durability::Synced {
                journal.sync().map_err(|error| unwritten(&error))?;
            }
            applied?;
            if journal.bytes() > JOURNAL_BYTES {
                this.flush(&mut journal)?;
            }
            Ok(this.operations.fetch_add(1, Ordering::Relaxed))
        })
        .await
    }

    fn apply(
        &self,
        shard: &EdgeShard,
        journal: &mut Journal,
        operation: UpdateOperation,
    ) -> Result<(), Status> {
        let points = operation.point_ids().map_or(1, |ids| ids.len() as u64);
        let line = Journal::encode(&operation).map_err(|error| unwritten(&error))?;
        shard.update(operation).map_err(wire::error::status)?;
        self.touched.fetch_add(points, Ordering::Relaxed);
        journal.append(&line).map_err(|error| unwritten(&error))
    }

    /// Brings everything to disk and forgets the journal; while segments are rebuilt, only syncs the journal.
    fn flush(&self, journal: &mut Journal) -> Result<(), Status> {
        if self.is_optimising() {
            return journal.sync().map_err(|error| unwritten(&error));
        }
        if journal.bytes() == 0 {
            return Ok(());
        }
        // The journal keeps what the engine cannot bring to disk now.
        room::check(&self.home).map_err(|error| unwritten(&error))?;
        self.look(|shard| {
            shard.flush();
            Ok(())
        })?;
        journal.forget().map_err(|error| unwritten(&error))
    }

    /// Changes how segments are rebuilt from now on, and what is said about the collection.
    pub(crate) async fn update(self: &Arc<Self>, change: qdrant::UpdateCollection) -> Result<(), Status> {
        let this = self.clone();
        blocking(move || {
            let journal = this.journal.blocking_lock();
            this.look(|shard| {
                if let Some(diff) = &change.optimizers_config {
                    let mut config = shard.config().optimizers.clone();
                    wire::collection::change_optimizers(&mut config, diff);
                    shard.set_optimizers_config(config).map_err(wire::error::status)?;
                }
                if let Some(diff) = &change.hnsw_config {
                    let mut config = shard.config().hnsw_config;
                    wire::collection::change_hnsw(&mut config, diff)?;
                    shard.set_hnsw_config(config).map_err(wire::error::status)?;
                }
                Ok(())
            })?;
            if !change.metadata.is_empty() {
                let mut metadata = this.metadata.write().unwrap_or_else(PoisonError::into_inner);
                metadata.extend(wire::payload::parse(change.metadata).0);
                let about = About { name: this.name.clone(), metadata: metadata.clone() };
                home::write_about(&this.home, &about).map_err(|error| unwritten(&error))?;
            }
            drop(journal);
            Ok(())
        })
        .await
    }
}

pub(crate) fn not_found(name: &str) -> Status {
    Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"))
}

fn unwritten(error: &io::Error) -> Status {
    tracing::error!(%error, "the vector engine cannot write");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Status::resource_exhausted(format!("the disk of the vector engine is full: {error}"))
        }
        _ => Status::internal(format!("the vector engine cannot write: {error}")),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Status::internal(format!("the vector engine failed: {error}"))),
    }
}

/// Where a collection's parts lie.
struct Layout<'a>(&'a Path);

impl Layout<'_> {
    fn about(&self) -> PathBuf {
        self.0.join("collection.json")
    }
    fn gone(&self) -> PathBuf {
        self.0.join("gone")
    }
    fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }
    fn optimising(&self) -> PathBuf {
        self.0.join("optimising.json")
    }
    fn shard(&self) -> PathBuf {
        self.0.join("shard")
    }
    fn segments(&self) -> PathBuf {
        self.shard().join("segments")
    }
    fn half_built(&self) -> PathBuf {
        self.shard().join("temp_segments")
    }
    fn wal(&self) -> PathBuf {
        self.shard().join("wal")
    }
}

/// What a shard is made with.
pub(crate) struct Order {
    pub(crate) name: String,
    pub(crate) config: EdgeConfig,
    pub(crate) metadata: Map<String, Value>,
}
