//! Failures that wait to be explained: bounded, newest kept, none twice.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use noetl_domain::id::ExecutionId;
use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Queue {
    most: usize,
    inner: Mutex<Inner>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<ExecutionId>,
    dropped: u64,
    missed: bool,
}

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) id: Option<ExecutionId>,
    /// Left out since the last time.
    pub(super) dropped: u64,
    /// Some were never put in.
    pub(super) missed: bool,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self { most, inner: Mutex::default(), filled: Notify::new() }
    }

    pub(super) fn push(&self, id: ExecutionId) {
        let mut inner = self.inner();
        if inner.waiting.contains(&id) {
            return;
        }
        if inner.waiting.len() >= self.most {
            inner.waiting.pop_front();
            inner.dropped += 1;
        }
        inner.waiting.push_back(id);
        self.filled.notify_one();
    }

    /// Tells that some were never put in.
    pub(super) fn miss(&self) {
        self.inner().missed = true;
        self.filled.notify_one();
    }

    /// Puts what was missed, newest first, behind what waits; what there is no room for is left out.
    pub(super) fn behind(&self, newest_first: Vec<ExecutionId>) {
        let mut inner = self.inner();
        for id in newest_first {
            if inner.waiting.len() < self.most && !inner.waiting.contains(&id) {
                inner.waiting.push_back(id);
            }
        }
        self.filled.notify_one();
    }

    /// The next one, once there is something to do.
    pub(super) async fn next(&self) -> Next {
        loop {
            let filled = self.filled.notified();
            {
                let mut inner = self.inner();
                let id = inner.waiting.pop_front();
                let (dropped, missed) =
                    (std::mem::take(&mut inner.dropped), std::mem::take(&mut inner.missed));
                if id.is_some() || missed {
                    return Next { id, dropped, missed };
                }
            }
            filled.await;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_go_first_and_are_counted() {
        let queue = Queue::new(2);
        for id in [1, 2, 2, 3] {
            queue.push(ExecutionId(id));
        }
        assert_eq!(queue.next().await, Next { id: Some(ExecutionId(2)), dropped: 1, missed: false });
        queue.miss();
        assert_eq!(queue.next().await, Next { id: Some(ExecutionId(3)), dropped: 0, missed: true });
        queue.behind(vec![ExecutionId(9), ExecutionId(8), ExecutionId(7)]);
        assert_eq!(queue.next().await.id, Some(ExecutionId(9)));
        assert_eq!(queue.next().await.id, Some(ExecutionId(8)));
    }
}
