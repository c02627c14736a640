//! What every [`EventStore`] promises, as a suite that runs over each implementation.

mod appending;
mod reading;
mod rows;

use std::future::Future;

use noetl_domain::event::{Event, Recorded};
use noetl_domain::id::{CommandId, ExecutionId};
use noetl_domain::{Map, Value};

use super::{Append, AppendError, Committed, EventStore, Summary};

/// A database that a store can be opened on again and again.
pub trait Harness: Sized {
    type Store: EventStore;

    /// A database with nothing in it.
    fn fresh() -> impl Future<Output = Self>;

    fn open(&self) -> impl Future<Output = Self::Store>;

    fn close(&self, store: Self::Store) -> impl Future<Output = ()>;

    /// Lets every further write fail halfway, as a full disk does, or lets them pass again.
    fn set_disk_full(&self, store: &Self::Store, full: bool) -> impl Future<Output = ()>;
}

/// Runs every promise on a database of its own; panics with the one that is broken.
pub async fn suite<H: Harness>() {
    appending::versions_grow_and_a_stale_one_is_refused(H::fresh().await).await;
    appending::a_conflict_refuses_only_its_own_item(H::fresh().await).await;
    appending::items_of_one_execution_follow_each_other(H::fresh().await).await;
    appending::nonsense_is_refused(H::fresh().await).await;
    appending::the_same_start_happens_once(H::fresh().await).await;
    appending::racing_appends_have_one_winner(H::fresh().await).await;
    appending::a_caller_that_goes_away_leaves_no_half(H::fresh().await).await;
    appending::a_full_disk_is_told_and_leaves_no_half(H::fresh().await).await;
    rows::the_outbox_holds_what_is_not_answered(H::fresh().await).await;
    rows::timers_live_until_they_fire(H::fresh().await).await;
    rows::everything_is_there_after_reopening(H::fresh().await).await;
    rows::clean_up_deletes_whole_families_that_ended(H::fresh().await).await;
    reading::every_event_reads_back_as_it_was(H::fresh().await).await;
    reading::the_feed_is_in_the_order_of_commits_without_gaps(H::fresh().await).await;
    reading::events_answer_to_names_of_every_generation(H::fresh().await).await;
    reading::pages_of_executions_miss_and_repeat_nothing(H::fresh().await).await;
    reading::log_lines_are_kept_in_order(H::fresh().await).await;
}

/// An append of `count` small Events after `expected`.
fn append(execution: u64, expected: u64, count: u64) -> Append {
    let id = ExecutionId(execution);
    let mut append = Append::new(
        id,
        expected,
        Summary {
            path: format!("test/{execution}"),
            version: 1,
            catalog_id: "9".into(),
            trigger: "api".into(),
            started_ms: 1_000 + execution as i64,
            events: expected + count,
            ..Summary::of(id)
        },
    );
    append.events = (1..=count)
        .map(|number| entered(execution, expected + number, &format!("step_{}", expected + number)))
        .collect();
    append
}

fn entered(execution: u64, seq: u64, step: &str) -> Recorded {
    let inputs: Map = [("n".to_owned(), Value::from(seq))].into_iter().collect();
    recorded(execution, seq, Event::StepEntered { step: step.to_owned(), run: 1, tokens: 1, inputs })
}

fn recorded(execution: u64, seq: u64, event: Event) -> Recorded {
    let event_id = execution * 1_000_000 + seq;
    Recorded {
        execution: ExecutionId(execution),
        seq,
        event_id,
        at_ms: 1_700_000_000_000 + seq as i64,
        event,
    }
}

fn command(execution: u64, step: &str) -> CommandId {
    CommandId { execution: ExecutionId(execution), step: step.to_owned(), run: 1, batch: 0 }
}

