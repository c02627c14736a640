use serde_json::json;
use tempfile::TempDir;

use super::*;

const HOUR: i64 = 3_600_000;

async fn schedules() -> (TempDir, Schedules) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).await.unwrap();
    (directory, Schedules::new(store, Arc::new(Ids::new(0))))
}

fn spec(when: ScheduleWhen, catch_up: CatchUp) -> ScheduleSpec {
    let payload = json!({"a": {"b": 1}}).as_object().unwrap().clone();
    ScheduleSpec { when, payload, timezone: None, catch_up, enabled: true }
}

fn hourly(catch_up: CatchUp) -> ScheduleSpec {
    spec(ScheduleWhen::Cron("0 * * * *".into()), catch_up)
}

fn moments(firings: &[Firing]) -> Vec<i64> {
    firings.iter().map(|firing| firing.due_ms).collect()
}

#[tokio::test]
async fn a_firing_is_due_until_it_is_marked_and_its_key_stays_the_same() {
    let (_directory, schedules) = schedules().await;
    let added = schedules.add("etl", Some(2), hourly(CatchUp::Skip), 10).await.unwrap();
    assert_eq!(schedules.next_due_ms().await.unwrap(), Some(HOUR));
    assert!(schedules.due(HOUR - 1).await.unwrap().is_empty());
    let first = schedules.due(HOUR + 200).await.unwrap();
    let again = schedules.due(HOUR + 900).await.unwrap();
    assert_eq!(first[0].dedup_key(), again[0].dedup_key());
    assert_eq!(
        (first[0].path.as_str(), first[0].version, &first[0].payload),
        ("etl", Some(2), &added.payload)
    );
    schedules.mark(&first[0], Some(ExecutionId(77))).await.unwrap();
    schedules.mark(&again[0], Some(ExecutionId(77))).await.unwrap();
    assert!(schedules.due(HOUR + 1_000).await.unwrap().is_empty());
    let read = schedules.get(added.id).await.unwrap();
    assert_eq!(
        (read.last_due_ms, read.next_due_ms, read.last_execution),
        (Some(HOUR), Some(2 * HOUR), Some(ExecutionId(77)))
    );
}

#[tokio::test]
async fn missed_firings_follow_the_policy() {
    let down_until = 5 * HOUR + 20 * 60_000;
    for (catch_up, expected) in [
        (CatchUp::Skip, vec![]),
        (CatchUp::Latest, vec![5 * HOUR]),
        (CatchUp::All, vec![HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 5 * HOUR]),
    ] {
        let (_directory, schedules) = schedules().await;
        schedules.add("etl", None, hourly(catch_up), 0).await.unwrap();
        let firings = schedules.due(down_until).await.unwrap();
        assert_eq!(moments(&firings), expected, "{catch_up:?}");
        for (index, firing) in firings.iter().enumerate() {
            schedules.mark(firing, None).await.unwrap();
            assert_eq!(moments(&schedules.due(down_until).await.unwrap()), expected[index + 1..]);
        }
        assert_eq!(schedules.next_due_ms().await.unwrap(), Some(6 * HOUR), "{catch_up:?}");
    }
}

#[tokio::test]
async fn making_up_is_bounded() {
    let (_directory, schedules) = schedules().await;
    schedules.add("etl", None, spec(ScheduleWhen::IntervalSeconds(1.0), CatchUp::All), 0).await.unwrap();
    let firings = schedules.due(30 * 24 * HOUR).await.unwrap();
    assert_eq!(firings.len(), MAX_CATCH_UP);
    assert_eq!(firings.last().unwrap().due_ms, 30 * 24 * HOUR);
}

#[tokio::test]
async fn a_paused_schedule_rests_and_does_not_make_up() {
    let (_directory, schedules) = schedules().await;
    let id = schedules.add("etl", None, hourly(CatchUp::All), 0).await.unwrap().id;
    assert!(!schedules.pause(id).await.unwrap().enabled);
    assert!(schedules.due(9 * HOUR).await.unwrap().is_empty());
    assert_eq!(schedules.next_due_ms().await.unwrap(), None);
    assert_eq!(schedules.resume(id, 9 * HOUR + 1).await.unwrap().next_due_ms, Some(10 * HOUR));
    assert_eq!(moments(&schedules.due(10 * HOUR).await.unwrap()), [10 * HOUR]);
    schedules.remove(id).await.unwrap();
    assert!(schedules.list(None).await.unwrap().is_empty());
    for refused in [schedules.remove(id).await.err(), schedules.pause(id).await.err()] {
        assert!(matches!(refused, Some(ScheduleError::Unknown(_))));
    }
}

#[tokio::test]
async fn what_is_never_due_is_refused() {
    let (_directory, schedules) = schedules().await;
    let never = spec(ScheduleWhen::Cron("0 0 31 2 *".into()), CatchUp::Skip);
    let refused = schedules.add("etl", None, never, 0).await.unwrap_err();
    assert!(
        matches!(refused, ScheduleError::Never(_)) && refused.code() == Code::InvalidSchedule,
        "{refused:?}"
    );
    assert!(schedules.list(None).await.unwrap().is_empty());
}
