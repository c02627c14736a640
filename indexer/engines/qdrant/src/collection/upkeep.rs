//! What a collection needs from time to time: syncing, flushing, a shorter log, rebuilt segments.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use qdrant_edge::EdgeShard;
use tonic::Status;

use super::{Collection, Reason};
use crate::wire;

/// The engine's log may grow to this before the shard is opened anew.
const LOG_BYTES: u64 = 256 << 20;

impl Collection {
    /// Syncs what was answered before it was on disk.
    pub(crate) fn sync(&self) -> Result<(), Status> {
        self.journal.blocking_lock().sync().map_err(|error| super::unwritten(&error))
    }

    /// Flushes the engine, so that the journal stays short and opening quick.
    pub(crate) fn settle(&self) -> Result<(), Status> {
        let mut journal = self.journal.blocking_lock();
        self.flush(&mut journal)?;
        let grown = self.log_bytes().is_ok_and(|bytes| bytes > LOG_BYTES);
        if grown && !self.is_optimising() {
            self.renew(&mut journal).map_err(|reason| self.broken(&reason))?;
        }
        Ok(())
    }

    fn broken(&self, reason: &Reason) -> Status {
        let words = chain(reason);
        tracing::error!(collection = self.name, error = words, "a collection cannot be opened again");
        Status::internal(words)
    }

    pub(crate) fn wants_rebuilding(&self) -> bool {
        !self.is_optimising() && self.touched.load(Ordering::Relaxed) >= self.shared.rebuild_after
    }

    /// Lets the engine rebuild segments that have grown or hold many deleted points; does nothing where none has.
    ///
    /// Reads and writes go on meanwhile. The segments of before are written down first, so that a crash can go back to
    /// them, and the journal keeps everything until the end.
    pub(crate) fn rebuild(self: &Arc<Self>) -> Result<bool, Status> {
        {
            let mut journal = self.journal.blocking_lock();
            self.flush(&mut journal)?;
            self.mark_rebuild().map_err(|error| super::unwritten(&error))?;
            self.touched.store(0, Ordering::Relaxed);
            self.optimising.send_replace(true);
        }
        let rebuilt = self.look(|shard: &EdgeShard| shard.optimize().map_err(wire::error::status));
        let mut journal = self.journal.blocking_lock();
        self.optimising.send_replace(false);
        // Whatever came of it, the segments are whole now; the mark goes once they are on disk.
        self.look(|shard| {
            shard.flush();
            Ok(())
        })?;
        self.unmark_rebuild().map_err(|error| super::unwritten(&error))?;
        journal.forget().map_err(|error| super::unwritten(&error))?;
        rebuilt
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}
