//! Feeds that hand things out twice, mixed, late, or as other versions wrote them.

use noetl_domain::id::ExecutionId;

use super::*;

impl Layer {
    /// Executions by their final state, and what was set aside.
    async fn ends(&self) -> (Vec<(u64, String)>, u64) {
        let sql = "SELECT execution_id, toString(status) FROM {database}.noetl_executions FINAL ORDER BY execution_id";
        let ends = self.analytics.query(sql).fetch_all::<(u64, String)>().await.unwrap();
        let sql = "SELECT count() FROM {database}.noetl_poison";
        (ends, self.analytics.query(sql).fetch_one::<u64>().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_handed_out_twice_is_there_once() {
    let Some(layer) = layer().await else { return };
    let feed = Arc::new(RecordedFeed { page: 7, again: 3, ..RecordedFeed::of(HISTORIES) });
    layer.catch_up(&feed).await;
    let rows = layer.counts().await;
    let mut expected = crate::rows::Rows::default();
    let (mut follower, _) = layer.follower(&feed);
    for event in &feed.events {
        follower.fold.event(event, &mut expected).await.unwrap();
    }
    assert_eq!((rows[0], rows[2]), (expected.events.len() as u64, expected.steps.len() as u64), "{rows:?}");
    layer.front.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_executions_among_each_other_changes_nothing() {
    let Some(layer) = layer().await else { return };
    let recorded = RecordedFeed::of(HISTORIES);
    let mut mixed = recorded.events.clone();
    // One Event of each Execution in turn.
    mixed.sort_by_key(|event| (event.seq, event.execution));
    renumber(&mut mixed);
    layer.catch_up(&Arc::new(RecordedFeed { events: mixed, ..RecordedFeed::default() })).await;
    let (counts, (ends, poison)) = (layer.counts().await, layer.ends().await);
    assert_eq!(poison, 0);
    assert_eq!(counts[0], counts[1]);
    layer.front.close().await;

    let plain = super::layer().await.unwrap();
    plain.catch_up(&Arc::new(recorded)).await;
    assert_eq!((plain.counts().await, plain.ends().await), (counts, (ends, 0)));
    plain.front.close().await;
}

/// The log of an Execution has an order, so this is a feed that is wrong: nothing may be lost over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_come_late_lose_nothing() {
    let Some(layer) = layer().await else { return };
    let recorded = RecordedFeed::of(&["failed", "hello", "retries", "sub_playbooks"]);
    let mut late = recorded.events.clone();
    // Every third Event of an Execution comes before the two ahead of it; the first one stays.
    late.sort_by_key(|event| {
        (event.execution, if event.seq % 3 == 1 && event.seq > 1 { event.seq - 3 } else { event.seq })
    });
    renumber(&mut late);
    assert!(late.iter().zip(&recorded.events).any(|(late, event)| late.event_id != event.event_id));
    let events = late.len() as u64;
    let exits = late.iter().filter(|event| event.data.starts_with(r#"{"type":"step.exit""#)).count() as u64;
    layer.catch_up(&Arc::new(RecordedFeed { events: late, ..RecordedFeed::default() })).await;
    let (ends, poison) = layer.ends().await;
    let sql = "SELECT countIf(item = 0), uniqExactIf(event_id, item = 0) FROM {database}.noetl_events";
    let rows = layer.analytics.query(sql).fetch_one::<(u64, u64)>().await.unwrap();
    assert_eq!((rows, poison), ((events, events), 0));
    assert_eq!(layer.counts().await[2], exits);
    assert!(ends.iter().all(|(_, status)| status != "RUNNING"), "{ends:?}");
    layer.front.close().await;
}

fn renumber(events: &mut [noetl_bus::feed::CommittedEvent]) {
    for (at, event) in events.iter_mut().enumerate() {
        event.position = at as u64 + 1;
    }
}

/// Before Tokens were counted, and when a skipped step was an Event of its own.
const FIRST: &[&str] = &[
    r#"{"type":"playbook.initialized","data":{"path":"old","version":1}}"#,
    r#"{"type":"step.enter","data":{"step":"start","run":1}}"#,
    r#"{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":"once"}}"#,
    r#"{"type":"call.done","data":{"id":{"execution":"1","step":"start","run":1,"batch":0},"attempt":1,"worker":"w","started_ms":1795368994000,"finished_ms":1795368994020,"items":[{"index":0,"outcome":{"ok":{"result":1}}}]}}"#,
    r#"{"type":"step.skipped","data":{"step":"other","run":1,"reason":"no arc"}}"#,
    r#"{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[]}}"#,
    r#"{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"start"}}"#,
];

/// Before Reports told of undefined names.
const SECOND: &[&str] = &[
    r#"{"type":"playbook.initialized","data":{"path":"old","version":2,"catalog_id":"2","workload":{},"payload":{},"root":null,"entry":[{"to":"start"}],"trigger":"api","trace":null,"target":null}}"#,
    r#"{"type":"step.enter","data":{"step":"start","run":1,"tokens":1}}"#,
    r#"{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":"once","slots":1}}"#,
    r#"{"type":"call.done","data":{"id":{"execution":"2","step":"start","run":1,"batch":0},"attempt":1,"worker":"w","started_ms":1795368994000,"finished_ms":1795368994020,"runs":[{"first":0,"count":1,"results":[1]}]}}"#,
    r#"{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[]}}"#,
    r#"{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"start"}}"#,
];

/// With fields, and a type, that only a later version knows.
const LATER: &[&str] = &[
    r#"{"type":"playbook.initialized","data":{"path":"old","version":3,"entry":[{"to":"start"}],"trigger":"api","region":"north"}}"#,
    r#"{"type":"step.enter","data":{"step":"start","run":1,"tokens":1,"priority":"high"}}"#,
    r#"{"type":"command.issued","data":{"step":"start","run":1,"batch":0,"attempt":1,"work":"once","slots":1,"zone":2}}"#,
    r#"{"type":"call.done","data":{"id":{"execution":"3","step":"start","run":1,"batch":0},"attempt":1,"worker":"w","started_ms":1795368994000,"finished_ms":1795368994020,"runs":[{"first":0,"count":1,"kind":"plain","results":[1]}],"undefined":["x"],"joules":7}}"#,
    r#"{"type":"step.praised","data":{"step":"start","run":1,"by":["everybody"]}}"#,
    r#"{"type":"step.exit","data":{"step":"start","run":1,"status":"COMPLETED","routes":[],"mood":"good"}}"#,
    r#"{"type":"playbook.completed","data":{"status":"COMPLETED","result_step":"start"}}"#,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_older_and_newer_versions_are_rows_like_any_other() {
    let Some(layer) = layer().await else { return };
    let mut feed = RecordedFeed::default();
    for (execution, log) in [FIRST, SECOND, LATER].into_iter().enumerate() {
        for (at, data) in log.iter().enumerate() {
            feed.push_written(ExecutionId(execution as u64 + 1), at as u64 + 1, data);
        }
    }
    layer.catch_up(&Arc::new(feed)).await;
    let (ends, poison) = layer.ends().await;
    let completed = |id: u64| (id, "COMPLETED".to_owned());
    assert_eq!((ends, poison), ([1, 2, 3].map(completed).to_vec(), 0));
    let rows = layer.counts().await;
    assert_eq!(rows[0] as usize, FIRST.len() + SECOND.len() + LATER.len(), "a row for each, known or not");
    let sql = "SELECT toString(step), toString(status), run_ms, attempts FROM {database}.noetl_steps ORDER BY version";
    let steps = layer.analytics.query(sql).fetch_all::<(String, String, f64, u32)>().await.unwrap();
    let start = ("start".to_owned(), "COMPLETED".to_owned(), 20.0, 1);
    assert_eq!(steps, vec![start; 3]);
    let sql = "SELECT groupArray(toString(event_type)) FROM (SELECT event_type FROM {database}.noetl_events \
               WHERE event_type IN ('step.skipped', 'step.praised') AND step != '' ORDER BY position)";
    let others = layer.analytics.query(sql).fetch_one::<Vec<String>>().await.unwrap();
    assert_eq!(others, ["step.skipped", "step.praised"]);
    layer.front.close().await;
}
