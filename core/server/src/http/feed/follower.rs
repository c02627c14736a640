//! Follows committed Events without a gap: from memory while it keeps up, from the store when it does not.
//!
//! The orchestrator never waits for a follower: the channel drops what a slow one did not take,
//! and the follower reads that from the store.

use std::collections::VecDeque;
use std::sync::Arc;

use noetl_domain::id::ExecutionId;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::store::{EventQuery, EventStore, Positioned, StoreError};

/// Events read from the store at once.
const PAGE: usize = 256;

pub(crate) struct Follower<S> {
    store: Arc<S>,
    live: broadcast::Receiver<Arc<Vec<Positioned>>>,
    /// One Execution only.
    execution: Option<ExecutionId>,
    /// Position of the last Event handed out or passed over.
    after: u64,
    /// The last Event handed out or read from the store; meaningful when one Execution is followed.
    after_event_id: u64,
    catching_up: bool,
    ready: VecDeque<Positioned>,
}

/// What a follower learns.
pub(crate) enum Followed {
    Event(Box<Positioned>),
    /// Everything committed so far was handed out.
    CaughtUp,
}

impl<S: EventStore> Follower<S> {
    /// Follows after a position. Give the receiver of a subscription taken before anything is read.
    pub(crate) fn new(
        store: Arc<S>,
        live: broadcast::Receiver<Arc<Vec<Positioned>>>,
        execution: Option<ExecutionId>,
        after: u64,
    ) -> Self {
        Self { store, live, execution, after, after_event_id: 0, catching_up: true, ready: VecDeque::new() }
    }

    /// The next thing to tell; None: the control plane has stopped.
    pub(crate) async fn next(&mut self) -> Result<Option<Followed>, StoreError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.after = event.position;
                self.after_event_id = event.recorded.event_id;
                return Ok(Some(Followed::Event(Box::new(event))));
            }
            if self.catching_up {
                self.read_page().await?;
                if self.ready.is_empty() && !self.catching_up {
                    return Ok(Some(Followed::CaughtUp));
                }
                continue;
            }
            match self.live.recv().await {
                Ok(batch) => self.take(&batch),
                Err(RecvError::Lagged(_)) => self.catching_up = true,
                Err(RecvError::Closed) => return Ok(None),
            }
        }
    }

    /// Looks into the store before it waits again; [`Followed::CaughtUp`] follows.
    pub(crate) fn catch_up(&mut self) {
        self.catching_up = true;
    }

    fn take(&mut self, batch: &[Positioned]) {
        let Some(first) = batch.first() else {
            // Something was committed while nobody was listening yet.
            self.catching_up = true;
            return;
        };
        if self.execution.is_none() && first.position > self.after + 1 {
            // Something was committed that did not come this way, or not yet: the store knows.
            self.catching_up = true;
            return;
        }
        let after = self.after;
        let wanted = batch.iter().filter(|event| {
            event.position > after && self.execution.is_none_or(|id| id == event.recorded.execution)
        });
        self.ready.extend(wanted.cloned());
    }

    async fn read_page(&mut self) -> Result<(), StoreError> {
        let (page, full) = match self.execution {
            None => {
                let page = self.store.feed(self.after, PAGE).await?;
                let full = !page.is_empty();
                (page, full)
            }
            Some(execution) => {
                let query = EventQuery {
                    execution: Some(execution),
                    after_event_id: Some(self.after_event_id),
                    limit: Some(PAGE),
                    ..EventQuery::default()
                };
                let page = self.store.events(query).await?;
                if let Some(last) = page.last() {
                    self.after_event_id = last.recorded.event_id;
                }
                let full = page.len() == PAGE;
                (page, full)
            }
        };
        self.catching_up = full;
        let after = self.after;
        self.ready.extend(page.into_iter().filter(|event| event.position > after));
        Ok(())
    }
}
