//! How long an answer takes over a history of a million events: in one execution, and in many others beside it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::App;

/// Events of the long execution where a release is examined (`cargo xtask bench --assistant`), and otherwise.
const MANY: u64 = 1_000_000;
const FEW: u64 = 20_000;
/// A turn of the long execution enters a step and leaves it.
const EVENTS_OF_A_TURN: u64 = 2;
/// The 95th percentile of an answer.
const LIMIT: Duration = Duration::from_secs(2);

/// Empty rows at the beginning, many turns, and a failure at the end.
const LONG: &str = r"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: long, path: history/long }
workload: { turns: 1 }
workflow:
  - step: make
    tool: { kind: noop, result: { rows: [] } }
    next: { arcs: [ { step: turn } ] }
  - step: turn
    tool: { kind: noop }
    set: { ctx.turns: '{{ (ctx.turns | default(0)) + 1 }}' }
    next:
      spec: { mode: exclusive }
      arcs:
        - { step: turn, when: '{{ ctx.turns < workload.turns }}' }
        - { step: load, when: '{{ ctx.turns >= workload.turns }}' }
  - step: load
    tool: { kind: python, input: { rows: '{{ make.rows }}' }, code: 'result = rows[0]' }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_come_over_a_long_history() {
    let app = App::start().await;
    let is_examined = std::env::var_os("NOETL_LAB_BINARY").is_some();
    let is_quick = std::env::var_os("NOETL_LAB_QUICK").is_some();
    let (events, questions) = if is_examined && !is_quick { (MANY, 200) } else { (FEW, 10) };
    app.register(LONG).await.expect("a valid playbook");
    let long = app
        .execute("history/long", &json!({"turns": events / EVENTS_OF_A_TURN}))
        .await
        .expect("an execution");
    assert_eq!(app.ended(&long).await.expect("it ends")["status"], "FAILED");
    let page = app.get(&format!("/api/executions/{long}/events?after={events}&limit=1000")).await;
    let last = page["events"].as_array().and_then(|events| events.last());
    let length = last.and_then(|event| event["seq"].as_u64()).unwrap_or_else(|| panic!("too short: {page}"));
    // A short one of the same playbook has the long one in its history.
    let short = app.execute("history/long", &json!({"turns": 3})).await.expect("an execution");
    app.ended(&short).await.expect("it ends");
    let of_long = times(&app, &long, questions).await;
    let of_short = times(&app, &short, questions).await;
    eprintln!("{length} events: its own answer {of_long}; of a short execution beside it {of_short}");
    if let Ok(file) = std::env::var("NOETL_LAB_JSON") {
        let figures = json!({"events": length, "long": of_long, "short": of_short});
        std::fs::write(format!("{file}.history"), figures.to_string()).expect("the figures are written");
    }
    for found in [&of_long, &of_short] {
        let p95 = found["p95_ms"].as_f64().expect("a number");
        assert!(p95 < LIMIT.as_secs_f64() * 1e3, "an answer over {length} events took {p95} ms");
    }
}

/// Asks again and again; every answer must be the right one.
async fn times(app: &App, id: &str, questions: usize) -> Value {
    let mut times = Vec::with_capacity(questions);
    for _ in 0..questions {
        let asked = Instant::now();
        let answer = app.post(&format!("/api/executions/{id}/diagnose"), &Value::Null).await;
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        assert_eq!(answer["root_step"], "make", "{answer}");
        assert_eq!(answer["cause"], "data.empty", "{answer}");
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[times.len() * share / 100];
    json!({"questions": questions, "p50_ms": at(50), "p95_ms": at(95)})
}
