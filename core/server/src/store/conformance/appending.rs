//! Promises about appending.

use std::sync::Arc;

use noetl_domain::id::ExecutionId;

use super::super::{AppendError, Dedup, EventStore};
use super::{Harness, append, command, must, one, seqs};

pub(super) async fn versions_grow_and_a_stale_one_is_refused<H: Harness>(harness: H) {
    let store = harness.open().await;
    must(&store, append(1, 0, 3)).await;
    must(&store, append(1, 3, 2)).await;
    for expected in [0, 3, 4, 6] {
        let refused = one(&store, append(1, expected, 1)).await;
        assert!(matches!(refused, Err(AppendError::Conflict { actual: 5 })), "{expected}: {refused:?}");
    }
    let missing = one(&store, append(2, 1, 1)).await;
    assert!(matches!(missing, Err(AppendError::Conflict { actual: 0 })), "{missing:?}");
    assert_eq!(seqs(&store, 1).await, [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&store, 2).await, [0; 0]);
    harness.close(store).await;
}

pub(super) async fn a_conflict_refuses_only_its_own_item<H: Harness>(harness: H) {
    let store = harness.open().await;
    must(&store, append(1, 0, 1)).await;
    let mut stale = append(1, 0, 2);
    stale.open(command(1, "stale"), 1);
    let outcomes = store.append(vec![append(2, 0, 70), stale, append(3, 0, 1)]).await;
    assert_eq!(outcomes[0].as_ref().map(|committed| committed.first_position).ok(), Some(2));
    assert!(matches!(outcomes[1], Err(AppendError::Conflict { actual: 1 })), "{:?}", outcomes[1]);
    assert_eq!(outcomes[2].as_ref().map(|committed| committed.first_position).ok(), Some(72));
    assert_eq!(
        (seqs(&store, 2).await.len(), seqs(&store, 1).await.len(), seqs(&store, 3).await.len()),
        (70, 1, 1)
    );
    assert!(store.outbox(ExecutionId(1)).await.expect("reads").is_empty(), "a refused item wrote something");
    harness.close(store).await;
}

pub(super) async fn items_of_one_execution_follow_each_other<H: Harness>(harness: H) {
    let store = harness.open().await;
    let outcomes =
        store.append(vec![append(1, 0, 2), append(1, 2, 2), append(1, 2, 9), append(1, 4, 1)]).await;
    assert!(outcomes[0].is_ok() && outcomes[1].is_ok() && outcomes[3].is_ok(), "{outcomes:?}");
    assert!(matches!(outcomes[2], Err(AppendError::Conflict { actual: 4 })), "{:?}", outcomes[2]);
    assert_eq!(seqs(&store, 1).await, [1, 2, 3, 4, 5]);
    let summary = store.summary(ExecutionId(1)).await.expect("reads").expect("is there");
    assert_eq!(summary.events, 5, "the last summary counts");
    harness.close(store).await;
}

pub(super) async fn nonsense_is_refused<H: Harness>(harness: H) {
    let store = harness.open().await;
    let mut gap = append(1, 0, 3);
    gap.events.remove(1);
    let mut foreign = append(1, 0, 1);
    foreign.events[0].execution = ExecutionId(2);
    let outcomes = store.append(vec![gap, foreign, append(3, 0, 1)]).await;
    assert!(matches!(outcomes[0], Err(AppendError::Store(_))), "{:?}", outcomes[0]);
    assert!(matches!(outcomes[1], Err(AppendError::Store(_))), "{:?}", outcomes[1]);
    assert!(outcomes[2].is_ok());
    assert!(store.append(Vec::new()).await.is_empty());
    harness.close(store).await;
}

