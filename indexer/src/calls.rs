//! Calls of language models on their way into the analytic store.
//!
//! Whoever records one never waits: where the store is away or slow, what there is no room for is dropped and counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::rows::CallRow;
use crate::semantic::Semantic;

/// Calls that may wait.
const WAITING: usize = 1_000;
/// Calls of one insert.
const BATCH: usize = 200;
/// What comes in a breath goes in together.
const BREATH: Duration = Duration::from_millis(500);

/// Takes calls. Clones share the room.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    calls: mpsc::Sender<CallRow>,
    waiting: Arc<Mutex<Option<mpsc::Receiver<CallRow>>>>,
    dropped: Arc<AtomicU64>,
}

impl Default for Recorder {
    fn default() -> Self {
        let (calls, waiting) = mpsc::channel(WAITING);
        Self { calls, waiting: Arc::new(Mutex::new(Some(waiting))), dropped: Arc::default() }
    }
}

impl Recorder {
    pub(crate) fn record(&self, call: CallRow) {
        if self.calls.try_send(call).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Puts calls in as they come, for as long as it is polled; only one may.
    pub(crate) async fn put(&self, semantic: &Semantic) {
        let taken = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = taken else { return };
        let mut told = 0;
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            tokio::time::sleep(BREATH).await;
            while batch.len() < BATCH {
                let Ok(call) = waiting.try_recv() else { break };
                batch.push(call);
            }
            let rows = std::mem::take(&mut batch);
            // While the store is away calls wait in the channel, and are dropped when it is full.
            loop {
                let changed = semantic.status().changed();
                match semantic.analytics() {
                    Ok(analytics) => match analytics.insert_calls(&rows).await {
                        Ok(()) => break,
                        Err(error) => {
                            tracing::warn!(error = %crate::follow::chain(&error), "calls of a model could not be kept");
                            tokio::time::sleep(4 * BREATH).await;
                        }
                    },
                    Err(_) => changed.await,
                }
            }
            let dropped = self.dropped();
            if dropped > told {
                tracing::warn!(
                    dropped = dropped - told,
                    "calls of a model were not recorded: too many waited"
                );
                told = dropped;
            }
        }
    }
}
