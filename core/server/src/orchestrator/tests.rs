//! The orchestrator over a real store and the local bus, with a worker that the tests play.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use noetl_bus::Bus;
use noetl_bus::local::{Config, Local};
use noetl_bus::results::Results;
use noetl_domain::Value;
use noetl_domain::code::Code;
use noetl_domain::command::{PipelineState, Wake, Work};
use noetl_domain::error::TaskError;
use noetl_domain::event::Status;
use noetl_domain::execution::Plan;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{ChildRequest, ItemReport, Outcome, Report, Wait};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::usage::Usage;
use serde_json::json;

use super::{Dedup, Orchestrator, Parts, PlanSource, Start, Which};
use crate::error::ServerError;
use crate::ids::Ids;
use crate::store::faulty::{Fault, FaultyStore};
use crate::store::{EventStore, SqliteStore};

/// Playbooks by path, all in version 1.
struct Shelf(HashMap<String, Arc<Plan>>);

impl PlanSource for Shelf {
    fn plan(
        &self,
        which: Which,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Arc<Plan>, ServerError>> + Send + '_>> {
        Box::pin(async move {
            let Which::Path(path, version) = which else {
                return Err(ServerError::unknown_playbook("", None));
            };
            self.0.get(&path).cloned().ok_or_else(|| ServerError::unknown_playbook(&path, version))
        })
    }

    fn paths_below<'a>(
        &'a self,
        prefix: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<String>, ServerError>> + Send + 'a>> {
        Box::pin(async move { Ok(self.0.keys().filter(|path| path.starts_with(prefix)).cloned().collect()) })
    }
}

fn shelf(texts: &[&str]) -> Arc<Shelf> {
    let plans = texts.iter().map(|text| {
        let reading = noetl_domain::dialect::read(text);
        let playbook = reading.playbook.unwrap_or_else(|| panic!("refused: {:#?}", reading.findings));
        (playbook.path.clone(), Arc::new(Plan::new(playbook, 1, "1".into())))
    });
    Arc::new(Shelf(plans.collect()))
}

const LOOP: &str = r"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: loop, path: loop }
workload: { n: 50 }
workflow:
  - step: start
    loop: { in: '{{ workload.n }}', iterator: x, spec: { mode: parallel, max_in_flight: 8 } }
    tool: { kind: python, code: 'result = x' }
    next: { arcs: [ { step: end } ] }
  - step: end
    tool: { kind: python, code: 'result = 1' }
";

const PARENT: &str = r"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: parent, path: parent }
workflow:
  - step: start
    tool: { kind: playbook, path: child, return_step: start }
    next: { arcs: [ { step: end } ] }
  - step: end
";

const CHILD: &str = r"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: child, path: child }
workflow:
  - step: start
    tool: { kind: python, code: 'result = 1' }
";

/// Makes the worker fail; every test is a process of its own under nextest, and this one test alone sets it.
static FAILING: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// One process: it can be killed, and another opened over the same directory.
struct Process<S: EventStore> {
    orchestrator: Orchestrator,
    bus: Arc<Local>,
    store: Arc<S>,
}

async fn open_over<S: EventStore>(store: Arc<S>, plans: Arc<Shelf>) -> Process<S> {
    let bus = Arc::new(Local::new(Config::default()));
    let parts = Parts {
        store: Arc::clone(&store),
        bus: Arc::clone(&bus),
        results: Results::open("memory://").expect("memory"),
        ids: Arc::new(Ids::new(0)),
        env: Arc::default(),
    };
    let orchestrator = Orchestrator::open(parts, plans).await.expect("opens");
    Process { orchestrator, bus, store }
}

async fn open(directory: &std::path::Path, plans: Arc<Shelf>) -> Process<SqliteStore> {
    let store = SqliteStore::open(directory).await.expect("a store");
    open_over(Arc::new(store), plans).await
}

