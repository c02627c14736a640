//! From the log of one execution to what the estimators read.

use std::collections::HashMap;

use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use noetl_domain::event::{Event, IssuedWork, LoopItems, Recorded, Status, StepStatus};
use noetl_domain::report::{ItemReport, Report};

use super::{Failure, LoopRun, Observed, Series, StepRun, Try};

/// None: the execution has not ended, or its beginning is missing.
pub fn fold(log: &[Recorded]) -> Option<Observed> {
    let mut folding: Option<Folding> = None;
    for recorded in log {
        if let Event::ExecutionRequested(requested) = &recorded.event {
            folding = Some(Folding {
                observed: Observed {
                    execution: recorded.execution,
                    version: requested.version,
                    status: Status::Running,
                    started_ms: recorded.at_ms,
                    ended_ms: recorded.at_ms,
                    cause: None,
                    steps: Vec::new(),
                },
                open: HashMap::new(),
                issued: HashMap::new(),
                items: HashMap::new(),
            });
            continue;
        }
        folding.as_mut()?.take(recorded);
    }
    let observed = folding?.observed;
    observed.status.is_final().then_some(observed)
}

struct Folding {
    observed: Observed,
    /// Index of each run of a step.
    open: HashMap<(String, u32), usize>,
    /// When the first Command of a run was sent, and how many Iterations each holds side by side.
    issued: HashMap<(String, u32, u32), (i64, u64, u32)>,
    /// Elements of each Iteration of the loop under way.
    items: HashMap<(String, u32), Vec<u64>>,
}

impl Folding {
    fn take(&mut self, recorded: &Recorded) {
        let at = recorded.at_ms;
        match &recorded.event {
            Event::StepEntered { step, run, .. } => {
                self.open.insert((step.clone(), *run), self.observed.steps.len());
                self.observed.steps.push(StepRun {
                    step: step.clone(),
                    run: *run,
                    entered_ms: at,
                    ..StepRun::default()
                });
            }
            Event::CommandIssued(issued) => {
                let count = match issued.work {
                    IssuedWork::Items { count, .. } => count,
                    _ => 1,
                };
                let key = (issued.step.clone(), issued.run, issued.batch);
                self.issued.entry(key).or_insert((at, count, issued.slots.max(1)));
            }
            Event::LoopStarted { step, run, items, concurrency } => {
                let (elements, sizes) = sizes(items);
                self.items.insert((step.clone(), *run), sizes);
                if let Some(open) = self.run(step, *run) {
                    open.looped = Some(LoopRun {
                        elements,
                        concurrency: *concurrency,
                        wall_ms: -(at as f64),
                        ..LoopRun::default()
                    });
                }
            }
            Event::LoopFinished { step, run, stats, .. } => {
                if let Some(looped) = self.run(step, *run).and_then(|open| open.looped.as_mut()) {
                    looped.iterations = stats.total;
                    looped.failed = stats.failed;
                    looped.wall_ms += at as f64;
                }
            }
            Event::Called(report) => self.called(report),
            Event::StepExited(exit) => {
                let cause = exit.error.as_ref().map(cause);
                if let Some(open) = self.run(&exit.step, exit.run) {
                    open.exited_ms = Some(at);
                    open.is_failed = exit.status == StepStatus::Failed;
                    open.is_handled = exit.handled;
                    open.cause = cause;
                }
            }
            Event::ExecutionRetried { .. } => self.observed.status = Status::Running,
            Event::ExecutionFinished(finished) => {
                self.observed.status = finished.status;
                self.observed.ended_ms = at;
                self.observed.cause = finished.error.as_ref().map(cause);
            }
            _ => {}
        }
    }

    fn run(&mut self, step: &str, run: u32) -> Option<&mut StepRun> {
        let at = *self.open.get(&(step.to_owned(), run))?;
        self.observed.steps.get_mut(at)
    }

    fn called(&mut self, report: &Report) {
        let key = (report.id.step.clone(), report.id.run, report.id.batch);
        let issued = self.issued.get(&key).copied();
        let sizes = self.items.get(&(report.id.step.clone(), report.id.run)).cloned();
        let took = (report.finished_ms - report.started_ms).max(0) as f64;
        let Some(open) = self.run(&report.id.step, report.id.run) else { return };
        if open.work_ms == 0.0
            && let Some((at, ..)) = issued
        {
            open.queue_ms = (report.started_ms - at).max(0) as f64;
        }
        open.work_ms += took;
        for item in &report.items {
            add_series(open, item);
        }
        if let (Some(looped), Some((_, count, slots))) = (&mut open.looped, issued) {
            let side_by_side = u64::from(slots).clamp(1, count.max(1)) as f64;
            let each = took * side_by_side / count.max(1) as f64;
            let first = report.runs.first().map_or(0, |run| run.first);
            let first = report.items.first().map_or(first, |item| item.index.min(first));
            for index in 0..count {
                let size = sizes.as_ref().and_then(|sizes| sizes.get((first + index) as usize)).copied();
                looped.calls.push((size.unwrap_or(1) as f64, each));
            }
        }
    }
}

fn add_series(open: &mut StepRun, item: &ItemReport) {
    for call in &item.calls {
        let failure = call.error.as_ref().map(|error| failure(error, Some(call.tool.as_str())));
        let wait_ms = call.retry_after.unwrap_or(0.0) * 1_000.0;
        let made = Try { wait_ms, duration_ms: call.duration_ms, failure };
        let last = open.series.iter_mut().rfind(|series| series.task == call.task);
        let goes_on = last.filter(|series| call.attempt > 1 && series.tries.len() as u32 + 1 == call.attempt);
        match goes_on {
            Some(series) => series.tries.push(made),
            None => open.series.push(Series { task: call.task.clone(), tries: vec![made] }),
        }
    }
}

fn failure(error: &TaskError, tool: Option<&str>) -> Failure {
    Failure {
        cause: Cause::of(error, tool).code().to_owned(),
        kind: error.kind.clone(),
        code: error.code.clone(),
        status_code: error.status_code,
    }
}

fn cause(error: &TaskError) -> String {
    Cause::of(error, None).code().to_owned()
}

/// Elements in all, and of each Iteration: a chunk is a list.
fn sizes(items: &LoopItems) -> (u64, Vec<u64>) {
    match items {
        LoopItems::List(list) => {
            let sizes: Vec<u64> =
                list.iter().map(|item| item.as_array().map_or(1, |chunk| chunk.len() as u64)).collect();
            (sizes.iter().sum(), sizes)
        }
        LoopItems::Range(count) => (*count, Vec::new()),
        LoopItems::Cursor { .. } => (0, Vec::new()),
    }
}
