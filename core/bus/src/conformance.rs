//! What every [`Bus`] promises, as a suite that runs over each implementation.

use std::sync::Arc;
use std::time::Duration;

use noetl_domain::Map;
use noetl_domain::command::{Command, ScopeData, Work};
use noetl_domain::id::{CommandId, ExecutionId};
use noetl_domain::playbook::Step;
use noetl_domain::report::Report;
use noetl_domain::usage::Usage;

use crate::{Bus, Cancel, Inbound};

/// Runs every promise; panics with the one that is broken.
///
/// `make(commands, inbound)` opens a fresh bus with these windows.
pub async fn suite<B: Bus>(make: impl Fn(usize, usize) -> B) {
    a_command_arrives_once_and_in_order(Arc::new(make(8, 8))).await;
    pools_do_not_mix(Arc::new(make(8, 8))).await;
    a_full_window_makes_the_sender_wait(Arc::new(make(1, 8))).await;
    an_unanswered_lease_gives_the_command_back(Arc::new(make(8, 8))).await;
    a_report_reaches_the_control_plane(Arc::new(make(8, 8))).await;
    a_cancellation_reaches_every_worker(Arc::new(make(8, 8))).await;
    closing_ends_delivery(Arc::new(make(8, 8))).await;
}

/// Long enough for any delivery on this machine; only a broken bus takes it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long something that must not happen is watched for.
const WATCH: Duration = Duration::from_millis(50);

fn command(batch: u32, pool: &str) -> Command {
    Command {
        id: CommandId { execution: ExecutionId(7), step: "s".into(), run: 1, batch },
        attempt: 1,
        issued: 1,
        path: "p".into(),
        version: 1,
        step: Arc::new(Step::default()),
        work: Work::Once { resume: None },
        inputs: Map::new(),
        scope: ScopeData::default(),
        keychain: Vec::new(),
        parent: None,
        pool: Some(pool.to_owned()),
    }
}

fn report(id: CommandId) -> Report {
    Report {
        id,
        attempt: 1,
        worker: "w".into(),
        started_ms: 1,
        finished_ms: 2,
        runs: Vec::new(),
        items: Vec::new(),
        claimed: None,
        undefined: Vec::new(),
        usage: Usage::default(),
    }
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

async fn a_command_arrives_once_and_in_order<B: Bus>(bus: Arc<B>) {
    for batch in 0..3 {
        soon("send", bus.send(command(batch, "a"))).await.expect("open");
    }
    for batch in 0..3 {
        let delivery = soon("take", bus.take("a")).await.expect("open");
        assert_eq!(delivery.command.id.batch, batch);
        let id = delivery.command.id.clone();
        soon("report", bus.report(delivery.lease, report(id))).await.expect("open");
    }
    assert!(tokio::time::timeout(WATCH, bus.take("a")).await.is_err(), "a command came twice");
}

async fn pools_do_not_mix<B: Bus>(bus: Arc<B>) {
    soon("send", bus.send(command(1, "gpu"))).await.expect("open");
    assert!(tokio::time::timeout(WATCH, bus.take("cpu")).await.is_err(), "a command reached another pool");
    assert_eq!(soon("take", bus.take("gpu")).await.expect("open").command.id.batch, 1);
}

async fn a_full_window_makes_the_sender_wait<B: Bus>(bus: Arc<B>) {
    soon("send", bus.send(command(0, "a"))).await.expect("open");
    let mut second = tokio::spawn({
        let bus = Arc::clone(&bus);
        async move { bus.send(command(1, "a")).await }
    });
    assert!(tokio::time::timeout(WATCH, &mut second).await.is_err(), "the window has no bound");
    let first = soon("take", bus.take("a")).await.expect("open");
    soon("send", second).await.expect("joined").expect("open");
    drop(first);
}

async fn an_unanswered_lease_gives_the_command_back<B: Bus>(bus: Arc<B>) {
    soon("send", bus.send(command(5, "a"))).await.expect("open");
    drop(soon("take", bus.take("a")).await.expect("open").lease);
    assert_eq!(soon("take again", bus.take("a")).await.expect("open").command.id.batch, 5);
}

async fn a_report_reaches_the_control_plane<B: Bus>(bus: Arc<B>) {
    soon("send", bus.send(command(3, "a"))).await.expect("open");
    let delivery = soon("take", bus.take("a")).await.expect("open");
    soon("extend", bus.extend(&delivery.lease)).await.expect("open");
    let id = delivery.command.id.clone();
    soon("report", bus.report(delivery.lease, report(id.clone()))).await.expect("open");
    match soon("inbound", bus.inbound()).await.expect("open") {
        Inbound::Report(report) => assert_eq!(report.id, id),
        Inbound::Logs(_) => panic!("logs instead of a report"),
    }
}

async fn a_cancellation_reaches_every_worker<B: Bus>(bus: Arc<B>) {
    let (mut one, mut two) = (bus.cancellations(), bus.cancellations());
    let cancel = Cancel { execution: ExecutionId(9), until: 3 };
    soon("cancel", bus.cancel(cancel)).await.expect("open");
    assert_eq!(soon("first", one.recv()).await, Ok(cancel));
    assert_eq!(soon("second", two.recv()).await, Ok(cancel));
}

async fn closing_ends_delivery<B: Bus>(bus: Arc<B>) {
    soon("send", bus.send(command(1, "a"))).await.expect("open");
    bus.close();
    assert!(soon("what has arrived", bus.take("a")).await.is_some());
    assert!(soon("the end", bus.inbound()).await.is_none());
    assert!(bus.send(command(2, "a")).await.is_err());
}
