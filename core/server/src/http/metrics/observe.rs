//! Feeds the numbers from the committed Events.

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use super::{Metrics, Running};
use crate::store::{EventStore, Positioned, StoreError, SummaryQuery};

/// Events read from the store at once, after falling behind.
const PAGE: usize = 1000;

impl Metrics {
    /// Counts until the control plane stops. Give a subscription taken before anything runs.
    pub async fn follow<S: EventStore>(
        self,
        store: Arc<S>,
        mut live: broadcast::Receiver<Arc<Vec<Positioned>>>,
    ) {
        let mut after = match self.begin(store.as_ref()).await {
            Ok(after) => after,
            Err(error) => {
                tracing::warn!(%error, "metrics start without the executions of earlier runs");
                0
            }
        };
        loop {
            match live.recv().await {
                Ok(batch) => {
                    let mut numbers = self.numbers();
                    numbers.commit_events.observe(batch.len() as f64);
                    for event in batch.iter().filter(|event| event.position > after) {
                        numbers.count(&event.recorded);
                    }
                    drop(numbers);
                    after = batch.last().map_or(after, |last| after.max(last.position));
                }
                Err(RecvError::Lagged(_)) => match self.catch_up(store.as_ref(), after).await {
                    Ok(reached) => after = reached,
                    Err(error) => tracing::warn!(%error, "metrics miss some events"),
                },
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Takes up the Executions that an earlier process left running.
    async fn begin<S: EventStore>(&self, store: &S) -> Result<u64, StoreError> {
        let head = store.head().await?;
        let query = SummaryQuery {
            status: Some(noetl_domain::event::Status::Running),
            limit: Some(10_000),
            ..SummaryQuery::default()
        };
        for summary in store.summaries(query).await? {
            let mut numbers = self.numbers();
            let path = numbers.label(&summary.path);
            numbers.running.insert(summary.execution, Running { path, since_ms: summary.started_ms });
        }
        Ok(head)
    }

    async fn catch_up<S: EventStore>(&self, store: &S, mut after: u64) -> Result<u64, StoreError> {
        loop {
            let page = store.feed(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(after) };
            after = last.position;
            let mut numbers = self.numbers();
            for event in &page {
                numbers.count(&event.recorded);
            }
        }
    }
}