/// A worker that answers `limit` Commands; every Iteration it runs is counted.
fn work(bus: &Arc<Local>, ran: &Arc<AtomicU64>, limit: u64) -> tokio::task::JoinHandle<()> {
    let (bus, ran) = (Arc::clone(bus), Arc::clone(ran));
    tokio::spawn(async move {
        for _ in 0..limit {
            let Some(delivery) = bus.take(noetl_bus::local::DEFAULT_POOL).await else { return };
            let command = &delivery.command;
            let items = match &command.work {
                Work::Items { items, .. } => items
                    .iter()
                    .map(|item| ItemReport {
                        index: item.index,
                        outcome: ok(item.value.clone()),
                        ..ItemReport::default()
                    })
                    .collect(),
                Work::Once { resume } => {
                    let outcome = match resume.as_ref().map(|resume| &resume.wake) {
                        Some(Wake::Child { status, result, .. }) if status == "COMPLETED" => {
                            Outcome::Ok { kind: ResultKind::Plain, result: result.value.clone() }
                        }
                        Some(_) => failed("the child failed"),
                        None if command.step.body.iter().any(|task| task.kind == "playbook") => {
                            Outcome::Parked {
                                on: Wait::Child(ChildRequest {
                                    path: "child".into(),
                                    return_step: Some("start".into()),
                                    ..ChildRequest::default()
                                }),
                                state: PipelineState::default(),
                            }
                        }
                        None if FAILING.load(Ordering::SeqCst) => failed("told to"),
                        None => ok(json!({ "said": "hello" })),
                    };
                    vec![ItemReport { outcome, ..ItemReport::default() }]
                }
                Work::Frame { .. } | Work::Saves { .. } => Vec::new(),
            };
            ran.fetch_add(items.len() as u64, Ordering::SeqCst);
            let (runs, items) = Report::compact(items);
            let report = Report {
                id: command.id.clone(),
                attempt: command.attempt,
                worker: "test".into(),
                started_ms: 0,
                finished_ms: 1,
                runs,
                items,
                claimed: None,
                undefined: Vec::new(),
                usage: Usage::default(),
            };
            if bus.report(delivery.lease, report).await.is_err() {
                return;
            }
        }
    })
}

fn ok(value: Value) -> Outcome {
    Outcome::Ok { kind: ResultKind::Plain, result: Stored::Inline(value) }
}

fn failed(message: &str) -> Outcome {
    Outcome::Error {
        error: TaskError::new("tool_error", message),
        kind: ResultKind::Plain,
        result: Stored::default(),
    }
}

fn start(path: &str) -> Start {
    Start { path: Some(path.into()), trigger: "test".into(), ..Start::default() }
}