pub(super) async fn the_same_start_happens_once<H: Harness>(harness: H) {
    let store = harness.open().await;
    let start = |execution: u64, at_ms: i64, window_ms: Option<i64>| {
        let mut start = append(execution, 0, 1);
        start.summary.started_ms = at_ms;
        start.summary.dedup = Some(Dedup { key: "order-7".into(), window_ms });
        start
    };
    let outcomes = store.append(vec![start(1, 1_000, Some(500)), start(2, 1_200, Some(500))]).await;
    assert!(outcomes[0].is_ok());
    assert!(
        matches!(outcomes[1], Err(AppendError::Duplicate { execution: ExecutionId(1) })),
        "{:?}",
        outcomes[1]
    );
    let again = one(&store, start(3, 1_500, Some(500))).await;
    assert!(matches!(again, Err(AppendError::Duplicate { execution: ExecutionId(1) })), "{again:?}");
    must(&store, append(1, 1, 1)).await;
    must(&store, start(4, 1_501, Some(500))).await;
    let ever = one(&store, start(5, 1_000_000, None)).await;
    assert!(matches!(ever, Err(AppendError::Duplicate { execution: ExecutionId(4) })), "{ever:?}");
    assert_eq!(store.find_duplicate("order-7", 1_400).await.expect("reads"), Some(ExecutionId(4)));
    assert_eq!(store.find_duplicate("order-7", 1_502).await.expect("reads"), None);
    assert_eq!(store.find_duplicate("order-8", 0).await.expect("reads"), None);
    harness.close(store).await;
}

pub(super) async fn racing_appends_have_one_winner<H: Harness>(harness: H) {
    let store = Arc::new(harness.open().await);
    must(&*store, append(1, 0, 1)).await;
    let racers: Vec<_> = (0..16)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { one(&*store, append(1, 1, 2)).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        won += usize::from(racer.await.expect("runs"));
    }
    assert_eq!(won, 1);
    assert_eq!(seqs(&*store, 1).await, [1, 2, 3]);
    harness.close(Arc::into_inner(store).expect("nobody else has it")).await;
}

pub(super) async fn a_caller_that_goes_away_leaves_no_half<H: Harness>(harness: H) {
    let store = harness.open().await;
    must(&store, append(1, 0, 1)).await;
    // Polled a few times, then dropped, at every point that an append can stand.
    for polls in 0..12 {
        let before = seqs(&store, 1).await.len() as u64;
        let mut going = Box::pin(store.append(vec![append(1, before, 200)]));
        for _ in 0..polls {
            if futures::poll!(&mut going).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(going);
        let mut next = append(1, before, 1);
        let version = match one(&store, next.clone()).await {
            Ok(_) => before + 1,
            Err(AppendError::Conflict { actual }) => {
                assert_eq!(actual, before + 200, "half of an append was written");
                next = append(1, actual, 1);
                must(&store, next).await;
                actual + 1
            }
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(seqs(&store, 1).await, (1..=version).collect::<Vec<_>>());
    }
    harness.close(store).await;
}

pub(super) async fn a_full_disk_is_told_and_leaves_no_half<H: Harness>(harness: H) {
    let store = harness.open().await;
    must(&store, append(1, 0, 1)).await;
    harness.set_disk_full(&store, true).await;
    let mut big = append(1, 1, 20_000);
    big.open(command(1, "lost"), 1);
    let outcomes = store.append(vec![big, append(2, 0, 1), append(1, 0, 1)]).await;
    assert!(matches!(outcomes[0], Err(AppendError::Store(_))), "{:?}", outcomes[0]);
    assert!(matches!(outcomes[1], Err(AppendError::Store(_))), "{:?}", outcomes[1]);
    assert!(matches!(outcomes[2], Err(AppendError::Conflict { .. })), "{:?}", outcomes[2]);
    assert_eq!(seqs(&store, 1).await, [1], "reading goes on, and nothing is half there");
    assert_eq!(seqs(&store, 2).await, [0; 0]);
    harness.set_disk_full(&store, false).await;
    must(&store, append(1, 1, 2)).await;
    assert_eq!(seqs(&store, 1).await, [1, 2, 3]);
    assert!(store.outbox(ExecutionId(1)).await.expect("reads").is_empty());
    harness.close(store).await;
}
