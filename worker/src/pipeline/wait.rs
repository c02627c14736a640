//! How a pipeline waits: before another try, to a moment, and not beyond its deadline.

use std::time::{Duration, Instant};

use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::report::Wait;

use super::{Pipeline, Stop};

impl Pipeline<'_> {
    /// Waits before the next try. The log says it at once: the Report comes only at the end.
    pub(super) async fn again(&mut self, seconds: f64) -> Result<(), Stop> {
        if let Some(call) = self.calls.last_mut() {
            call.retry_after = Some(seconds);
        }
        self.tell_of_retry(seconds);
        self.wait(seconds).await
    }

    pub(super) fn tell_of_retry(&self, seconds: f64) {
        let Some(call) = self.calls.last() else { return };
        let (level, ended) = match &call.error {
            Some(error) => ("warn", format!("failed: {}", error.message.lines().next().unwrap_or_default())),
            None => ("info", "is not the last one".to_owned()),
        };
        // The line carries the step's name already.
        let task = if self.step.pipeline { format!("{}: ", call.task) } else { String::new() };
        let text = format!("{task}try {} {ended}; again in {seconds} s", call.attempt);
        self.job.log(self.index).line("noetl", level, text);
    }

    /// Waits without holding the worker's place, or parks when that takes long.
    pub(super) async fn wait(&self, seconds: f64) -> Result<(), Stop> {
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        if wait > self.job.services.config.park_after {
            return Err(Stop::Parked(Wait::Timer { seconds }));
        }
        self.wait_here(seconds).await
    }

    /// Waits without holding the worker's place, however long it takes.
    pub(super) async fn wait_here(&self, seconds: f64) -> Result<(), Stop> {
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        if wait.is_zero() {
            return if self.job.cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) };
        }
        let woken = self.job.slot.rest(async {
            tokio::select! {
                () = tokio::time::sleep(wait) => true,
                () = self.job.cancel.cancelled() => false,
            }
        });
        if woken.await { Ok(()) } else { Err(Stop::Cancelled) }
    }

    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub(super) fn too_late(&self) -> TaskError {
        TaskError::new("timeout", format!("step {} took too long", self.step.name))
            .with_code(Code::StepTimeout.as_str())
    }
}

pub(super) fn after(seconds: f64) -> Option<Instant> {
    Instant::now().checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}
