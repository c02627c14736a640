//! How long an answer takes while the server runs hundreds of steps a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::App;

/// Steps a second that the server must run meanwhile, in `cargo xtask bench --assistant`.
const STEPS: f64 = 500.0;
/// Steps of one execution of the load.
const CHAIN: u64 = 20;
const QUESTIONS: usize = 40;
/// The same where a release is examined: enough for a 99th percentile, and for some seconds.
const MANY: usize = 1_000;
/// The 95th percentile of an answer.
const LIMIT: Duration = Duration::from_secs(2);

/// Executions side by side: enough for a release, few enough for a debug build to answer at all.
const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_come_while_the_server_is_busy() {
    let app = Arc::new(App::start().await);
    let steps: String = (0..CHAIN)
        .map(|at| {
            let next = if at + 1 < CHAIN {
                format!("next: {{ arcs: [ {{ step: s{} }} ] }}", at + 1)
            } else {
                String::new()
            };
            [format!("  - step: s{at}\n    tool: {{ kind: noop }}\n"), format!("    {next}\n")].concat()
        })
        .collect();
    let head = "apiVersion: noetl.io/v2\nkind: Playbook\n";
    app.register(&format!("{head}metadata: {{ name: busy, path: load/busy }}\nworkflow:\n{steps}"))
        .await
        .expect("valid");
    let broken = format!(
        "{head}metadata: {{ name: broken, path: load/broken }}\nworkflow:\n  - step: make\n    tool: {{ kind: python, code: \"result = {{'rows': []}}\" }}\n    next: {{ arcs: [ {{ step: use }} ] }}\n  - step: use\n    tool: {{ kind: python, input: {{ rows: \"{{{{ make.rows }}}}\" }}, code: \"result = rows[0]\" }}\n"
    );
    let failed = app.run(&broken, &json!({})).await;
    app.ended(&failed).await.expect("it ends");

    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (app, stop, done) = (Arc::clone(&app), Arc::clone(&stop), Arc::clone(&done));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let id = app.execute("load/busy", &json!({})).await.expect("an execution");
                    app.ended(&id).await.expect("it ends");
                    done.fetch_add(CHAIN, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // The load is there as soon as something of it is done.
    while done.load(Ordering::Relaxed) < CHAIN * CLIENTS as u64 {
        tokio::task::yield_now().await;
    }
    let (began, before) = (Instant::now(), done.load(Ordering::Relaxed));
    let (mut times, mut bare) = (Vec::new(), Vec::new());
    let is_examined = std::env::var_os("NOETL_LAB_BINARY").is_some();
    for _ in 0..if is_examined { MANY } else { QUESTIONS } {
        let asked = Instant::now();
        app.get("/health").await;
        bare.push(asked.elapsed());
        let asked = Instant::now();
        let answer = app.post(&format!("/api/executions/{failed}/diagnose"), &Value::Null).await;
        assert_eq!(answer["root_step"], "make", "{answer}");
        times.push(asked.elapsed());
    }
    let rate = (done.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for client in load {
        client.await.expect("the load ends well");
    }
    times.sort();
    bare.sort();
    let health = bare[bare.len() / 2];
    let at = |share: usize| times[times.len() * share / 100];
    let (p50, p95, p99) = (at(50), at(95), at(99));
    eprintln!(
        "at {rate:.0} steps/s (goal {STEPS}): an answer takes p50 {p50:?}, p95 {p95:?}; GET /health {health:?}"
    );
    if let Ok(file) = std::env::var("NOETL_LAB_JSON") {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let figures = json!({
            "steps_per_second": rate, "p50_ms": ms(p50), "p95_ms": ms(p95), "p99_ms": ms(p99),
            "health_ms": ms(health),
        });
        std::fs::write(format!("{file}.load"), figures.to_string()).expect("the figures are written");
    }
    // A debug build on a machine that runs other tests does what it can.
    if is_examined {
        assert!(rate >= STEPS, "only {rate:.0} steps/s ran meanwhile");
    }
    assert!(p95 < LIMIT, "an answer took {p95:?}");
}
