//! The engine's own work between requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::collection::Collection;

/// What a client did not wait for is on disk within about this time.
const TICK: Duration = Duration::from_secs(1);
/// Every so many ticks the engine is flushed and the journals forgotten.
const SETTLE_TICKS: u64 = 10;

pub(crate) async fn run(catalog: Arc<Catalog>, stop: CancellationToken) {
    let rebuilding = Arc::new(AtomicBool::new(false));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tick: u64 = 0;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        tick += 1;
        let settle = tick.is_multiple_of(SETTLE_TICKS);
        for collection in catalog.all() {
            if collection.wants_rebuilding() && !rebuilding.swap(true, Ordering::AcqRel) {
                rebuild(collection.clone(), rebuilding.clone());
            }
            let work = move || if settle { collection.settle() } else { collection.sync() };
            // Both outcomes are in the log already, and the next tick tries again.
            let _ = tokio::task::spawn_blocking(work).await;
        }
    }
}

/// One at a time, on a thread of its own: rebuilding takes minutes, and the runtime would wait for it when it ends.
fn rebuild(collection: Arc<Collection>, rebuilding: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let started = std::time::Instant::now();
        match collection.rebuild() {
            Ok(true) => {
                let seconds = started.elapsed().as_secs_f64();
                tracing::info!(
                    collection = collection.name(),
                    seconds,
                    "segments of a vector collection are rebuilt"
                );
            }
            Ok(false) => {}
            Err(status) => {
                tracing::warn!(
                    collection = collection.name(),
                    error = status.message(),
                    "segments stay as they are"
                );
            }
        }
        rebuilding.store(false, Ordering::Release);
    });
}