/// Waits for the end by following the feed; the store is asked first, for what has ended already.
async fn ended<S: EventStore>(process: &Process<S>, id: ExecutionId) -> Status {
    let mut feed = process.orchestrator.subscribe();
    let wait = async {
        loop {
            if let Some(summary) = process.store.summary(id).await.expect("readable")
                && summary.status.is_final()
            {
                return summary.status;
            }
            let _ = feed.recv().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the execution does not end")
}

#[tokio::test]
async fn a_loop_runs_every_item_and_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let process = open(directory.path(), shelf(&[LOOP])).await;
    let ran = Arc::default();
    let _worker = work(&process.bus, &ran, u64::MAX);
    let started = process.orchestrator.start(start("loop")).await.expect("starts");
    assert_eq!(ended(&process, started.execution_id).await, Status::Completed);
    assert_eq!(ran.load(Ordering::SeqCst), 51);
    let snapshot = process.orchestrator.snapshot(started.execution_id).await.expect("known");
    let state = &snapshot.execution.steps["start"];
    assert_eq!(state.looped.as_ref().map(|looped| looped.stats.success), Some(50));
}

#[tokio::test]
async fn a_restart_in_the_middle_finishes_what_was_begun() {
    let directory = tempfile::tempdir().expect("a directory");
    let ran = Arc::default();
    let first = open(directory.path(), shelf(&[LOOP])).await;
    // Three commands are answered, then the process dies with others in the air.
    let started = first.orchestrator.start(start("loop")).await.expect("starts");
    work(&first.bus, &ran, 3).await.expect("works");
    first.orchestrator.stop();
    drop(first);
    let second = open(directory.path(), shelf(&[LOOP])).await;
    let _worker = work(&second.bus, &ran, u64::MAX);
    assert_eq!(ended(&second, started.execution_id).await, Status::Completed);
    let snapshot = second.orchestrator.snapshot(started.execution_id).await.expect("known");
    let stats = snapshot.execution.steps["start"].looped.as_ref().map(|looped| looped.stats);
    assert_eq!(stats.map(|stats| (stats.total, stats.success)), Some((50, 50)));
}

#[tokio::test]
async fn a_parent_waits_for_its_child_and_takes_its_result() {
    let directory = tempfile::tempdir().expect("a directory");
    let process = open(directory.path(), shelf(&[PARENT, CHILD])).await;
    let ran = Arc::default();
    let _worker = work(&process.bus, &ran, u64::MAX);
    let started = process.orchestrator.start(start("parent")).await.expect("starts");
    assert_eq!(ended(&process, started.execution_id).await, Status::Completed);
    let snapshot = process.orchestrator.snapshot(started.execution_id).await.expect("known");
    let result = snapshot.execution.steps["start"].result.as_ref().expect("a result");
    assert_eq!(result.value, Stored::Inline(json!({ "said": "hello" })));
}

#[tokio::test]
async fn cancelling_a_parent_cancels_the_child_it_waits_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let process = open(directory.path(), shelf(&[PARENT, CHILD])).await;
    let ran = Arc::default();
    let started = process.orchestrator.start(start("parent")).await.expect("starts");
    // The parent parks; its child's command is in nobody's hands.
    work(&process.bus, &ran, 1).await.expect("works");
    let children = async {
        loop {
            let snapshot = process.orchestrator.snapshot(started.execution_id).await.expect("known");
            if let [(_, _, child)] = snapshot.execution.children_under_way().as_slice() {
                return *child;
            }
            tokio::task::yield_now().await;
        }
    };
    let child = tokio::time::timeout(Duration::from_secs(20), children).await.expect("a child");
    let cancelled = process.orchestrator.cancel(started.execution_id, None, true).await.expect("cancels");
    assert_eq!(cancelled, [started.execution_id, child]);
    assert_eq!(ended(&process, child).await, Status::Cancelled);
    let again = process.orchestrator.cancel(started.execution_id, None, true).await.expect_err("is over");
    assert_eq!(again.code, Code::AlreadyFinished);
}

#[tokio::test]
async fn a_cancel_reaches_nothing_that_a_retry_orders_after_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let process = open(directory.path(), shelf(&[CHILD])).await;
    let pool = noetl_bus::local::DEFAULT_POOL;
    let mut cancels = process.bus.cancellations();
    let started = process.orchestrator.start(start("child")).await.expect("starts");
    let first = process.bus.take(pool).await.expect("a command");
    process.orchestrator.cancel(started.execution_id, None, true).await.expect("cancels");
    process.orchestrator.retry(started.execution_id, Some("start".into())).await.expect("runs again");
    let second = process.bus.take(pool).await.expect("a command");
    let cancel = cancels.recv().await.expect("a cancel");
    let (execution, first, second) = (started.execution_id, &first.command, &second.command);
    assert_eq!((second.id.run, second.id.execution), (2, execution));
    assert!(cancel.reaches(execution, first.issued), "{cancel:?}, issued by event {}", first.issued);
    assert!(!cancel.reaches(execution, second.issued), "{cancel:?}, issued by event {}", second.issued);
}

