//! The committer: everything that was decided since the last transaction goes into the next one.

use std::sync::Arc;

use noetl_bus::{Bus, Cancel};
use tokio::sync::{broadcast, mpsc};

use super::ahead::Void;
use super::clock::Clock;
use super::dispatch::Dispatch;
use super::input::Input;
use super::metrics::{Metrics, add};
use super::round::Item;
use crate::store::{AppendError, Committed, EventStore, Positioned};

pub(super) struct Context<S, B> {
    pub(super) store: Arc<S>,
    pub(super) bus: Arc<B>,
    pub(super) dispatch: Dispatch<B>,
    pub(super) clock: Clock,
    pub(super) feed: broadcast::Sender<Arc<Vec<Positioned>>>,
    pub(super) decider: mpsc::UnboundedSender<Input>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) void: Void,
}

/// Why a decision is refused that was made on a state which never was.
const VOID: AppendError = AppendError::Conflict { actual: 0 };

/// Appends in one transaction at most.
const BATCH: usize = 2048;
/// Batches that may wait; when there are more, the decider waits too.
const WINDOW: usize = 8;

pub(super) fn start<S: EventStore, B: Bus>(mut context: Context<S, B>) -> mpsc::Sender<Vec<Item>> {
    let (sender, mut receiver) = mpsc::channel::<Vec<Item>>(WINDOW);
    tokio::spawn(async move {
        while let Some(mut items) = receiver.recv().await {
            while items.len() < BATCH
                && let Ok(more) = receiver.try_recv()
            {
                items.extend(more);
            }
            context.commit(items).await;
        }
    });
    sender
}

impl<S: EventStore, B: Bus> Context<S, B> {
    async fn commit(&mut self, items: Vec<Item>) {
        let mut items = self.valid(items);
        let followed = self.feed.receiver_count() > 0;
        let mut appends = Vec::with_capacity(items.len());
        let mut events = Vec::new();
        let mut appended = Vec::with_capacity(items.len());
        for item in &mut items {
            let append = item.append.take();
            appended.push(append.is_some());
            let Some(append) = append else { continue };
            if followed {
                events.push(append.events.clone());
            }
            add(&self.metrics.events_committed, append.events.len() as u64);
            appends.push(append);
        }
        let results = if appends.is_empty() {
            Vec::new()
        } else {
            add(&self.metrics.commits, 1);
            self.store.append(appends).await
        };
        let mut results = results.into_iter().enumerate();
        let mut fed = Vec::new();
        for (item, appended) in items.into_iter().zip(appended) {
            if !appended {
                self.answer(item);
                continue;
            }
            let Some((at, result)) = results.next() else { break };
            match result {
                Ok(committed) => {
                    if let Some(events) = events.get_mut(at) {
                        fed.extend(positioned(std::mem::take(events), committed));
                    }
                    self.committed(item).await;
                }
                Err(error) => self.refused(item, error),
            }
        }
        // Whoever began to listen during the commit may have read the store before it: an empty batch says to look again.
        if !fed.is_empty() || (!followed && self.feed.receiver_count() > 0) {
            let _ = self.feed.send(Arc::new(fed));
        }
    }

    async fn committed(&mut self, item: Item) {
        let id = item.id;
        if let Some(after) = item.after {
            after(Ok(()));
        }
        for timer in item.timers {
            self.clock.set(id, timer.key, timer.due_ms);
        }
        if let Some(until) = item.abort
            && let Err(error) = self.bus.cancel(Cancel { execution: id, until }).await
        {
            tracing::warn!(execution.id = %id, error = %error, "workers could not be told to stop");
        }
        for command in item.commands {
            self.dispatch.send(command);
        }
        if item.more {
            let _ = self.decider.send(Input::Committed(id, item.generation));
        }
    }

    /// Refuses what was decided on a state that is void by now.
    fn valid(&mut self, items: Vec<Item>) -> Vec<Item> {
        let (void, valid) =
            items.into_iter().partition::<Vec<_>, _>(|item| self.void.holds(item.id, item.generation));
        for after in void.into_iter().filter_map(|item| item.after) {
            after(Err(VOID));
        }
        valid
    }

    /// What an answer tells must be committed: it is refused when a decision before it was.
    fn answer(&mut self, item: Item) {
        let told = if self.void.holds(item.id, item.generation) { Err(VOID) } else { Ok(()) };
        if let Some(after) = item.after {
            after(told);
        }
    }

    fn refused(&mut self, item: Item, error: AppendError) {
        let id = item.id;
        add(&self.metrics.commits_failed, 1);
        if !matches!(error, AppendError::Duplicate { .. }) {
            tracing::warn!(execution.id = %id, error = %error, "a decision could not be committed");
            self.void.add(id, item.generation);
        }
        if let Some(after) = item.after {
            after(Err(error));
        }
        let _ = self.decider.send(Input::Lost(id, item.generation));
    }
}

fn positioned(
    events: Vec<noetl_domain::event::Recorded>,
    committed: Committed,
) -> impl Iterator<Item = Positioned> {
    events
        .into_iter()
        .zip(committed.first_position..)
        .map(|(recorded, position)| Positioned { position, recorded })
}
