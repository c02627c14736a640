use std::sync::Arc;
use std::sync::atomic::Ordering;

use noetl_domain::event::{Event, Exit, Recorded, Requested};
use noetl_domain::id::{CommandId, ExecutionId};
use noetl_domain::report::LogLine;

use super::Fold;
use crate::fingerprints::Fingerprints;
use crate::policy::Policy;
use crate::rows::{Ending, EventRow, Rows};
use crate::testing::RecordedFeed;

const ALL: &[&str] = &[
    "back_arc",
    "best_effort",
    "failed",
    "fan_out_and_join",
    "first_generation",
    "handled",
    "hello",
    "large_result",
    "loop_entered_twice",
    "loops",
    "parallel_loop",
    "retried",
    "retries",
    "sub_playbooks",
    "waits",
];

fn folded(feed: &Arc<RecordedFeed>) -> (Fold<RecordedFeed>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let fingerprints = Fingerprints::open(directory.path());
    (Fold::new(Arc::clone(feed), Policy::default(), fingerprints), directory)
}

async fn rows_after(feed: RecordedFeed, after: u64) -> Rows {
    let feed = Arc::new(feed);
    let (mut fold, _directory) = folded(&feed);
    let mut rows = Rows::default();
    for event in feed.events.iter().filter(|event| event.position > after) {
        fold.event(event, &mut rows).await.unwrap();
    }
    for line in &feed.lines {
        fold.line(line, &mut rows).await.unwrap();
    }
    rows
}

async fn rows_of(names: &[&str]) -> Rows {
    rows_after(RecordedFeed::of(names), 0).await
}

#[tokio::test]
async fn a_step_that_needed_retries_says_so() {
    let rows = rows_of(&["retries"]).await;
    let start = rows.steps.iter().find(|step| &*step.step == "start").unwrap();
    assert_eq!((start.attempts, start.retries, &*start.status), (3, 2, "COMPLETED"));
    assert_eq!(start.fingerprint, 0, "it completed");
    let tries = rows.events.iter().filter(|event| &*event.event_type == "call.try");
    let tries: Vec<_> = tries.map(|row| (row.tries, &*row.status, row.cause.is_empty(), row.item)).collect();
    assert_eq!(tries, [(1, "ERROR", false, 1), (2, "ERROR", false, 2), (3, "OK", true, 3)]);
    let execution = rows.executions.last().unwrap();
    assert_eq!((&*execution.status, execution.retries, execution.steps), ("COMPLETED", 2, 2));
    assert!(execution.duration_ms > 0.0 && execution.finished_at.is_some());
}

#[tokio::test]
async fn a_failure_names_its_step_its_cause_and_its_shape() {
    let rows = rows_of(&["failed"]).await;
    let failed = rows.steps.iter().find(|step| &*step.status == "FAILED").unwrap();
    assert_eq!(&*failed.cause, "timeout.step");
    assert_ne!(failed.fingerprint, 0);
    assert!(failed.message.contains("it took too long"), "{}", failed.message);
    let execution = rows.executions.last().unwrap();
    assert_eq!((&*execution.status, &execution.failed_step), ("FAILED", &failed.step));
    assert_eq!((execution.fingerprint, &execution.cause), (failed.fingerprint, &failed.cause));
    let told = rows.events.iter().filter(|event| event.fingerprint == failed.fingerprint);
    let told = told.filter(|event| &*event.event_type != "call.try").count();
    assert_eq!(told, 3, "the call, the exit and the end");
}

#[tokio::test]
async fn every_iteration_of_a_loop_is_a_row() {
    let rows = rows_of(&["parallel_loop"]).await;
    let step = rows.steps.iter().find(|step| step.iterations > 1).unwrap();
    let mut iterations: Vec<i64> = rows
        .events
        .iter()
        .filter(|event| &*event.event_type == "call.item" && event.step == step.step)
        .map(|event| event.iteration)
        .collect();
    iterations.sort_unstable();
    assert_eq!(iterations, (0..step.iterations as i64).collect::<Vec<_>>());
    assert_eq!(step.rows_out, step.iterations);
}