#[tokio::test]
async fn a_failed_execution_runs_again_from_where_it_failed() {
    let directory = tempfile::tempdir().expect("a directory");
    let process = open(directory.path(), shelf(&[CHILD])).await;
    let ran = Arc::default();
    let _worker = work(&process.bus, &ran, u64::MAX);
    FAILING.store(true, Ordering::SeqCst);
    let started = process.orchestrator.start(start("child")).await.expect("starts");
    assert_eq!(ended(&process, started.execution_id).await, Status::Failed);
    FAILING.store(false, Ordering::SeqCst);
    process.orchestrator.retry(started.execution_id, None).await.expect("runs again");
    assert_eq!(ended(&process, started.execution_id).await, Status::Completed);
}

#[tokio::test]
async fn the_same_start_happens_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let process = open(directory.path(), shelf(&[CHILD])).await;
    let once = || Start { dedup: Some(Dedup { key: "k".into(), window_seconds: None }), ..start("child") };
    let first = process.orchestrator.start(once()).await.expect("starts");
    let second = process.orchestrator.start(once()).await.expect("answers");
    assert!(!first.duplicate && second.duplicate);
    assert_eq!(first.execution_id, second.execution_id);
}

/// A chain of noops: one round of several slices.
fn chain(steps: usize) -> String {
    let mut text =
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: chain, path: chain }\nworkflow:\n"
            .to_owned();
    for at in 0..steps {
        let name = if at == 0 { "start".to_owned() } else { format!("s{at}") };
        text += &format!("  - step: {name}\n    tool: {{ kind: noop }}\n");
        if at + 1 < steps {
            text += &format!("    next: {{ arcs: [ {{ step: s{} }} ] }}\n", at + 1);
        }
    }
    text
}

#[tokio::test]
async fn a_long_round_survives_a_store_that_fails_at_any_of_its_slices() {
    // Six slices, of which two at most share a commit.
    const STEPS: usize = 3000;
    let plans = shelf(&[&chain(STEPS)]);
    // The first commit answers the start.
    for (nth, fault) in [(2, Fault::Before), (3, Fault::Before), (2, Fault::After)] {
        let directory = tempfile::tempdir().expect("a directory");
        let faulty = Arc::new(FaultyStore::new(SqliteStore::open(directory.path()).await.expect("a store")));
        let process = open_over(Arc::clone(&faulty), Arc::clone(&plans)).await;
        faulty.fail(nth, fault);
        let started = process.orchestrator.start(start("chain")).await.expect("starts");
        assert_eq!(ended(&process, started.execution_id).await, Status::Completed);
        let log = process.store.load(started.execution_id, 0).await.expect("a log");
        let count = |name: &str| log.iter().filter(|recorded| recorded.event.name() == name).count();
        assert_eq!(
            (count("step.enter"), count("step.exit"), count("playbook.completed")),
            (STEPS, STEPS, 1),
            "after {fault:?} at commit {nth}"
        );
        assert!(process.orchestrator.metrics().commits_failed.load(Ordering::Relaxed) > 0);
    }
}

#[tokio::test]
async fn a_store_that_fails_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(directory.path()).await.expect("a store");
    let faulty = Arc::new(FaultyStore::new(store));
    let process = open_over(Arc::clone(&faulty), shelf(&[LOOP])).await;
    let ran = Arc::default();
    let _worker = work(&process.bus, &ran, u64::MAX);
    faulty.fail(1, Fault::Before);
    let refused = process.orchestrator.start(start("loop")).await.expect_err("not committed");
    assert_eq!(refused.code, Code::StoreFailed);
    let started = process.orchestrator.start(start("loop")).await.expect("starts");
    faulty.fail(2, Fault::Before);
    faulty.fail(4, Fault::After);
    assert_eq!(ended(&process, started.execution_id).await, Status::Completed);
    let snapshot = process.orchestrator.snapshot(started.execution_id).await.expect("known");
    let stats = snapshot.execution.steps["start"].looped.as_ref().map(|looped| looped.stats);
    assert_eq!(stats.map(|stats| (stats.total, stats.success)), Some((50, 50)));
}
