//! Starts what is due, when it is due.

use std::time::Duration;

use noetl_domain::code::Code;
use tokio_util::sync::CancellationToken;

use super::{ScheduleError, Schedules};
use crate::ids::now_ms;
use crate::orchestrator::{Dedup, Orchestrator, Start};

/// Looked at least this often, so that a clock that was set is noticed.
const LONGEST_WAIT_MS: i64 = 30_000;
/// After a failure of the store.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs until `stop`: every firing goes through the start's dedup, so a restart in between starts nothing twice.
pub async fn fire_until(schedules: Schedules, orchestrator: Orchestrator, stop: CancellationToken) {
    loop {
        let wait = match fire_due(&schedules, &orchestrator).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "schedules could not be looked at; trying again soon");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = schedules.changed().notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Starts everything that is due now; returns how long nothing will be.
async fn fire_due(schedules: &Schedules, orchestrator: &Orchestrator) -> Result<Duration, ScheduleError> {
    for firing in schedules.due(now_ms()).await? {
        let start = Start {
            path: Some(firing.path.clone()),
            version: firing.version,
            payload: firing.payload.clone(),
            trigger: "schedule".to_owned(),
            dedup: Some(Dedup { key: firing.dedup_key(), window_seconds: None }),
            ..Start::default()
        };
        let execution = match orchestrator.start(start).await {
            Ok(started) => Some(started.execution_id),
            // Nothing is wrong with the schedule: the firing stays due and is tried again.
            Err(error) if matches!(error.code, Code::StoreFailed | Code::Unavailable | Code::Internal) => {
                tracing::warn!(schedule.id = firing.schedule, path = firing.path, %error, "a schedule's start failed");
                return Ok(PAUSE);
            }
            Err(error) => {
                tracing::warn!(schedule.id = firing.schedule, path = firing.path, %error, "a schedule's start was refused");
                None
            }
        };
        schedules.mark(&firing, execution).await?;
    }
    let next = schedules.next_due_ms().await?.map_or(LONGEST_WAIT_MS, |due| due - now_ms());
    Ok(Duration::from_millis(next.clamp(10, LONGEST_WAIT_MS) as u64))
}