#[tokio::test]
async fn a_step_knows_which_step_released_it() {
    let rows = rows_of(&["hello"]).await;
    let released: Vec<(&str, &str)> =
        rows.steps.iter().map(|step| (&*step.released_by, &*step.step)).collect();
    assert_eq!(released[0].0, "", "the entry has nobody before it");
    for pair in released.windows(2) {
        assert_eq!(pair[1].0, pair[0].1, "{released:?}");
    }
}

#[tokio::test]
async fn a_fold_that_begins_anywhere_gives_the_rows_of_one_that_saw_everything() {
    let whole = rows_of(ALL).await;
    let end = RecordedFeed::of(ALL).events.len() as u64;
    for after in 0..end {
        let rest = rows_after(RecordedFeed::of(ALL), after).await;
        let expected: Vec<&EventRow> = whole.events.iter().filter(|row| row.position > after).collect();
        assert_eq!(rest.events.iter().collect::<Vec<_>>(), expected, "after {after}");
        let expected: Vec<_> = whole.steps.iter().filter(|row| row.position > after).collect();
        assert_eq!(rest.steps.iter().collect::<Vec<_>>(), expected, "after {after}");
        let expected: Vec<_> = whole.executions.iter().filter(|row| row.position > after).collect();
        assert_eq!(rest.executions.iter().collect::<Vec<_>>(), expected, "after {after}");
    }
}

#[tokio::test]
async fn an_execution_that_is_retried_stays_what_it_is() {
    let rows = rows_of(&["retried"]).await;
    let states: Vec<_> = rows.executions.iter().map(|row| (&*row.status, row.attempt)).collect();
    assert_eq!(states, [("RUNNING", 1), ("FAILED", 1), ("RUNNING", 2), ("FAILED", 2)]);
    let first = &rows.executions[0];
    for row in &rows.executions {
        assert_eq!((&row.playbook, row.started_at), (&first.playbook, first.started_at), "{row:?}");
    }
    let ran: Vec<_> = rows.ran.iter().map(|ran| (&*ran.step, ran.ending)).collect();
    assert_eq!(ran.iter().filter(|(_, ending)| *ending == Ending::Failed).count(), 1, "{ran:?}");
}

#[tokio::test]
async fn every_execution_is_taken_up_at_most_once() {
    let feed = Arc::new(RecordedFeed::of(ALL));
    let (mut fold, _directory) = folded(&feed);
    let mut rows = Rows::default();
    for event in &feed.events {
        fold.event(event, &mut rows).await.unwrap();
    }
    // Only one that is retried after its end is read again.
    assert!(feed.histories.load(Ordering::Relaxed) <= 1, "{:?}", feed.histories);
}

#[tokio::test]
async fn what_cannot_be_read_is_set_aside_and_the_rest_goes_on() {
    let mut feed = RecordedFeed::of(&["hello"]);
    feed.events[2].data = r#"{"type":"step.exit","data":{"run":"many"}}"#.to_owned();
    feed.events[3].data = "{\"type\":".to_owned();
    let whole = feed.events.len();
    let rows = rows_after(feed, 0).await;
    assert_eq!(rows.poison.iter().map(|row| row.position).collect::<Vec<_>>(), [3, 4]);
    assert!(rows.poison[0].reason.contains("invalid type"), "{}", rows.poison[0].reason);
    assert_eq!(rows.events.len(), whole - 2);
    assert_eq!(&*rows.executions.last().unwrap().status, "COMPLETED");
}

