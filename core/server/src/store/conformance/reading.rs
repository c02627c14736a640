//! Promises about reading.

use std::sync::Arc;

use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::event::{
    Diagnosed, Event, Exit, Finished, Issued, IssuedWork, LoopItems, LoopStats, Requested, Status,
    StepStatus, Taken, TimerKey,
};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{ChildRequest, ItemReport, LogLine, Outcome, Report, Run};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use serde_json::json;

use super::super::{Append, EventQuery, EventStore, LogQuery, Order, Summary, SummaryQuery};
use super::{Harness, append, as_json, command, entered, must, recorded};

pub(super) async fn every_event_reads_back_as_it_was<H: Harness>(harness: H) {
    let store = harness.open().await;
    let mut append = Append::new(ExecutionId(1), 0, Summary::of(ExecutionId(1)));
    append.events = one_of_each().into_iter().zip(1..).map(|(event, seq)| recorded(1, seq, event)).collect();
    let written = as_json(&append.events);
    must(&store, append).await;
    let read = store.load(ExecutionId(1), 0).await.expect("reads");
    assert_eq!(as_json(&read), written);
    let names: Vec<&str> = read.iter().map(|recorded| recorded.event.name()).collect();
    assert!(
        names.contains(&"call.done") && names.contains(&"call.error") && names.contains(&"playbook.failed")
    );
    harness.close(store).await;
}

/// Hard values on purpose: text that JSON and SQL must escape, numbers at their limits, raw JSON inside.
fn one_of_each() -> Vec<Event> {
    let text = "quote ' \" \\ \u{0} \u{1F980} line\nbreak";
    let map: Map = [
        (text.to_owned(), json!([u64::MAX, i64::MIN, 0.1, 1e300, 5e-324, 989.492_994_058_286_3, text])),
        ("type".to_owned(), json!({"type": "x", "data": null, "$serde": []})),
    ]
    .into_iter()
    .collect();
    let results = serde_json::value::to_raw_value(&json!([1, {"a": [text]}, null])).expect("serialises");
    let report = |items: Vec<ItemReport>, runs: Vec<Run>| Report {
        id: command(1, "call"),
        attempt: 2,
        worker: "w".into(),
        started_ms: 1,
        finished_ms: 2,
        runs,
        items,
        claimed: Some(3),
        undefined: vec![text.to_owned()],
        usage: Usage { cpu_us: 1, memory_bytes: 2, bytes_in: 3 },
    };
    let error =
        TaskError::new("python", text).with_code("ValueError").with_details(Value::Object(map.clone()));
    let failed = Outcome::Error { error: error.clone(), kind: ResultKind::Http, result: Stored::default() };
    vec![
        Event::ExecutionRequested(Box::new(Requested {
            path: "p".into(),
            workload: map.clone(),
            entry: vec![Taken { to: "start".into(), inputs: map.clone() }],
            ..Requested::default()
        })),
        Event::StepEntered { step: "a b/ü".into(), run: 1, tokens: 1, inputs: map.clone() },
        Event::CommandIssued(Issued {
            step: "s".into(),
            run: 1,
            batch: 7,
            attempt: 1,
            work: IssuedWork::Items { first: 10, count: 5 },
            slots: 1,
        }),
        Event::Called(Box::new(report(
            vec![],
            vec![Run { first: 0, count: 3, kind: ResultKind::Plain, results: Arc::from(results) }],
        ))),
        Event::Called(Box::new(report(
            vec![ItemReport { outcome: failed, ..ItemReport::default() }],
            vec![],
        ))),
        Event::ChildStarted {
            id: command(1, "child"),
            index: 0,
            child: ExecutionId(u64::MAX >> 1),
            request: ChildRequest { timeout_seconds: Some(0.1), ..ChildRequest::default() },
        },
        Event::ChildFinished {
            id: command(1, "child"),
            index: 0,
            child: ExecutionId(2),
            status: Status::Cancelled,
            result: Box::new(StepResult::default()),
        },
        Event::TimerFired { timer: TimerKey::ExecutionDeadline },
        Event::LoopStarted {
            step: "l".into(),
            run: 1,
            items: LoopItems::List(Arc::new(vec![json!(text), Value::Null])),
            concurrency: 8,
        },
        Event::LoopFinished {
            step: "l".into(),
            run: 1,
            stats: LoopStats { total: 9, success: 8, failed: 1 },
            stored: None,
        },
        Event::StepExited(Box::new(Exit {
            step: "l".into(),
            status: StepStatus::Failed,
            error: Some(error),
            ctx: map.clone(),
            routes: vec![Taken { to: "end".into(), inputs: Map::new() }],
            ..Exit::default()
        })),
        Event::ContextUpdated { ctx: map.clone(), source: "api".into() },
        Event::ExecutionRetried { steps: vec!["s".into()], reason: text.into() },
        Event::Warned { step: None, code: noetl_domain::code::Code::UnknownName, message: text.into() },
        Event::DiagnosisMade(Box::new(Diagnosed {
            attempt: 2,
            root_execution: Some(ExecutionId(7)),
            root_step: Some("s".into()),
            cause: "network.refused".into(),
            confidence: 0.5,
            explanation: text.into(),
            ..Diagnosed::default()
        })),
        Event::Noted { name: "custom.name".into(), step: Some("s".into()), payload: Value::Object(map) },
        Event::ExecutionFinished(Box::new(Finished { status: Status::Failed, ..Finished::default() })),
    ]
}

