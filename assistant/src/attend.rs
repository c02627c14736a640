//! By itself on every failure: follows what was committed, says why each Execution failed, and reports it.
//!
//! One at a time, beside the work and never before it: what comes too fast is dropped, the oldest first, and counted.
//! Nothing is kept here: what was said stands in the log, and a restart begins with the newest failures of which
//! nothing has been said.

mod queue;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::time::{Duration, Instant};

use noetl_domain::event::{Diagnosed, Event, Recorded};
use noetl_domain::id::ExecutionId;
use tokio_util::sync::CancellationToken;

use crate::Assistant;
use crate::gather::{GatherError, Options, Slice, SourceError, Sources};
use crate::short::short;
use queue::Queue;

/// Failures looked at when it begins, and when some were missed.
const NEWEST: usize = 100;
/// Failures that may wait.
const WAITING: usize = 500;
/// Events at the end of a log among which a Diagnosis would stand.
const TAIL: usize = 20;
/// After each answer it rests as long as the answer took, so that a storm of failures has half a core at most.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// What followers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    Failed(ExecutionId),
    /// Some Events were missed.
    Gap,
}

/// Where failures come from, in the order of their commits.
pub trait Watch: Send + 'static {
    /// The next one; none: there will be no more.
    fn next(&mut self) -> impl Future<Output = Option<Noticed>> + Send;
}

/// The control plane, as far as the assistant reports to it.
pub trait Journal: Send + Sync + 'static {
    /// The Executions that failed last, newest first.
    fn newest_failures(
        &self,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ExecutionId>, SourceError>> + Send;

    /// Puts a Diagnosis into the log; false: the Execution has gone on since.
    fn report(
        &self,
        id: ExecutionId,
        diagnosed: Diagnosed,
    ) -> impl Future<Output = Result<bool, SourceError>> + Send;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    /// Whether a model writes what is said; without it rules do.
    pub with_model: bool,
}

/// Attends to failures until told to stop.
pub async fn run<S: Sources>(
    config: Config,
    assistant: Assistant<S>,
    journal: impl Journal,
    watch: impl Watch,
    stop: CancellationToken,
) {
    let queue = Queue::new(WAITING);
    let attendant = Attendant { config, assistant, journal };
    tokio::select! {
        () = stop.cancelled() => {}
        () = notice(watch, &queue) => {}
        () = attendant.work(&queue) => {}
    }
}

/// Only takes down what comes, so that it never lags for long.
async fn notice(mut watch: impl Watch, queue: &Queue) {
    queue.miss();
    while let Some(noticed) = watch.next().await {
        match noticed {
            Noticed::Failed(id) => queue.push(id),
            Noticed::Gap => queue.miss(),
        }
    }
    // Whatever waits is still worked on, until the process says that it ends.
    std::future::pending::<()>().await;
}

struct Attendant<S, J> {
    config: Config,
    assistant: Assistant<S>,
    journal: J,
}

impl<S: Sources, J: Journal> Attendant<S, J> {
    async fn work(&self, queue: &Queue) {
        loop {
            let next = queue.next().await;
            if next.dropped > 0 {
                tracing::warn!(
                    dropped = next.dropped,
                    "failures came faster than they could be explained; ask with `noetl why`"
                );
            }
            if next.missed {
                match self.journal.newest_failures(NEWEST).await {
                    Ok(found) => queue.behind(found),
                    Err(error) => told(&error),
                }
            }
            let Some(id) = next.id else { continue };
            let began = Instant::now();
            if let Err(error) = self.attend(id).await {
                told(&error);
            }
            tokio::time::sleep(began.elapsed().min(LONGEST_REST)).await;
        }
    }

    async fn attend(&self, id: ExecutionId) -> Result<(), SourceError> {
        let tail = self.assistant.sources().events(id, Slice::Last { limit: TAIL }).await?;
        if !is_waiting(&tail) {
            return Ok(());
        }
        let options = Options { without_history: false, without_model: !self.config.with_model };
        let (diagnosis, evidence) = match self.assistant.diagnose_with(id, options).await {
            Ok(answer) => answer,
            // It was deleted in the meantime.
            Err(GatherError::Unknown(_)) => return Ok(()),
            Err(GatherError::Source(error)) => return Err(error),
        };
        if diagnosis.cause.is_none() {
            return Ok(());
        }
        let diagnosed = short(&diagnosis, evidence.run.retries + 1, &crate::write::prompt_name());
        let is_kept = self.journal.report(id, diagnosed).await?;
        tracing::debug!(execution.id = %id, is_kept, took_ms = diagnosis.took_ms, "explained a failure");
        Ok(())
    }
}

/// Whether a log ends in a failure of which nothing has been said.
fn is_waiting(tail: &[Recorded]) -> bool {
    let last = tail.iter().rev().find(|recorded| {
        let event = &recorded.event;
        matches!(
            event,
            Event::ExecutionFinished(_) | Event::DiagnosisMade(_) | Event::ExecutionRetried { .. }
        )
    });
    last.is_some_and(|last| last.event.name() == "playbook.failed")
}

fn told(error: &SourceError) {
    tracing::warn!(%error, cause = %error.source, "a failure could not be explained by itself");
}
