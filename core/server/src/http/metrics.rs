//! Numbers for Prometheus, counted from committed Events since the start of this process.
//!
//! Counting follows the feed like any other observer: a run never waits for it.

mod observe;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use noetl_domain::budget::Account;
use noetl_domain::event::{Event, Recorded};
use noetl_domain::id::ExecutionId;

use super::Services;
use text::Histogram;

pub(super) use text::Text;

/// Different playbooks that get a series of their own; the others share one.
const MOST_PATHS: usize = 200;
const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];
const BATCHES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0];

/// Clones share the numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    numbers: Arc<Mutex<Numbers>>,
    since: Instant,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { numbers: Arc::default(), since: Instant::now() }
    }
}

/// How many Commands wait for a worker, and how many workers hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub waiting: u64,
    pub held: u64,
}

#[derive(Debug)]
struct Numbers {
    started: BTreeMap<String, u64>,
    finished: BTreeMap<(String, &'static str), u64>,
    steps: BTreeMap<&'static str, u64>,
    running: HashMap<ExecutionId, Running>,
    issued: u64,
    retried: u64,
    answered: u64,
    failed_calls: u64,
    iterations: u64,
    events: u64,
    execution_seconds: Histogram,
    call_seconds: Histogram,
    commit_events: Histogram,
}

#[derive(Debug)]
struct Running {
    path: String,
    since_ms: i64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            started: BTreeMap::new(),
            finished: BTreeMap::new(),
            steps: BTreeMap::new(),
            running: HashMap::new(),
            issued: 0,
            retried: 0,
            answered: 0,
            failed_calls: 0,
            iterations: 0,
            events: 0,
            execution_seconds: Histogram::new(SECONDS),
            call_seconds: Histogram::new(SECONDS),
            commit_events: Histogram::new(BATCHES),
        }
    }
}

impl Numbers {
    fn count(&mut self, recorded: &Recorded) {
        self.events += 1;
        match &recorded.event {
            Event::ExecutionRequested(requested) => {
                let path = self.label(&requested.path);
                *self.started.entry(path.clone()).or_default() += 1;
                self.running.insert(recorded.execution, Running { path, since_ms: recorded.at_ms });
            }
            Event::CommandIssued(issued) => {
                self.issued += 1;
                self.retried += u64::from(issued.attempt > 1);
            }
            Event::Called(report) => {
                self.answered += 1;
                self.failed_calls += u64::from(report.first_error().is_some());
                self.iterations +=
                    report.runs.iter().map(|run| run.count).sum::<u64>() + report.items.len() as u64;
                self.call_seconds.observe((report.finished_ms - report.started_ms).max(0) as f64 / 1000.0);
            }
            Event::StepExited(exit) => *self.steps.entry(exit.status.as_str()).or_default() += 1,
            Event::ExecutionFinished(finished) => {
                let running = self.running.remove(&recorded.execution);
                let path =
                    running.as_ref().map_or_else(|| "unknown".to_owned(), |running| running.path.clone());
                *self.finished.entry((path, finished.status.as_str())).or_default() += 1;
                if let Some(running) = running {
                    self.execution_seconds
                        .observe((recorded.at_ms - running.since_ms).max(0) as f64 / 1000.0);
                }
            }
            Event::StepEntered { .. }
            | Event::ChildStarted { .. }
            | Event::ChildFinished { .. }
            | Event::TimerFired { .. }
            | Event::LoopStarted { .. }
            | Event::LoopFinished { .. }
            | Event::ContextUpdated { .. }
            | Event::ExecutionRetried { .. }
            | Event::Warned { .. }
            | Event::DiagnosisMade(_)
            | Event::Noted { .. } => {}
        }
    }

    fn label(&self, path: &str) -> String {
        if self.started.contains_key(path) || self.started.len() < MOST_PATHS {
            path.to_owned()
        } else {
            "other".to_owned()
        }
    }
}

