//! Making, opening and removing a collection's directory.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use qdrant_edge::EdgeShard;
use tokio::sync::{Mutex, watch};

use super::{About, Collection, Layout, Order, Shared};
use crate::directory::sync_directory;
use crate::engine_call::guarded;
use crate::journal::Journal;
use crate::room;

/// Why a collection could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("there is no collection.json: the collection was never finished")]
    Unfinished,
    #[error("a description of the collection cannot be read")]
    About(#[source] serde_json::Error),
    #[error("a file cannot be read or written")]
    File(#[from] io::Error),
    #[error("the engine refuses it: {0}")]
    Engine(String),
}

impl Collection {
    pub(crate) fn create(home: &Path, order: Order, shared: &Shared) -> Result<Self, Reason> {
        let layout = Layout(home);
        fs::create_dir_all(layout.shard())?;
        room::check(home)?;
        let shard = guarded(|| EdgeShard::new(&layout.shard(), order.config))
            .and_then(|made| made.map_err(|error| error.to_string()))
            .map_err(Reason::Engine)?;
        guarded(|| shard.flush()).map_err(Reason::Engine)?;
        let journal = Journal::open(&layout.journal())?;
        let about = About { name: order.name, metadata: order.metadata };
        write_about(home, &about)?;
        if let Some(parent) = home.parent() {
            sync_directory(parent)?;
        }
        Ok(Self::assemble(home.to_path_buf(), shard, journal, about, shared))
    }

    /// Opens what is there: undoes what a crash interrupted, and does the journal's operations again.
    pub(crate) fn open(home: &Path, shared: &Shared) -> Result<Self, Reason> {
        let layout = Layout(home);
        let about = match fs::read(layout.about()) {
            Ok(bytes) => serde_json::from_slice::<About>(&bytes).map_err(Reason::About)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Reason::Unfinished),
            Err(error) => return Err(error.into()),
        };
        undo_rebuild(&layout)?;
        let shard = load(&layout)?;
        let mut journal = Journal::open(&layout.journal())?;
        guarded(|| -> io::Result<()> {
            let replayed = journal.replay(|operation| {
                // What the engine refused then, it refuses now.
                let _ = shard.update(operation);
            })?;
            if replayed > 0 {
                tracing::info!(collection = about.name, replayed, "operations of the journal are done again");
                shard.flush();
            }
            Ok(())
        })
        .map_err(Reason::Engine)??;
        journal.forget()?;
        remove_file(&layout.optimising())?;
        Ok(Self::assemble(home.to_path_buf(), shard, journal, about, shared))
    }

    fn assemble(home: PathBuf, shard: EdgeShard, journal: Journal, about: About, shared: &Shared) -> Self {
        Self {
            name: about.name,
            home,
            shard: RwLock::new(Some(shard)),
            journal: Arc::new(Mutex::new(journal)),
            metadata: RwLock::new(about.metadata),
            optimising: watch::Sender::new(false),
            operations: AtomicU64::new(0),
            touched: AtomicU64::new(0),
            shared: shared.clone(),
        }
    }

    /// Whether a directory is what a deletion has not cleared away yet.
    pub(crate) fn is_gone(home: &Path) -> bool {
        Layout(home).gone().exists()
    }

    /// From here on the directory is rubbish, whatever happens.
    pub(crate) fn mark_gone(&self) -> io::Result<()> {
        fs::File::create(Layout(&self.home).gone())?.sync_all()?;
        sync_directory(&self.home)
    }

    /// Waits for the last reader, closes the shard and removes the directory.
    pub(crate) fn clear_away(&self) {
        let shard = self.shard.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Err(error) = guarded(|| drop(shard)) {
            tracing::warn!(collection = self.name, error, "a deleted collection did not close cleanly");
        }
        if let Err(error) = fs::remove_dir_all(&self.home) {
            tracing::warn!(collection = self.name, %error, "a deleted collection is removed at the next start");
        }
    }

    /// Brings everything to disk and closes the shard. While its segments are being rebuilt it only syncs the journal:
    /// the next start undoes the rebuilding, rather than this one waiting for it.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut journal = self.journal.blocking_lock();
        if self.is_optimising() {
            return journal.sync();
        }
        let shard = self.shard.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Err(error) = room::check(&self.home) {
            // Dropping a shard flushes it, and there is no room for that.
            tracing::warn!(collection = self.name, %error, "the journal keeps what could not be flushed");
            std::mem::forget(shard);
            return journal.sync();
        }
        match guarded(|| drop(shard)) {
            Ok(()) => journal.forget(),
            Err(words) => {
                tracing::error!(collection = self.name, words, "the journal keeps what could not be flushed");
                journal.sync()
            }
        }
    }

    /// Opens the shard anew, because its log is never shortened while it is open.
    pub(super) fn renew(&self, journal: &mut Journal) -> Result<(), Reason> {
        let layout = Layout(&self.home);
        let mut slot = self.shard.write().unwrap_or_else(PoisonError::into_inner);
        let Some(shard) = slot.take() else { return Ok(()) };
        guarded(|| drop(shard)).map_err(Reason::Engine)?;
        *slot = Some(load(&layout)?);
        journal.forget()?;
        Ok(())
    }

    pub(super) fn log_bytes(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(Layout(&self.home).wal())? {
            bytes += entry?.metadata()?.len();
        }
        Ok(bytes)
    }

    /// Before segments are rebuilt: which ones there are.
    pub(super) fn mark_rebuild(&self) -> io::Result<()> {
        let layout = Layout(&self.home);
        let names = serde_json::to_vec(&segment_names(&layout)?)?;
        write_whole(&layout.optimising(), &names)?;
        sync_directory(&self.home)
    }

    pub(super) fn unmark_rebuild(&self) -> io::Result<()> {
        remove_file(&Layout(&self.home).optimising())
    }
}

