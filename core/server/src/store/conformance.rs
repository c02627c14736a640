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
    recorded(execution, seq, Event::StepEntered { step: step.to_owned(), run: 1, inputs })
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
