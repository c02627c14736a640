//! Ids that grow: 41 bits of milliseconds, 10 of node, 12 of count.
//!
//! They never repeat and never go back, also when the clock does or when more than 4,096 are taken in a millisecond:
//! then they borrow from the future.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// 2024-01-01T00:00:00Z in Unix milliseconds.
const EPOCH_MS: i64 = 1_704_067_200_000;
const NODE_BITS: u32 = 10;
const COUNT_BITS: u32 = 12;

/// Unix milliseconds by the system's clock.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}

/// Gives out ids; share one per process.
#[derive(Debug)]
pub struct Ids {
    node: u64,
    /// Milliseconds and count of the last id, as one number.
    last: AtomicU64,
}

impl Ids {
    /// `node` tells apart processes that share a store; only its lowest ten bits count.
    pub fn new(node: u16) -> Self {
        Self { node: u64::from(node) & ((1 << NODE_BITS) - 1), last: AtomicU64::new(0) }
    }

    /// Continues after the largest id that a store knows, in case the clock was set back meanwhile.
    #[must_use]
    pub fn after(self, largest: u64) -> Self {
        let milliseconds = largest >> (NODE_BITS + COUNT_BITS);
        let last = (milliseconds << COUNT_BITS) | ((1 << COUNT_BITS) - 1);
        self.last.fetch_max(if largest == 0 { 0 } else { last }, Ordering::Relaxed);
        self
    }

    /// A new id.
    pub fn next_id(&self) -> u64 {
        self.id_at(self.reserve(now_ms(), 1))
    }

    /// Several new ids in ascending order.
    pub fn take(&self, count: u64) -> impl Iterator<Item = u64> + use<'_> {
        let first = self.reserve(now_ms(), count);
        (first..first + count).map(|number| self.id_at(number))
    }

    /// Takes `count` numbers and returns the first.
    fn reserve(&self, now_ms: i64, count: u64) -> u64 {
        let earliest = ((now_ms - EPOCH_MS).max(0) as u64) << COUNT_BITS;
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let first = earliest.max(last + 1);
            match self.last.compare_exchange_weak(
                last,
                first + count.max(1) - 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return first,
                Err(other) => last = other,
            }
        }
    }

    fn id_at(&self, number: u64) -> u64 {
        let milliseconds = number >> COUNT_BITS;
        let count = number & ((1 << COUNT_BITS) - 1);
        (milliseconds << (NODE_BITS + COUNT_BITS)) | (self.node << COUNT_BITS) | count
    }
}

/// The smallest id that can be given out at a moment.
pub fn first_at(ms: i64) -> u64 {
    ((ms - EPOCH_MS).max(0) as u64) << (NODE_BITS + COUNT_BITS)
}

/// When an id was given out, in Unix milliseconds.
pub fn time_of(id: u64) -> i64 {
    (id >> (NODE_BITS + COUNT_BITS)) as i64 + EPOCH_MS
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_grow_when_the_clock_goes_back_and_when_a_millisecond_is_full() {
        let ids = Ids::new(5);
        let mut last = 0;
        for now in [EPOCH_MS + 10, EPOCH_MS + 10, EPOCH_MS + 3, 0, EPOCH_MS + 11] {
            for _ in 0..5_000 {
                let id = ids.id_at(ids.reserve(now, 1));
                assert!(id > last, "{id} after {last}");
                last = id;
            }
        }
        assert_eq!((last >> COUNT_BITS) & 0x3ff, 5);
        let restarted = Ids::new(0).after(last);
        assert!(restarted.id_at(restarted.reserve(0, 1)) > last);
    }

    #[test]
    fn threads_never_get_the_same_id() {
        let ids = Ids::new(1);
        let taken: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..500).flat_map(|_| ids.take(7)).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 4 * 500 * 7);
        assert!((now_ms() - time_of(taken[0])).abs() < 60_000);
    }
}
