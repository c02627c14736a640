//! Following the feed: nothing twice, nothing missing, nobody held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures::StreamExt;
use noetl_api::client::Client;
use noetl_api::event::FeedQuery;
use noetl_bus::feed::Feed as _;
use noetl_domain::Value;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::app::App;
use crate::feed::StoreFeed;
use crate::store::{EventStore, SqliteStore};

const LOOPS: &str = "
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: loops, path: demo/loops}
workload: {items: []}
workflow:
  - step: start
    loop: {in: '{{ workload.items }}', iterator: n, mode: sequential}
    tool: {kind: noop}
    next: [{step: end}]
  - step: end
    tool: {kind: python, code: played by the test}
";

const WAITS: &str = "
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: waits, path: demo/waits}
workflow:
  - step: start
    tool: {kind: sleep, seconds: 1000}
";

/// Reads server-sent events off a body.
struct Reader {
    body: BodyDataStream,
    text: String,
}

#[derive(Debug)]
struct Message {
    id: Option<u64>,
    event: String,
    data: Value,
}

impl Reader {
    async fn open(app: &App, path: &str, last: Option<u64>) -> Self {
        let mut request = Request::builder().uri(path);
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = app.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let read = read(message);
                self.text = rest.to_owned();
                if let Some(message) = read {
                    return Some(message);
                }
                continue;
            }
            let next = tokio::time::timeout(Duration::from_secs(30), self.body.next());
            let chunk = next.await.expect("the feed goes on or ends")?.expect("a body");
            self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}

fn read(message: &str) -> Option<Message> {
    let field = |name: &str| {
        message.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim_start()))
    };
    let data = serde_json::from_str(field("data")?).expect("JSON");
    let id = field("id").map(|id| id.parse().expect("a position"));
    Some(Message { id, event: field("event")?.to_owned(), data })
}

#[tokio::test]
async fn a_broken_connection_goes_on_where_it_stopped() {
    let app = App::start().await;
    app.register(LOOPS).await;
    let id = app.execute("demo/loops", json!({ "items": (0..20).collect::<Vec<_>>() })).await;
    let path = format!("/api/feed?execution_id={id}");
    let mut seen = Vec::new();
    let mut last = None;
    let ended = loop {
        // Each connection breaks after three messages.
        let mut reader = Reader::open(&app, &path, last).await;
        let mut end = None;
        for _ in 0..3 {
            let message = reader.next().await.expect("more to come");
            if message.event == "end" {
                end = Some(message);
                break;
            }
            last = message.id;
            seen.push((message.data["seq"].as_u64().expect("a number"), message.event));
        }
        if let Some(end) = end {
            assert!(reader.next().await.is_none(), "nothing follows the end");
            break end;
        }
    };
    assert_eq!(ended.data["status"], "COMPLETED");
    let log = app.services.store.load(id, 0).await.expect("the log");
    let expected: Vec<_> = log.iter().map(|event| (event.seq, event.event.name().to_owned())).collect();
    assert!(expected.len() > 12);
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_reader_that_stands_still_holds_nobody_up_and_misses_nothing() {
    let app = App::start().await;
    app.register(WAITS).await;
    let id = app.execute("demo/waits", json!({})).await;
    let start = app.services.store.head().await.expect("the head");
    let mut slow = Reader::open(&app, "/api/feed", Some(start)).await;
    // Many more commits than the channel holds, while the reader reads nothing.
    let notes = 3000;
    for batch in 0..30 {
        let posts = (0..100).map(|note| {
            app.services.orchestrator.note(id, format!("note.{}", batch * 100 + note), None, Value::Null)
        });
        for posted in futures::future::join_all(posts).await {
            posted.expect("nobody is held up");
        }
    }
    let mut names = Vec::new();
    let mut positions = Vec::new();
    for _ in 0..notes {
        let message = slow.next().await.expect("more to come");
        positions.push(message.id.expect("a position"));
        names.push(message.event);
    }
    assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "in order, nothing twice");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), notes, "nothing missing");
    // And it is live again afterwards.
    app.services.orchestrator.note(id, "the.last".to_owned(), None, Value::Null).await.expect("a note");
    assert_eq!(slow.next().await.expect("more to come").event, "the.last");
}

#[tokio::test]
async fn the_feed_of_everything_starts_now_and_can_be_narrowed() {
    let app = App::start().await;
    app.register(LOOPS).await;
    let before = app.execute("demo/loops", json!({ "items": [1] })).await;
    app.ended(before).await;
    let mut reader = Reader::open(&app, "/api/feed?event_type=playbook_completed", None).await;
    let after = app.execute("demo/loops", json!({ "items": [1] })).await;
    let message = reader.next().await.expect("an event");
    assert_eq!(message.event, "playbook.completed");
    assert_eq!(message.data["execution_id"], after.to_string());
}

