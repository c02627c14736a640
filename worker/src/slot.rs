//! The worker's concurrency: a Command holds one place, and gives it up while all of its work merely waits.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// One Command's place.
#[derive(Debug, Clone)]
pub(crate) struct Slot(Option<Arc<Held>>);

#[derive(Debug)]
struct Held {
    places: Arc<Semaphore>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    /// Pipelines of this Command that are under way, waiting ones included.
    running: AtomicUsize,
    waiting: AtomicUsize,
}

impl Slot {
    pub(crate) fn new(places: Arc<Semaphore>, permit: OwnedSemaphorePermit) -> Self {
        let permit = Mutex::new(Some(permit));
        Self(Some(Arc::new(Held {
            places,
            permit,
            running: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        })))
    }

    /// For work that nobody limits.
    pub(crate) fn unlimited() -> Self {
        Self(None)
    }

    /// Tells that one more pipeline is under way, until the guard is dropped.
    pub(crate) fn enter(&self) -> Count<'_> {
        Count::up(self.0.as_deref().map(|held| &held.running))
    }

    /// Waits for something that needs no worker.
    pub(crate) async fn rest<T>(&self, something: impl Future<Output = T>) -> T {
        let Some(held) = &self.0 else { return something.await };
        let waiting = Count::up(Some(&held.waiting));
        if held.waiting.load(Ordering::Acquire) >= held.running.load(Ordering::Acquire) {
            drop(held.permit.lock().await.take());
        }
        let outcome = something.await;
        drop(waiting);
        let mut permit = held.permit.lock().await;
        if permit.is_none() {
            // The semaphore is never closed; if it were, working on is the lesser harm.
            *permit = Arc::clone(&held.places).acquire_owned().await.ok();
        }
        outcome
    }
}

#[derive(Debug)]
pub(crate) struct Count<'a>(Option<&'a AtomicUsize>);

impl<'a> Count<'a> {
    fn up(count: Option<&'a AtomicUsize>) -> Self {
        if let Some(count) = count {
            count.fetch_add(1, Ordering::AcqRel);
        }
        Self(count)
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0 {
            count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn resting_lets_another_command_in() {
        let places = Arc::new(Semaphore::new(1));
        let slot = Slot::new(Arc::clone(&places), Arc::clone(&places).acquire_owned().await.unwrap());
        let _running = slot.enter();
        assert_eq!(places.available_permits(), 0);
        let seen = slot.rest(async { places.available_permits() }).await;
        assert_eq!((seen, places.available_permits()), (1, 0));
    }

    #[tokio::test]
    async fn a_busy_sibling_keeps_the_place() {
        let places = Arc::new(Semaphore::new(1));
        let slot = Slot::new(Arc::clone(&places), Arc::clone(&places).acquire_owned().await.unwrap());
        let (_one, _two) = (slot.enter(), slot.enter());
        assert_eq!(slot.rest(async { places.available_permits() }).await, 0);
    }
}
