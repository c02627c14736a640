//! The task that keeps Proposals and Rollouts up to date, as long as a server is up.
//!
//! It sleeps until something happens: a Proposal comes, the catalog changes, an Execution ends while a Rollout is going
//! on, or a time is due.

use std::sync::Arc;
use std::time::Duration;

use noetl_domain::event::Event;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::Proposals;
use super::sweep::Swept;
use crate::ids::now_ms;
use crate::orchestrator::Orchestrator;
use crate::store::Positioned;

/// While Executions of a Rollout may hang, or the policy's file may change under it.
const WHILE_RUNNING: Duration = Duration::from_secs(10);
const WHILE_WATCHING: Duration = Duration::from_secs(15);
const OTHERWISE: Duration = Duration::from_mins(10);
/// Executions that end together are judged together.
const TOGETHER: Duration = Duration::from_millis(50);
/// After a failure of the store.
const PAUSE: Duration = Duration::from_secs(2);

type Feed = broadcast::Receiver<Arc<Vec<Positioned>>>;

/// Runs until `stop`.
pub async fn follow_until(proposals: Proposals, orchestrator: Orchestrator, stop: CancellationToken) {
    let mut feed: Option<Feed> = None;
    loop {
        // Listening starts before looking, so that nothing that ends in between is missed.
        let listening = feed.take().unwrap_or_else(|| orchestrator.subscribe());
        let (wait, running) = match proposals.sweep().await {
            Ok(swept) => (pause(swept), swept.running),
            // A store that closes under a server that stops is no failure.
            Err(_) if stop.is_cancelled() => return,
            Err(error) => {
                tracing::warn!(%error, "proposals could not be looked after; trying again soon");
                (PAUSE, false)
            }
        };
        // Whoever listens makes the committer copy events, so nobody does without need.
        feed = running.then_some(listening);
        tokio::select! {
            () = stop.cancelled() => return,
            () = proposals.changed.notified() => {}
            () = proposals.catalog.splits.changed.notified() => {}
            () = ended(feed.as_mut()) => {}
            () = tokio::time::sleep(wait) => {}
        }
        tokio::time::sleep(TOGETHER).await;
    }
}

fn pause(swept: Swept) -> Duration {
    let usual = match (swept.running, swept.watching) {
        (true, _) => WHILE_RUNNING,
        (false, true) => WHILE_WATCHING,
        (false, false) => OTHERWISE,
    };
    let expires = swept.expires_ms.map(|at| Duration::from_millis((at - now_ms()).max(10) as u64));
    expires.map_or(usual, |expires| usual.min(expires))
}

/// Comes when an Execution has ended, or may have.
async fn ended(feed: Option<&mut Feed>) {
    let Some(feed) = feed else { return std::future::pending().await };
    loop {
        match feed.recv().await {
            Ok(batch) => {
                let is_end = |event: &Positioned| matches!(event.recorded.event, Event::ExecutionFinished(_));
                if batch.is_empty() || batch.iter().any(is_end) {
                    return;
                }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}
