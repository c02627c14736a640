//! The live feed: resumable, complete, and never a brake.

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::app::App;

const MANY: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: many, path: tests/feed/many }
workload: { rounds: 300 }
workflow:
  - step: start
    set: { ctx.n: 0 }
    next: { arcs: [ { step: turn } ] }
  - step: turn
    tool: { kind: noop, result: { text: "{{ 'x' * 2000 }}" } }
    set: { ctx.n: "{{ ctx.n + 1 }}" }
    next: { spec: { mode: exclusive }, arcs: [ { step: turn, when: "{{ ctx.n < rounds }}" }, { step: end } ] }
  - step: end
"#;

#[derive(Debug)]
struct Message {
    id: u64,
    event: Value,
}

/// Reads the feed until `enough` says so or the server ends it.
async fn follow(
    app: &App,
    query: &str,
    last: Option<u64>,
    enough: impl Fn(&[Message]) -> bool,
) -> Vec<Message> {
    let mut request = app.http.get(format!("{}/api/feed?{query}", app.url));
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last.to_string());
    }
    let response = request.send().await.expect("the feed");
    assert_eq!(response.status().as_u16(), 200, "{:?}", response.text().await);
    let (mut stream, mut text, mut messages) = (response.bytes_stream(), String::new(), Vec::new());
    while let Some(bytes) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&bytes.expect("bytes of the feed")));
        while let Some((message, rest)) = text.split_once("\n\n") {
            let field =
                |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
            if let (Some(id), Some(data)) = (field("id:"), field("data:")) {
                let event = serde_json::from_str(data).expect("an event");
                messages.push(Message { id: id.parse().expect("a position"), event });
            }
            text = rest.to_owned();
        }
        if enough(&messages) {
            break;
        }
    }
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_holds_nobody_up() {
    let app = App::start().await;
    // The connection is open and its window fills; nobody ever reads it.
    let slow = app.http.get(format!("{}/api/feed?after=0", app.url)).send().await.expect("the feed");
    let id = app.run(MANY, &json!({})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "COMPLETED", "{status}");
    drop(slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_taken_up_again_misses_and_repeats_nothing() {
    let app = App::start().await;
    let id = app.run(MANY, &json!({"rounds": 40})).await;
    let query = format!("execution_id={id}&after=0");
    let first = follow(&app, &query, None, |messages| messages.len() >= 20).await;
    let last = first.last().expect("messages").id;
    let rest = follow(&app, &format!("execution_id={id}"), Some(last), |messages| {
        messages.last().is_some_and(|message| message.event["event_type"] == "playbook.completed")
    })
    .await;
    let seen: Vec<u64> =
        first.iter().chain(&rest).filter_map(|message| message.event["seq"].as_u64()).collect();
    let log: Vec<u64> = app.events(&id).await.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(seen, log);
    assert_eq!(log, (1..=log.len() as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_of_an_ended_execution_ends() {
    let app = App::start().await;
    let id = app.run(MANY, &json!({"rounds": 2})).await;
    app.ended(&id).await.unwrap();
    let messages = follow(&app, &format!("execution_id={id}&after=0"), None, |_| false).await;
    assert_eq!(
        messages.last().map(|message| message.event["event_type"].clone()),
        Some(json!("playbook.completed"))
    );
}