impl Metrics {
    pub fn uptime_seconds(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(
        &self,
        depth: Option<Depth>,
        engine: Option<&crate::orchestrator::Metrics>,
        budgets: &[Account],
    ) -> String {
        let numbers = self.numbers();
        let mut text = Text::default();
        text.gauge("noetl_build_info", "Always 1; the label tells the version.");
        text.value("noetl_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        text.gauge("noetl_uptime_seconds", "Seconds since the server started.");
        text.value("noetl_uptime_seconds", &[], self.uptime_seconds());
        text.counter("noetl_executions_started_total", "Executions started, by playbook.");
        for (path, count) in &numbers.started {
            text.value("noetl_executions_started_total", &[("path", path)], *count as f64);
        }
        text.counter("noetl_executions_finished_total", "Executions ended, by playbook and final status.");
        for ((path, status), count) in &numbers.finished {
            text.value(
                "noetl_executions_finished_total",
                &[("path", path), ("status", status)],
                *count as f64,
            );
        }
        text.gauge("noetl_executions_running", "Executions that have not ended.");
        text.value("noetl_executions_running", &[], numbers.running.len() as f64);
        text.histogram(
            "noetl_execution_duration_seconds",
            "From request to end of an execution.",
            &numbers.execution_seconds,
        );
        text.counter("noetl_steps_finished_total", "Steps ended, by status.");
        for (status, count) in &numbers.steps {
            text.value("noetl_steps_finished_total", &[("status", status)], *count as f64);
        }
        for (name, help, count) in [
            ("noetl_commands_issued_total", "Commands sent to workers.", numbers.issued),
            ("noetl_commands_repeated_total", "Commands sent again as another attempt.", numbers.retried),
            ("noetl_commands_answered_total", "Reports that workers sent.", numbers.answered),
            ("noetl_commands_failed_total", "Reports that tell of an error.", numbers.failed_calls),
            ("noetl_iterations_total", "Iterations of loops, and plain calls.", numbers.iterations),
            ("noetl_events_total", "Events committed.", numbers.events),
        ] {
            text.counter(name, help);
            text.value(name, &[], count as f64);
        }
        text.histogram(
            "noetl_command_duration_seconds",
            "How long workers took for a command.",
            &numbers.call_seconds,
        );
        if let Some(depth) = depth {
            text.gauge("noetl_queue_depth", "Commands that wait for a worker.");
            text.value("noetl_queue_depth", &[], depth.waiting as f64);
            text.gauge("noetl_commands_in_flight", "Commands that workers hold.");
            text.value("noetl_commands_in_flight", &[], depth.held as f64);
        }
        if let Some(engine) = engine {
            let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
            text.counter("noetl_commits_total", "Transactions of the log.");
            text.value("noetl_commits_total", &[], read(&engine.commits));
            text.counter("noetl_commits_failed_total", "Transactions of the log that the store refused.");
            text.value("noetl_commits_failed_total", &[], read(&engine.commits_failed));
            text.counter("noetl_reports_stale_total", "Reports of an attempt that was no longer wanted.");
            text.value("noetl_reports_stale_total", &[], read(&engine.reports_stale));
            text.gauge("noetl_executions_in_memory", "Executions that the orchestrator holds in memory.");
            text.value("noetl_executions_in_memory", &[], read(&engine.executions_active));
        }
        text.histogram(
            "noetl_commit_events",
            "Events committed with one sync to disk.",
            &numbers.commit_events,
        );
        super::budgets::write(&mut text, budgets);
        text.finish()
    }
}

/// Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
pub(super) async fn metrics(State(services): State<Services>) -> impl IntoResponse {
    let depth = services.depth.as_ref().map(|depth| depth());
    let budgets = services.budgets.as_ref().map(|budgets| budgets().1).unwrap_or_default();
    let text = services.metrics.text(depth, Some(services.orchestrator.metrics()), &budgets);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

#[cfg(test)]
mod tests {
    use noetl_domain::event::{Finished, Requested, Status};

    use super::*;

    fn recorded(execution: u64, at_ms: i64, event: Event) -> Recorded {
        Recorded { execution: ExecutionId(execution), seq: 1, event_id: 1, at_ms, event }
    }

    #[test]
    fn executions_are_counted_by_playbook_and_timed() {
        let metrics = Metrics::default();
        for execution in 0..3 {
            let requested = Requested { path: "a \"b\"\n".to_owned(), ..Requested::default() };
            let event = Event::ExecutionRequested(Box::new(requested));
            metrics.numbers().count(&recorded(execution, 1000, event));
        }
        let finished = Finished { status: Status::Failed, ..Finished::default() };
        metrics.numbers().count(&recorded(1, 1300, Event::ExecutionFinished(Box::new(finished))));
        let account =
            Account { kind: "host", name: "a:80".into(), left: -2.5, retries: 7, delayed: 3, refused: 1 };
        let text = metrics.text(Some(Depth { waiting: 4, held: 2 }), None, &[account]);
        for line in [
            "noetl_executions_started_total{path=\"a \\\"b\\\"\\n\"} 3",
            "noetl_executions_finished_total{path=\"a \\\"b\\\"\\n\",status=\"FAILED\"} 1",
            "noetl_executions_running 2",
            "noetl_execution_duration_seconds_bucket{le=\"0.25\"} 0",
            "noetl_execution_duration_seconds_bucket{le=\"0.5\"} 1",
            "noetl_execution_duration_seconds_bucket{le=\"+Inf\"} 1",
            "noetl_execution_duration_seconds_sum 0.3",
            "noetl_queue_depth 4",
            "noetl_retry_budget_left{kind=\"host\",name=\"a:80\"} -2.5",
            "noetl_retries_total{kind=\"host\",name=\"a:80\"} 7",
            "noetl_retries_refused_total{kind=\"host\",name=\"a:80\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_number_of_series_is_bounded() {
        let metrics = Metrics::default();
        for execution in 0..1000 {
            let requested = Requested { path: format!("p{execution}"), ..Requested::default() };
            let event = Event::ExecutionRequested(Box::new(requested));
            metrics.numbers().count(&recorded(execution, 0, event));
        }
        assert_eq!(metrics.numbers().started.len(), MOST_PATHS + 1);
        assert_eq!(metrics.numbers().started["other"], 1000 - MOST_PATHS as u64);
    }
}