#[tokio::test]
async fn events_of_other_versions_are_rows_too() {
    let mut feed = RecordedFeed::of(&["hello"]);
    // One that a newer version writes, and one from before most fields existed.
    feed.events[2].data = r#"{"type":"step.paused","data":{"step":"start","run":1,"by":"ada"}}"#.to_owned();
    feed.events[3].data = r#"{"type":"playbook.initialized","data":{"path":"old"}}"#.to_owned();
    let rows = rows_after(feed, 0).await;
    assert!(rows.poison.is_empty(), "{:?}", rows.poison);
    let paused = rows.events.iter().find(|row| row.position == 3).unwrap();
    assert_eq!((&*paused.event_type, &*paused.step, paused.run), ("step.paused", "start", 1));
    assert!(rows.executions.iter().any(|row| &*row.playbook == "old"));
}

#[tokio::test]
async fn a_line_belongs_to_the_playbook_of_its_execution() {
    let mut feed = RecordedFeed::of(&["hello"]);
    let first = feed.events[0].clone();
    let line = |text: &str| LogLine {
        execution: first.execution,
        step: "start".into(),
        run: 1,
        index: None,
        at_ms: first.at_ms,
        stream: "stdout".into(),
        level: "info".into(),
        text: text.into(),
        fields: serde_json::Value::Null,
    };
    feed.print(line("loaded 120 rows in 3.5 s"));
    feed.print(line("loaded 7 rows in 11.2 s"));
    let rows = rows_after(feed, 0).await;
    assert!(rows.lines.iter().all(|line| &*line.playbook == "tests/hello/e"), "{:?}", rows.lines);
    assert_eq!(rows.lines[0].fingerprint, rows.lines[1].fingerprint);
    assert!(
        !rows.lines[0].message.contains("120"),
        "the policy stores the template: {}",
        rows.lines[0].message
    );
}

#[tokio::test]
async fn what_tools_used_is_a_matter_of_the_whole_run() {
    let mut feed = RecordedFeed::default();
    let execution = ExecutionId(7);
    let command = |batch: u32| CommandId { execution, step: "load".into(), run: 1, batch };
    let report = |batch: u32, cpu_us: u64, memory_bytes: u64, bytes_in: u64| {
        let report = serde_json::json!({
            "id": command(batch), "attempt": 1, "worker": "w", "started_ms": 1, "finished_ms": 2,
            "usage": { "cpu_us": cpu_us, "memory_bytes": memory_bytes, "bytes_in": bytes_in },
        });
        Event::Called(Box::new(serde_json::from_value(report).unwrap()))
    };
    let inputs = serde_json::json!({"from": "x"}).as_object().unwrap().clone();
    let exit =
        |step: &str| Event::StepExited(Box::new(Exit { step: step.into(), run: 1, ..Exit::default() }));
    let entered =
        |step: &str| Event::StepEntered { step: step.into(), run: 1, tokens: 1, inputs: inputs.clone() };
    let request = Requested { path: "p".into(), payload: inputs.clone(), ..Requested::default() };
    let events = [
        Event::ExecutionRequested(Box::new(request)),
        entered("load"),
        report(0, 1_500, 70, 10),
        report(1, 2_500, 50, 20),
        exit("load"),
        entered("route"),
        exit("route"),
    ];
    for (event, seq) in events.into_iter().zip(1..) {
        feed.push(&Recorded { execution, seq, event_id: seq, at_ms: seq as i64, event });
    }
    let rows = rows_after(feed, 0).await;
    let told: Vec<_> =
        rows.steps.iter().map(|row| (&*row.step, row.cpu_ms, row.memory_bytes, row.bytes_in)).collect();
    assert_eq!(told, [("load", 4.0, 70, 30), ("route", 0.0, 0, 12)]);
    assert_eq!(rows.executions[0].bytes_in, 12);
}

#[tokio::test]
async fn what_a_sub_playbook_is_given_is_input_of_the_step_that_starts_it() {
    let rows = rows_of(&["sub_playbooks"]).await;
    let start = rows.steps.iter().find(|step| &*step.step == "start").unwrap();
    let given = [r#"{"unit":5,"count":3}"#, r#"{"unit":10,"count":3}"#];
    assert_eq!(start.bytes_in, given.iter().map(|given| given.len() as u64).sum::<u64>());
}
