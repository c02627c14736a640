use std::sync::Arc;
use std::time::Duration;

use noetl_bus::local::{self, Local};
use noetl_bus::{Bus, Inbound};
use noetl_domain::command::Work;
use noetl_domain::report::Outcome;
use noetl_test_service::Service;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::array;
use super::harness::Bench;

fn results(report: &noetl_domain::report::Report) -> Vec<Value> {
    report
        .runs
        .iter()
        .flat_map(|run| array(&serde_json::from_str(run.results.get()).unwrap()).clone())
        .collect()
}

const LOOPED: &str = "- step: each
  loop: { in: '{{ items }}', iterator: row, spec: { mode: sequential } }
  tool: { kind: python, input: { r: '{{ iter.row }}', i: '{{ _index }}' }, code: \"result = [r, i]\" }";

#[tokio::test]
async fn iterations_are_compact_and_in_order_whatever_the_concurrency() {
    let bench = Bench::new("workload: { items: [] }");
    let values: Vec<Value> = (0..20).map(Value::from).collect();
    let expected: Vec<Value> = (0..20).map(|n| json!([n, n])).collect();
    for concurrency in [1, 4] {
        let report = bench.each(LOOPED, &values, concurrency).await;
        assert_eq!((report.runs.len(), report.items.len()), (1, 0), "{report:?}");
        assert_eq!(results(&report), expected);
    }
}

#[tokio::test]
async fn a_failure_leaves_the_rest_of_a_sequential_batch_out() {
    let bench = Bench::new("workload: { items: [] }");
    let step = |mode: &str| {
        format!(
            "- step: each
  loop: {{ in: '{{{{ items }}}}', iterator: n, spec: {{ mode: sequential, policy: {{ failure: {{ mode: {mode} }} }} }} }}
  tool: {{ kind: shell, command: 'test {{{{ n }}}} != 1' }}"
        )
    };
    let values = [json!(0), json!(1), json!(2)];
    let report = bench.each(&step("fail_fast"), &values, 1).await;
    assert_eq!((results(&report).len(), report.items.len()), (1, 1), "{report:?}");
    assert!(matches!(report.items[0].outcome, Outcome::Error { .. }));
    let report = bench.each(&step("best_effort"), &values, 1).await;
    assert_eq!((results(&report).len(), report.items.len()), (2, 1), "{report:?}");
}

#[tokio::test]
async fn until_ends_a_loop_even_at_the_end_of_a_batch() {
    let bench = Bench::new("workload: { items: [] }");
    let step = "- step: each
  loop: { collection: '{{ items }}', element: n, mode: sequential, until: '{{ result.n >= 2 }}' }
  tool: { kind: noop, result: { n: '{{ n }}' } }";
    let values: Vec<Value> = (0..5).map(Value::from).collect();
    let report = bench.each(step, &values, 1).await;
    assert_eq!(results(&report).len(), 3, "{report:?}");
    let report = bench.each(step, &values[..3], 1).await;
    assert_eq!(results(&report).len(), 3);
    assert!(matches!(report.items[0].outcome, Outcome::Cancelled));
}

#[tokio::test]
async fn sequential_iterations_see_the_variables_of_those_before() {
    let bench = Bench::new("workload: { items: [] }");
    let step = "- step: each
  loop: { in: '{{ items }}', iterator: n }
  tool:
    - { name: add, kind: noop, result: '{{ ctx.sum | default(0) + n }}', set: { ctx.sum: '{{ output.data }}' } }";
    let report = bench.each(step, &[json!(1), json!(2), json!(3)], 1).await;
    let sums: Vec<_> = report.items.iter().map(|item| item.ctx["sum"].clone()).collect();
    assert_eq!(sums, [json!(1), json!(3), json!(6)]);
}

#[tokio::test]
async fn a_million_noops_are_quick_to_describe() {
    let bench = Bench::new("workload: { items: [] }");
    let step =
        "- step: each\n  loop: { in: '{{ items }}', iterator: n, mode: parallel }\n  tool: { kind: noop }";
    let values = vec![Value::Null; 20_000];
    let report = bench.each(step, &values, 64).await;
    assert_eq!((report.runs.len(), report.runs[0].count), (1, 20_000));
}

#[tokio::test]
async fn a_worker_answers_what_the_bus_brings_and_stops_what_is_cancelled() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let bus = Arc::new(Local::new(local::Config::default()));
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(crate::serve(Arc::clone(&bench.services), Arc::clone(&bus), shutdown.clone()));

    let step = "- step: s\n  tool: { kind: shell, command: 'echo hello; echo world >&2' }";
    bus.send(bench.command(step, Work::Once { resume: None })).await.unwrap();
    let mut printed = Vec::new();
    let report = loop {
        match bus.inbound().await.unwrap() {
            Inbound::Logs(lines) => printed.extend(lines.into_iter().map(|line| line.text)),
            Inbound::Report(report) => break report,
        }
    };
    printed.sort();
    assert_eq!(printed, ["hello", "world"], "every line arrives before the report");
    assert_eq!(super::value_of(&report)["exit_code"], 0);

    let step = "- step: s\n  tool: { kind: http, url: '{{ url }}/gate/closed', timeout: 60 }";
    let command = bench.command(step, Work::Once { resume: None });
    let execution = command.id.execution;
    bus.send(command).await.unwrap();
    while service.count("GET /gate/closed") == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bus.cancel(execution).await.unwrap();
    let Some(Inbound::Report(report)) = bus.inbound().await else { panic!("no report") };
    assert_eq!(report.items[0].outcome, Outcome::Cancelled);

    shutdown.cancel();
    worker.await.unwrap();
}
