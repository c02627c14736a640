//! What the front costs: the same rows through it and through the C API.
//!
//! `cargo bench -p noetl-engine-clickhouse`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and stops when it cannot go on"
)]

use std::time::{Duration, Instant};

use clickhouse::{Client, Compression, Row};
use noetl_engine_clickhouse::conformance::http;
use noetl_engine_clickhouse::direct::Direct;
use noetl_engine_clickhouse::{Access, Config, Engine, library};
use serde::Serialize;
use tokio::net::TcpListener;

const ROWS: u64 = 1_000_000;
const QUERIES: u32 = 500;

/// As wide as an Event of the analytic schema.
#[derive(Clone, Row, Serialize)]
struct Event {
    position: u64,
    event_id: u64,
    execution_id: u64,
    at: i64,
    event_type: String,
    playbook: String,
    step: String,
    status: String,
    duration_ms: f64,
    message: String,
}

fn event(n: u64) -> Event {
    Event {
        position: n,
        event_id: n * 4_096,
        execution_id: n / 12,
        at: 1_790_000_000_000 + n as i64,
        event_type: ["step.enter", "command.issued", "call.done", "step.exit"][(n % 4) as usize].to_owned(),
        playbook: format!("team/playbook-{}", n % 40),
        step: format!("step-{}", n % 9),
        status: "OK".to_owned(),
        duration_ms: (n % 977) as f64 / 3.0,
        message: if n.is_multiple_of(50) {
            format!("connection to host-{} refused", n % 300)
        } else {
            String::new()
        },
    }
}

const TABLE: &str = "(position UInt64, event_id UInt64, execution_id UInt64, at DateTime64(3), \
    event_type LowCardinality(String), playbook LowCardinality(String), step LowCardinality(String), \
    status LowCardinality(String), duration_ms Float64, message String) \
    ENGINE = MergeTree ORDER BY (playbook, execution_id, event_id)";

/// The rows as RowBinary, in pieces of some 10,000 rows.
fn packed() -> Vec<Vec<u8>> {
    let text = |into: &mut Vec<u8>, text: &str| {
        into.push(text.len() as u8);
        into.extend(text.as_bytes());
    };
    let pieces = (0..ROWS / 10_000).map(|piece| {
        let mut bytes = Vec::new();
        for event in (piece * 10_000..(piece + 1) * 10_000).map(event) {
            for number in [event.position, event.event_id, event.execution_id, event.at as u64] {
                bytes.extend(number.to_le_bytes());
            }
            for name in [&event.event_type, &event.playbook, &event.step, &event.status] {
                text(&mut bytes, name);
            }
            bytes.extend(event.duration_ms.to_le_bytes());
            text(&mut bytes, &event.message);
        }
        bytes
    });
    pieces.collect()
}

/// CPU of this process so far, the engine's threads included.
fn cpu() -> Duration {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap();
    let time = |value: nix::sys::time::TimeVal| {
        Duration::from_secs(value.tv_sec() as u64) + Duration::from_micros(value.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}

fn report(name: &str, count: u64, began: (Instant, Duration)) {
    let (wall, cpu) = (began.0.elapsed().as_secs_f64(), cpu().saturating_sub(began.1).as_secs_f64());
    let (rate, per) = (count as f64 / wall, 1e6 * cpu / count as f64);
    println!("{name:<44} {wall:>7.2} s {cpu:>7.2} CPU s {rate:>12.0} /s {per:>9.2} CPU µs each");
}

fn begin() -> (Instant, Duration) {
    (Instant::now(), cpu())
}

#[tokio::main]
async fn main() {
    let Some(library) = library() else {
        println!("libchdb.so is not here: run `cargo xtask setup`");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let engine =
        Engine::open(&Config { library, directory: directory.path().to_owned(), memory: None }).unwrap();
    let mut direct = Direct::open(&engine).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = engine.serve(listener, Access::random()).unwrap();
    let (url, owner) = (front.url(), front.access.owner.clone());
    let client = Client::default().with_url(&url).with_user(&owner.name).with_password(&owner.key);
    let fresh = async || {
        client.query("DROP TABLE IF EXISTS events SYNC").execute().await.unwrap();
        client.query(&format!("CREATE TABLE events {TABLE}")).execute().await.unwrap();
    };
    let pieces = packed();

    fresh().await;
    let began = begin();
    let written = direct.insert("INSERT INTO events", "RowBinary", pieces.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(written, ROWS);
    report("insert, C API, ready bytes", ROWS, began);

    fresh().await;
    let began = begin();
    let body = futures::stream::iter(pieces.clone().into_iter().map(Ok::<_, std::io::Error>));
    let sent = http()
        .post(&url)
        .query(&[("query", "INSERT INTO events FORMAT RowBinary")])
        .basic_auth(&owner.name, Some(&owner.key))
        .body(reqwest::Body::wrap_stream(body))
        .send()
        .await
        .unwrap();
    assert!(sent.status().is_success());
    report("insert, front, ready bytes", ROWS, began);

    for (name, compression) in [("plain", Compression::None), ("LZ4", Compression::Lz4)] {
        fresh().await;
        let began = begin();
        let client = client.clone().with_compression(compression).with_validation(false);
        let mut insert = client.insert::<Event>("events").await.unwrap();
        for n in 0..ROWS {
            insert.write(&event(n)).await.unwrap();
        }
        insert.end().await.unwrap();
        report(&format!("insert, front, crate clickhouse, {name}"), ROWS, began);
    }

    let began = begin();
    for _ in 0..QUERIES {
        direct.query("SELECT 1", "TSV").unwrap();
    }
    report("SELECT 1, C API, one connection", QUERIES.into(), began);
    let began = begin();
    for _ in 0..QUERIES {
        client.query("SELECT 1").fetch_one::<u8>().await.unwrap();
    }
    report("SELECT 1, front, crate clickhouse", QUERIES.into(), began);
    let began = begin();
    let rows = client.query("SELECT position FROM events").fetch_all::<u64>().await.unwrap();
    report("read rows, front, crate clickhouse", rows.len() as u64, began);
    drop(direct);
    front.close().await;
}
