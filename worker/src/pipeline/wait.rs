//! How a pipeline waits: before another try, to a moment, and not beyond its deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use noetl_domain::code::Code;
use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::Task;
use noetl_domain::report::Wait;
use noetl_domain::tuning::MOST_TRIES;

use super::{Pipeline, Stop};
use crate::budgets::Grant;

impl Pipeline<'_> {
    /// Whether a retry can follow a call of this Task: what never retries counts for no budget.
    pub(super) fn may_retry(&self, task: &Task) -> bool {
        let pages = task.repeat.as_ref().is_some_and(|repeat| !repeat.retry.is_empty());
        pages
            || !task.retry.is_empty()
            || !task.rules.is_empty()
            || !self.step.retry.is_empty()
            || !self.step.cases.is_empty()
    }

    /// Asks the hard bound and the retry budgets for another try after an error. Returns the seconds to wait, or None
    /// when there is none. A try after a success is a question asked again, and no budget's business.
    pub(super) fn grant(&mut self, delay: f64, outcome: &StepResult) -> Option<f64> {
        if outcome.error.is_none() {
            return Some(delay);
        }
        if self.calls.last().is_some_and(|call| call.attempt >= MOST_TRIES) {
            self.refuse(format!("no further try: {MOST_TRIES} are the most that are made of one task"));
            return None;
        }
        if self.owners.is_empty() {
            return Some(delay);
        }
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let most = left.map_or(f64::INFINITY, |left| left.as_secs_f64());
        match self.job.services.config.retry_budget.retry(&self.owners, delay, most) {
            Grant::Now => Some(delay),
            Grant::After(wait, _) if wait <= delay => Some(delay),
            Grant::After(wait, budget) => {
                let wait = (wait * 1000.0).ceil() / 1000.0;
                if let Some(call) = self.calls.last_mut() {
                    call.held = Some(format!("{budget}: {:.1} s", wait - delay));
                }
                let text = format!("the next try waits {wait:.1} s instead of {delay:.1} s: {budget}");
                self.job.log(self.index).line("noetl", "warn", text);
                Some(wait)
            }
            Grant::Spent(budget) => {
                self.refuse(format!("no further try: the {budget} is spent"));
                None
            }
        }
    }

    /// Says why no further try is made: in the log, and as a note of the call's error, which the outcome tells too.
    fn refuse(&mut self, note: String) {
        self.job.log(self.index).line("noetl", "warn", note.clone());
        if let Some(error) = self.calls.last_mut().and_then(|call| call.error.as_mut()) {
            error.notes.push(note);
        }
    }

    /// The outcome with the note that its call got when no further try was granted.
    pub(super) fn spent(&self, outcome: &StepResult) -> Arc<StepResult> {
        let mut outcome = outcome.clone();
        let noted = self.calls.last().and_then(|call| call.error.as_ref());
        if let (Some(error), Some(noted)) = (&mut outcome.error, noted) {
            error.notes.clone_from(&noted.notes);
        }
        Arc::new(outcome)
    }

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