fn load(layout: &Layout<'_>) -> Result<EdgeShard, Reason> {
    shorten_log(&layout.wal())?;
    guarded(|| EdgeShard::load(&layout.shard(), None))
        .and_then(|loaded| loaded.map_err(|error| error.to_string()))
        .map_err(Reason::Engine)
}

/// A rebuilding that was interrupted leaves the old segments beside a new one of the same points. The old ones are whole,
/// because the journal holds all that came after them; so the new ones go. Where an old one is missing, the rebuilding
/// had been finished.
fn undo_rebuild(layout: &Layout<'_>) -> Result<(), Reason> {
    if layout.half_built().exists() {
        fs::remove_dir_all(layout.half_built())?;
    }
    let before: Vec<String> = match fs::read(layout.optimising()) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(Reason::About)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let now = segment_names(layout)?;
    if before.iter().all(|name| now.contains(name)) {
        for name in now.iter().filter(|name| !before.contains(name)) {
            tracing::info!(segment = name, "a segment whose making was interrupted is removed");
            fs::remove_dir_all(layout.segments().join(name))?;
        }
    }
    Ok(())
}

/// Names with a dot are hidden, or on their way out.
fn segment_names(layout: &Layout<'_>) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(layout.segments())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.contains('.') {
            names.push(name);
        }
    }
    Ok(names)
}

/// The engine's own log only grows, and nobody reads it back: of its finished files only the last is needed, because
/// the numbering of operations goes on from there.
fn shorten_log(wal: &Path) -> io::Result<()> {
    let mut finished: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(wal)? {
        let entry = entry?;
        let name = entry.file_name();
        let start =
            name.to_str().and_then(|name| name.strip_prefix("closed-")).and_then(|start| start.parse().ok());
        if let Some(start) = start {
            finished.push((start, entry.path()));
        }
    }
    finished.sort_unstable();
    finished.pop();
    for (_, path) in finished {
        fs::remove_file(path)?;
    }
    Ok(())
}

pub(super) fn write_about(home: &Path, about: &About) -> io::Result<()> {
    write_whole(&Layout(home).about(), &serde_json::to_vec_pretty(about)?)?;
    sync_directory(home)
}

/// Readers see the old file or the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_engines_log_the_last_finished_file_and_the_open_ones_stay() {
        let wal = tempfile::tempdir().unwrap();
        for name in ["closed-1", "closed-20", "closed-3", "open-4", "open-5", "first-index"] {
            fs::write(wal.path().join(name), name).unwrap();
        }
        shorten_log(wal.path()).unwrap();
        let mut left: Vec<_> = fs::read_dir(wal.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["closed-20", "first-index", "open-4", "open-5"]);
    }

    #[test]
    fn an_interrupted_rebuilding_leaves_the_segments_from_before() {
        let cases = [
            (vec!["a"], vec!["a", "b", "c"], vec!["a"]),
            // The old one is gone: the rebuilding had been finished.
            (vec!["a"], vec!["b", "c"], vec!["b", "c"]),
            (vec!["a", "b"], vec!["a", "b"], vec!["a", "b"]),
        ];
        for (before, now, expected) in cases {
            let home = tempfile::tempdir().unwrap();
            let layout = Layout(home.path());
            fs::create_dir_all(layout.half_built().join("x")).unwrap();
            for name in &now {
                fs::create_dir_all(layout.segments().join(name)).unwrap();
            }
            fs::write(layout.optimising(), serde_json::to_vec(&before).unwrap()).unwrap();
            undo_rebuild(&layout).unwrap();
            let mut left = segment_names(&layout).unwrap();
            left.sort();
            assert_eq!(left, expected, "before {before:?}, now {now:?}");
            assert!(!layout.half_built().exists());
        }
    }
}