/// A short Execution with one of everything that views show.
#[cfg(test)]
pub(super) async fn write_sample<S: EventStore>(store: &S) {
    use noetl_domain::event::{Exit, Finished, Issued, IssuedWork, Requested, Status, Taken};
    use noetl_domain::report::{ItemReport, LogLine, Outcome, Report};
    use noetl_domain::result::{ResultKind, Stored};
    use noetl_domain::usage::Usage;
    use serde_json::json;

    let map = |value: Value| value.as_object().cloned().unwrap_or_default();
    let mut sample = append(1, 0, 0);
    let outcome = Outcome::Ok { kind: ResultKind::Plain, result: Stored::Inline(json!({"x": 1})) };
    let item = ItemReport { outcome, ..ItemReport::default() };
    let (runs, items) = Report::compact(vec![item]);
    let id = command(1, "a");
    let report = Report {
        id,
        attempt: 1,
        worker: "w".into(),
        started_ms: 500,
        finished_ms: 2_000,
        runs,
        items,
        claimed: None,
        undefined: Vec::new(),
        usage: Usage::default(),
    };
    let events = [
        Event::ExecutionRequested(Box::new(Requested {
            workload: map(json!({"w": 5})),
            ..Requested::default()
        })),
        Event::StepEntered { step: "a".into(), run: 1, tokens: 1, inputs: Map::new() },
        Event::CommandIssued(Issued {
            step: "a".into(),
            run: 1,
            batch: 0,
            attempt: 1,
            work: IssuedWork::Once,
            slots: 1,
        }),
        Event::Called(Box::new(report)),
        Event::StepExited(Box::new(Exit {
            step: "a".into(),
            ctx: map(json!({"v": {"k": "t"}, "w": 2})),
            routes: vec![Taken { to: "end".into(), inputs: Map::new() }],
            ..Exit::default()
        })),
        Event::ExecutionFinished(Box::new(Finished { status: Status::Completed, ..Finished::default() })),
    ];
    sample.events = events.into_iter().zip(1..).map(|(event, seq)| recorded(1, seq, event)).collect();
    sample.summary.path = "sample".into();
    sample.summary.status = Status::Completed;
    sample.summary.finished_ms = Some(sample.summary.started_ms + 2_000);
    must(store, sample).await;
    let line = LogLine {
        execution: ExecutionId(1),
        step: "a".into(),
        run: 1,
        index: None,
        at_ms: 1,
        stream: "stdout".into(),
        level: "info".into(),
        text: "hello".into(),
        fields: Value::Null,
    };
    store.append_logs(vec![line]).await.expect("writes");
}

/// What a step of a chain appends: a report, an exit, an entry, a Command; and their rows.
#[cfg(test)]
pub(super) fn typical_append(execution: u64, expected: u64, count: u64, next_id: &crate::ids::Ids) -> Append {
    use noetl_domain::event::{Exit, Issued, IssuedWork, Taken};
    use noetl_domain::report::{ItemReport, Report};
    use noetl_domain::usage::Usage;

    let mut typical = append(execution, expected, 0);
    typical.summary.events = expected + count;
    for seq in expected + 1..=expected + count {
        let step = format!("step_{seq}");
        let event = match seq % 4 {
            0 => {
                let (runs, items) = Report::compact(vec![ItemReport::default()]);
                let id = command(execution, &step);
                let worker = "worker-1".to_owned();
                Event::Called(Box::new(Report {
                    id,
                    attempt: 1,
                    worker,
                    started_ms: 1,
                    finished_ms: 2,
                    runs,
                    items,
                    claimed: None,
                    undefined: Vec::new(),
                    usage: Usage::default(),
                }))
            }
            1 => Event::StepExited(Box::new(Exit {
                step,
                routes: vec![Taken { to: "next".into(), inputs: Map::new() }],
                ..Exit::default()
            })),
            2 => Event::StepEntered { step, run: 1, tokens: 1, inputs: Map::new() },
            _ => Event::CommandIssued(Issued {
                step,
                run: 1,
                batch: 0,
                attempt: 1,
                work: IssuedWork::Once,
                slots: 1,
            }),
        };
        let recorded = recorded(execution, seq, event);
        typical.events.push(Recorded { event_id: next_id.next_id(), ..recorded });
    }
    typical.close(command(execution, &format!("step_{expected}")));
    typical.open(command(execution, &format!("step_{}", expected + count)), 1);
    typical
}

async fn must<S: EventStore>(store: &S, append: Append) -> Committed {
    one(store, append).await.expect("the append is valid")
}

async fn one<S: EventStore>(store: &S, append: Append) -> Result<Committed, AppendError> {
    let mut outcomes = store.append(vec![append]).await;
    assert_eq!(outcomes.len(), 1, "one answer per item");
    outcomes.remove(0)
}

async fn seqs<S: EventStore>(store: &S, execution: u64) -> Vec<u64> {
    let log = store.load(ExecutionId(execution), 0).await.expect("the log reads");
    log.into_iter().map(|recorded| recorded.seq).collect()
}

fn as_json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("serialises")
}