pub(super) async fn the_feed_is_in_the_order_of_commits_without_gaps<H: Harness>(harness: H) {
    let store = Arc::new(harness.open().await);
    let writers: Vec<_> = (1..=4)
        .map(|execution| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..20 {
                    let batch = vec![append(execution, number * 3, 3), append(execution + 10, number, 1)];
                    for outcome in store.append(batch).await {
                        outcome.expect("is valid");
                    }
                }
            })
        })
        .collect();
    // A follower that reads while others write sees each position once, in order.
    let mut seen = Vec::new();
    while seen.len() < 4 * 20 * 4 {
        let after = seen.last().copied().unwrap_or(0);
        let page = store.feed(after, 7).await.expect("reads");
        assert!(page.len() <= 7);
        seen.extend(page.iter().map(|positioned| positioned.position));
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.expect("runs");
    }
    assert_eq!(seen, (1..=320).collect::<Vec<u64>>());
    assert_eq!(store.head().await.expect("reads"), 320);
    harness.close(Arc::into_inner(store).expect("nobody else has it")).await;
}

pub(super) async fn events_answer_to_names_of_every_generation<H: Harness>(harness: H) {
    let store = harness.open().await;
    let mut append = append(1, 0, 0);
    append.events = vec![
        recorded(1, 1, Event::ExecutionRequested(Box::default())),
        entered(1, 2, "a"),
        recorded(1, 3, Event::StepExited(Box::new(Exit { step: "a".into(), ..Exit::default() }))),
        entered(1, 4, "b"),
        recorded(
            1,
            5,
            Event::ExecutionFinished(Box::new(Finished { status: Status::Completed, ..Finished::default() })),
        ),
    ];
    must(&store, append).await;
    must(&store, super::append(2, 0, 2)).await;
    let ask = async |query: EventQuery| -> Vec<u64> {
        let found = store.events(query).await.expect("reads");
        found.into_iter().map(|positioned| positioned.recorded.seq).collect()
    };
    let of_one = || EventQuery { execution: Some(ExecutionId(1)), ..EventQuery::default() };
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(ask(of_one()).await, [1, 2, 3, 4, 5]);
    assert_eq!(
        ask(EventQuery { names: named(&["step_started", "playbook_completed"]), ..of_one() }).await,
        [2, 4, 5]
    );
    assert_eq!(ask(EventQuery { names: named(&["no.such.event"]), ..of_one() }).await, [0; 0]);
    assert_eq!(ask(EventQuery { step: Some("a".into()), ..of_one() }).await, [2, 3]);
    let between =
        EventQuery { after_event_id: Some(1_000_001), before_event_id: Some(1_000_004), ..of_one() };
    assert_eq!(ask(between).await, [2, 3]);
    // Ids that are nobody's still have a place in the order.
    let between =
        EventQuery { after_event_id: Some(17), before_event_id: Some(1_900_000), ..EventQuery::default() };
    assert_eq!(ask(between).await, [1, 2, 3, 4, 5]);
    let newest = EventQuery { order: Order::NewestFirst, limit: Some(2), ..of_one() };
    assert_eq!(ask(newest).await, [5, 4]);
    harness.close(store).await;
}