#[tokio::test]
async fn followers_let_go_when_the_server_stops() {
    let app = App::start().await;
    let mut reader = Reader::open(&app, "/api/feed", None).await;
    app.services.stop.cancel();
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn log_lines_are_followed_to_the_end() {
    let app = App::start().await;
    app.register(LOOPS).await;
    let id = app.execute("demo/loops", json!({ "items": [1, 2] })).await;
    let mut reader = Reader::open(&app, &format!("/api/executions/{id}/logs?follow=true"), None).await;
    let mut lines = Vec::new();
    loop {
        let message = reader.next().await.expect("more to come");
        if message.event == "end" {
            break;
        }
        lines.push(message.data["text"].as_str().expect("text").to_owned());
    }
    assert_eq!(lines.last().map(String::as_str), Some("working on end"));
    let page = app.get(&format!("/api/executions/{id}/logs")).await;
    assert_eq!(page["lines"].as_array().map(Vec::len), Some(lines.len()));
}

/// Passes bytes on, and cuts each of the first connections after so many bytes of the answer.
async fn cutting_proxy(to: std::net::SocketAddr, cuts: Vec<usize>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let taken = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let cut = cuts.get(taken.fetch_add(1, Ordering::SeqCst)).copied().unwrap_or(usize::MAX);
            tokio::spawn(async move {
                let Ok(mut far) = TcpStream::connect(to).await else { return };
                let (mut from_far, mut to_far) = far.split();
                let (mut from_near, mut to_near) = near.split();
                let back = async {
                    let mut left = cut;
                    let mut buffer = vec![0; 512];
                    while left > 0 {
                        let most = buffer.len().min(left);
                        match from_far.read(&mut buffer[..most]).await {
                            Ok(0) | Err(_) => break,
                            Ok(count) => {
                                left -= count;
                                if to_near.write_all(&buffer[..count]).await.is_err() {
                                    break;
                                }
                            }
                        }
                    }
                };
                tokio::select! {
                    () = back => {}
                    _ = tokio::io::copy(&mut from_near, &mut to_far) => {}
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn the_client_reads_every_event_once_over_a_connection_that_keeps_breaking() {
    let app = App::start().await;
    app.register(LOOPS).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = app.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    // Inside the head, inside a message, between two of them.
    let proxy = cutting_proxy(address, vec![900, 1500, 3000, 4100]).await;
    let client = Client::new(&proxy.to_string()).expect("an address");
    let id = app.execute("demo/loops", json!({ "items": (0..30).collect::<Vec<_>>() })).await;
    let events: Vec<_> =
        client.follow_execution(id).map(|event| event.expect("an event").seq).collect().await;
    let log = app.services.store.load(id, 0).await.expect("the log");
    assert_eq!(events, log.iter().map(|event| event.seq).collect::<Vec<_>>());
    // Errors come through with their Code and hint.
    let direct = Client::new(&address.to_string()).expect("an address");
    let error = direct.status(ExecutionId(7)).await.expect_err("unknown");
    assert_eq!((error.code(), error.is_not_found()), (noetl_domain::code::Code::UnknownExecution, true));
    assert_eq!(error.hint().as_deref(), Some("noetl executions"));
    let query = FeedQuery { execution_id: Some("7".to_owned()), ..FeedQuery::default() };
    let first = direct.follow(&query).next().await.expect("an answer");
    assert!(first.is_err_and(|error| error.is_not_found()));
}

#[tokio::test]
async fn a_line_wakes_whoever_waits_for_something_new() {
    let app = App::start().await;
    let services = &app.services;
    let store = SqliteStore::clone(&services.store);
    let feed = StoreFeed::new(store, services.orchestrator.clone(), services.catalog.clone());
    let before = feed.heads().await.expect("heads");
    let line = LogLine {
        execution: ExecutionId(1),
        step: "s".to_owned(),
        run: 1,
        index: None,
        at_ms: 1,
        stream: "stdout".to_owned(),
        level: "info".to_owned(),
        text: "new".to_owned(),
        fields: Value::Null,
    };
    let told = async { tokio::join!(feed.changed(before), services.store.append_logs(vec![line])).1 };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("it wakes").expect("written");
    assert_eq!(feed.heads().await.expect("heads").lines, before.lines + 1);
}
