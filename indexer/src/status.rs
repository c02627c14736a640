//! How the indexer is doing: what is on, what is off and why, and how far behind it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// What a part of the indexer is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Part {
    /// Its engine is being opened.
    #[default]
    Starting,
    On,
    /// It does not work at the moment, and is tried again.
    Failing {
        reason: String,
    },
    /// It is left out; everything else works.
    Off {
        reason: String,
    },
}

/// One follower of the feed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Progress {
    #[serde(flatten)]
    pub part: Part,
    /// Position of the last Event that is in the store.
    pub position: u64,
    /// Position of the newest Event.
    pub head: u64,
    /// Events that are committed and not in the store.
    pub behind: u64,
    /// Age of the oldest of them, or of the last one when it was put in, in milliseconds.
    pub lag_ms: u64,
    pub rows: u64,
    /// Events and lines that were set aside because they cannot be read.
    pub poison: u64,
}

impl Progress {
    /// Tells how far it is; with a stretch that was just put in, when its last Event was committed.
    pub(crate) fn reached(&mut self, position: u64, head: u64, put_in: Option<i64>) {
        (self.position, self.head) = (position, head);
        self.behind = head.saturating_sub(position);
        match put_in {
            Some(last_ms) if last_ms > 0 => {
                let now = chrono::Utc::now().timestamp_millis();
                self.lag_ms = (now - last_ms).max(0) as u64;
            }
            Some(_) => self.lag_ms = 0,
            None if self.behind == 0 => self.lag_ms = 0,
            None => {}
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Snapshot {
    pub analytics: Progress,
    pub vectors: Progress,
    /// Points on their way into the space of another embedder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving: Option<Moving>,
    pub looked_at: LookedAt,
}

/// Whether what is kept equal to something outside the feed was compared with it since the vector store is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LookedAt {
    pub playbooks: bool,
    pub knowledge: bool,
}

/// How far the points of another embedder are moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Moving {
    /// The collection they come from.
    pub from: String,
    pub done: u64,
    pub total: u64,
}

/// Clones share what is told.
#[derive(Clone, Debug, Default)]
pub struct Status {
    inner: Arc<Mutex<Snapshot>>,
    changed: Arc<tokio::sync::Notify>,
}

impl Status {
    pub fn get(&self) -> Snapshot {
        self.lock().clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.lock());
        self.changed.notify_waiters();
    }

    /// Comes after the next change; it counts from this call, not from the first poll.
    pub fn changed(&self) -> impl Future<Output = ()> + Send + '_ {
        self.changed.notified()
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