pub(super) async fn pages_of_executions_miss_and_repeat_nothing<H: Harness>(harness: H) {
    let store = harness.open().await;
    let mut batch = Vec::new();
    for execution in 1..=25 {
        let mut item = append(execution, 0, 1);
        item.summary.path = if execution % 5 == 0 { "team/etl".into() } else { "other".into() };
        item.summary.status = if execution % 2 == 0 { Status::Completed } else { Status::Running };
        item.summary.parent = (execution > 20).then_some(ExecutionId(20));
        item.summary.root = item.summary.parent;
        item.summary.error = (execution == 7).then(|| TaskError::new("python", "boom: it broke"));
        batch.push(item);
    }
    for outcome in store.append(batch).await {
        outcome.expect("is valid");
    }
    let ask = async |query: SummaryQuery| -> Vec<u64> {
        let found = store.summaries(query).await.expect("reads");
        found.into_iter().map(|summary| summary.execution.0).collect()
    };
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = ask(SummaryQuery { before, limit: Some(10), ..SummaryQuery::default() }).await;
        let Some(last) = page.last() else { break };
        before = Some(ExecutionId(*last));
        pages.extend(page);
    }
    assert_eq!(pages, (1..=25).rev().collect::<Vec<u64>>());
    let all = SummaryQuery::default;
    assert_eq!(ask(SummaryQuery { path: Some("team/etl".into()), ..all() }).await, [25, 20, 15, 10, 5]);
    assert_eq!(
        ask(SummaryQuery { status: Some(Status::Completed), limit: Some(2), ..all() }).await,
        [24, 22]
    );
    assert_eq!(ask(SummaryQuery { parent: Some(ExecutionId(20)), ..all() }).await, [25, 24, 23, 22, 21]);
    assert_eq!(ask(SummaryQuery { root: Some(ExecutionId(20)), offset: 4, ..all() }).await, [21, 20]);
    assert_eq!(ask(SummaryQuery { since_ms: Some(1_003), until_ms: Some(1_005), ..all() }).await, [4, 3]);
    assert_eq!(ask(SummaryQuery { text: Some("boom".into()), ..all() }).await, [7]);
    assert_eq!(ask(SummaryQuery { text: Some("%".into()), ..all() }).await, [0; 0]);
    harness.close(store).await;
}

pub(super) async fn log_lines_are_kept_in_order<H: Harness>(harness: H) {
    let store = harness.open().await;
    let line = |execution: u64, number: i64, step: &str| LogLine {
        execution: ExecutionId(execution),
        step: step.into(),
        run: 1,
        index: (number % 2 == 0).then_some(number as u64),
        at_ms: number,
        stream: if number == 7 { "stderr".into() } else { "stdout".into() },
        level: "info".into(),
        text: format!("line {number} ' \n \u{1F980}"),
        fields: if number == 3 { json!({"k": [1, "v"]}) } else { Value::Null },
    };
    let lines: Vec<LogLine> = (0..150).map(|number| line(1, number, "a")).collect();
    store.append_logs(lines.clone()).await.expect("writes");
    store.append_logs(vec![line(2, 0, "a"), line(1, 150, "b")]).await.expect("writes");
    store.append_logs(Vec::new()).await.expect("writes nothing");
    let of_one = || LogQuery::of(ExecutionId(1));
    let first = store.logs(LogQuery { limit: Some(150), ..of_one() }).await.expect("reads");
    assert_eq!(first.iter().map(|logged| logged.line.clone()).collect::<Vec<_>>(), lines);
    let rest = store.logs(LogQuery { after: first[148].id, ..of_one() }).await.expect("reads");
    assert_eq!(rest.iter().map(|logged| logged.line.at_ms).collect::<Vec<_>>(), [149, 150]);
    let step = store.logs(LogQuery { step: Some("b".into()), ..of_one() }).await.expect("reads");
    assert_eq!(step.len(), 1);
    let stream = store.logs(LogQuery { stream: Some("stderr".into()), ..of_one() }).await.expect("reads");
    assert_eq!(stream.iter().map(|logged| logged.line.at_ms).collect::<Vec<_>>(), [7]);
    let tail =
        store.logs(LogQuery { order: Order::NewestFirst, limit: Some(2), ..of_one() }).await.expect("reads");
    assert_eq!(tail.iter().map(|logged| logged.line.at_ms).collect::<Vec<_>>(), [150, 149]);
    must(&store, append(1, 0, 1)).await;
    harness.close(store).await;
}
