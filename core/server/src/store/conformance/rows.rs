//! Promises about the rows beside the log.

use noetl_domain::error::TaskError;
use noetl_domain::event::{Status, TimerKey};
use noetl_domain::id::ExecutionId;
use noetl_domain::result::Stored;

use super::super::{Dedup, EventStore, OutboxRow, StepCounts};
use super::{Harness, append, command, must, seqs};

pub(super) async fn the_outbox_holds_what_is_not_answered<H: Harness>(harness: H) {
    let store = harness.open().await;
    let mut first = append(1, 0, 1);
    first.open(command(1, "a"), 1);
    first.open(command(1, "b"), 1);
    first.open(command(1, "done at once"), 1);
    first.close(command(1, "done at once"));
    must(&store, first).await;
    let mut retried = append(1, 1, 1);
    retried.close(command(1, "a"));
    retried.open(command(1, "a"), 2);
    let mut answered = append(1, 2, 1);
    answered.close(command(1, "b"));
    answered.close(command(1, "never opened"));
    let mut other = append(2, 0, 1);
    other.open(command(2, "a"), 1);
    for outcome in store.append(vec![retried, other, answered]).await {
        outcome.expect("is valid");
    }
    let open = store.outbox(ExecutionId(1)).await.expect("reads");
    assert_eq!(open, [OutboxRow { id: command(1, "a"), attempt: 2 }]);
    assert_eq!(store.outbox(ExecutionId(2)).await.expect("reads").len(), 1);
    harness.close(store).await;
}

pub(super) async fn timers_live_until_they_fire<H: Harness>(harness: H) {
    let store = harness.open().await;
    let wake = TimerKey::Wake { id: command(1, "poll"), index: 3 };
    let deadline = TimerKey::StepDeadline { step: "poll".into(), run: 1 };
    let mut first = append(1, 0, 1);
    first.set_timer(wake.clone(), 500);
    first.set_timer(deadline.clone(), 900);
    first.set_timer(TimerKey::ExecutionDeadline, 100);
    first.clear_timer(TimerKey::ExecutionDeadline);
    let mut second = append(2, 0, 1);
    second.set_timer(TimerKey::ExecutionDeadline, 700);
    for outcome in store.append(vec![first, second]).await {
        outcome.expect("is valid");
    }
    let due = |timers: Vec<super::super::TimerRow>| -> Vec<(u64, i64)> {
        timers.iter().map(|timer| (timer.execution.0, timer.due_ms)).collect()
    };
    let timers = store.timers().await.expect("reads");
    assert_eq!(timers[0].key, wake);
    assert_eq!(due(timers), [(1, 500), (2, 700), (1, 900)]);
    let mut moved = append(1, 1, 1);
    moved.set_timer(deadline, 50);
    moved.clear_timer(wake);
    must(&store, moved).await;
    assert_eq!(due(store.timers().await.expect("reads")), [(1, 50), (2, 700)]);
    harness.close(store).await;
}

pub(super) async fn everything_is_there_after_reopening<H: Harness>(harness: H) {
    let store = harness.open().await;
    let mut start = append(10, 0, 4);
    start.summary.parent = Some(ExecutionId(9));
    start.summary.root = Some(ExecutionId(8));
    start.summary.current_step = Some("step_4".into());
    start.summary.counts = StepCounts { total: 4, completed: 2, running: 1, failed: 1 };
    start.summary.dedup = Some(Dedup { key: "k".into(), window_ms: Some(5) });
    start.open(command(10, "step_4"), 3);
    start.set_timer(TimerKey::ExecutionDeadline, 77);
    let mut ended = append(11, 0, 1);
    ended.summary.status = Status::Failed;
    ended.summary.finished_ms = Some(5_000);
    ended.summary.result = Some(Stored::Inline(serde_json::json!({"rows": [1, 2.5, "x"], "a": null})));
    ended.summary.error = Some(TaskError::new("timeout", "took too long"));
    let summaries = [start.summary.clone(), ended.summary.clone()];
    for outcome in store.append(vec![start, ended]).await {
        outcome.expect("is valid");
    }
    harness.close(store).await;

    let store = harness.open().await;
    assert_eq!(store.unfinished().await.expect("reads"), [ExecutionId(10)]);
    for expected in summaries {
        assert_eq!(store.summary(expected.execution).await.expect("reads"), Some(expected));
    }
    assert_eq!(store.summary(ExecutionId(404)).await.expect("reads"), None);
    assert_eq!(store.outbox(ExecutionId(10)).await.expect("reads")[0].attempt, 3);
    assert_eq!(store.timers().await.expect("reads").len(), 1);
    assert_eq!(store.head().await.expect("reads"), 5);
    assert_eq!(store.largest_id().await.expect("reads"), 11_000_001);
    let after = store.load(ExecutionId(10), 2).await.expect("reads");
    assert_eq!(after.iter().map(|recorded| recorded.seq).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(must(&store, append(10, 4, 1)).await.first_position, 6);
    harness.close(store).await;
}

pub(super) async fn clean_up_deletes_whole_families_that_ended<H: Harness>(harness: H) {
    let store = harness.open().await;
    let mut batch = Vec::new();
    // 1: old. 2: its child. 3: running. 4: the child of 3, old. 5: ended lately.
    for (execution, root, finished_ms) in [
        (1, None, Some(100)),
        (2, Some(1), Some(90)),
        (3, None, None),
        (4, Some(3), Some(80)),
        (5, None, Some(900)),
    ] {
        let mut item = append(execution, 0, 3);
        item.summary.root = root.map(ExecutionId);
        item.summary.finished_ms = finished_ms;
        item.summary.status = if finished_ms.is_some() { Status::Completed } else { Status::Running };
        item.set_timer(TimerKey::ExecutionDeadline, 7);
        item.open(command(execution, "a"), 1);
        batch.push(item);
    }
    for outcome in store.append(batch).await {
        outcome.expect("is valid");
    }
    assert_eq!(store.count_finished(500).await.expect("reads"), 2);
    assert_eq!(store.clean_up(500, 1).await.expect("works").len(), 1);
    assert_eq!(store.clean_up(500, 10).await.expect("works").len(), 1);
    assert!(store.clean_up(500, 10).await.expect("works").is_empty());
    for (execution, left) in [(1, 0), (2, 0), (3, 3), (4, 3), (5, 3)] {
        assert_eq!(seqs(&store, execution).await.len(), left, "execution {execution}");
        let rows = usize::from(left > 0);
        assert_eq!(store.outbox(ExecutionId(execution)).await.expect("reads").len(), rows);
        assert_eq!(store.summary(ExecutionId(execution)).await.expect("reads").iter().len(), rows);
    }
    assert_eq!(store.timers().await.expect("reads").len(), 3);
    assert_eq!(must(&store, append(6, 0, 1)).await.first_position, 16, "positions are never used again");
    harness.close(store).await;
}
