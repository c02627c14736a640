use std::sync::Arc;

use noetl_bus::local::{self, Local};
use noetl_bus::{Bus, Cancel, Inbound};
use noetl_domain::command::{Command, Work};
use noetl_domain::report::Outcome;
use noetl_test_service::Service;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::array;
use super::harness::{Bench, error_of, value_of};

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
async fn a_loop_inside_a_loop_gives_lists_inside_a_list() {
    let bench = Bench::new("workload: { items: [], factor: 10 }");
    let step = |mode: &str, body: &str| {
        format!(
            "- step: each
  tool: iterator
  collection: '{{{{ items }}}}'
  element: row
  task:
    tool: iterator
    collection: '{{{{ row.parts }}}}'
    element: part
    mode: {mode}
    concurrency: 3
    task: {body}"
        )
    };
    let rows =
        [json!({"id": 1, "parts": [1, 2, 3]}), json!({"id": 2, "parts": []}), json!({"id": 3, "parts": [7]})];
    let expected = vec![json!([11, 12, 13]), json!([]), json!([37])];
    for mode in ["sequential", "async"] {
        for body in [
            "{ tool: noop, result: '{{ row.id * factor + part }}' }",
            "{ tool: noop, result: '{{ iter.parent.row.id * factor + iter.part }}' }",
            "{ tool: python, args: { a: '{{ row.id }}', b: '{{ part }}' }, code: 'result = a * 10 + b' }",
            "[ { name: a, kind: noop, result: '{{ row.id * factor }}', spec: { policy: { rules: [ { else: { then: { do: continue } } } ] } } }, { name: b, kind: python, input: { a: '{{ a }}', b: '{{ part }}' }, code: 'result = a + b' } ]",
        ] {
            let report = bench.each(&step(mode, body), &rows, 2).await;
            let found = results(&report);
            let found = if body.starts_with('[') {
                let last =
                    |list: &Value| array(list).iter().map(|labels| labels["b"].clone()).collect::<Value>();
                found.iter().map(last).collect()
            } else {
                found
            };
            assert_eq!(found, expected, "{mode} {body}: {report:?}");
        }
    }
}

#[tokio::test]
async fn an_inner_loop_honours_all_that_a_loop_can_say() {
    let bench = Bench::new("workload: { items: [5, 1, 4, 2, 3] }");
    let step = |says: &str| {
        format!(
            "- step: s
  tool:
    - name: inner
      kind: iterator
      in: '{{{{ items }}}}'
      iterator: n
      {says}
      task: {{ tool: {{ kind: noop, result: '{{{{ n }}}}' }} }}
    - {{ name: after, kind: noop, result: '{{{{ inner }}}}' }}"
        )
    };
    for (says, expected) in [
        ("mode: sequential", json!([5, 1, 4, 2, 3])),
        ("where: '{{ n > 2 }}'", json!([5, 4, 3])),
        ("order_by: '-n'", json!([5, 4, 3, 2, 1])),
        ("limit: 2", json!([5, 1])),
        ("chunk: 2", json!([[5, 1], [4, 2], [3]])),
        ("until: '{{ n == 4 }}'", json!([5, 1, 4])),
        ("mode: parallel", json!([5, 1, 4, 2, 3])),
    ] {
        let value = value_of(&bench.run(&step(says)).await);
        assert_eq!((&value["inner"], &value["after"]), (&expected, &expected), "{says}");
    }
}

#[tokio::test]
async fn a_failure_in_an_inner_loop_fails_the_outer_element_unless_it_may_not() {
    let bench = Bench::new("workload: { items: [0, 1, 2] }");
    let step = |policy: &str| {
        format!(
            "- step: s
  tool:
    - name: inner
      kind: iterator
      in: '{{{{ items }}}}'
      iterator: n
      on_item_failure: {policy}
      task: {{ tool: {{ kind: shell, command: 'test {{{{ n }}}} != 1' }} }}"
        )
    };
    let report = bench.run(&step("fail_fast")).await;
    let (error, value) = error_of(&report);
    assert!(error.message.starts_with("1 of 3 iterations failed"), "{error:?}");
    assert_eq!(array(&value["inner"]).len(), 2, "{value}");
    let value = value_of(&bench.run(&step("best_effort")).await);
    let states: Vec<_> =
        array(&value["inner"]).iter().map(|result| result["status"] == json!("error")).collect();
    assert_eq!(states, [false, true, false], "{value}");
}

#[tokio::test]
async fn an_inner_loop_waits_hands_on_variables_and_keeps_its_bound() {
    let bench = Bench::new("workload: { items: [1, 2, 3] }");
    let step = "- step: s
  tool:
    - name: inner
      kind: iterator
      in: '{{ items }}'
      iterator: n
      mode: sequential
      task:
        - { name: pause, kind: sleep, seconds: 1.01 }
        - { name: add, kind: noop, result: '{{ ctx.sum | default(0) + n }}', set: { ctx.sum: '{{ output.data }}' } }
    - { name: after, kind: noop, result: '{{ ctx.sum }}' }";
    let report = bench.run(step).await;
    assert_eq!(value_of(&report)["after"], json!(6), "{report:?}");
    assert_eq!(report.items[0].ctx["sum"], json!(6));
    let step = "- step: s
  tool:
    - { name: inner, kind: iterator, in: 100001, iterator: n, task: { tool: { kind: noop } } }";
    let report = bench.run(step).await;
    assert_eq!(error_of(&report).0.code.as_deref(), Some("EX001"), "{report:?}");
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
    let cancel = Cancel { execution: command.id.execution, until: command.issued + 1 };
    bus.send(command).await.unwrap();
    service.came("GET /gate/closed").await;
    bus.cancel(cancel).await.unwrap();
    let Some(Inbound::Report(report)) = bus.inbound().await else { panic!("no report") };
    assert_eq!(report.items[0].outcome, Outcome::Cancelled);

    // What the cancel reached is void even when it comes late; what a retry orders runs.
    let step = "- step: s\n  tool: { kind: noop }";
    for (issued, was_cancelled) in [(cancel.until, true), (cancel.until + 1, false)] {
        let command = Command { issued, ..bench.command(step, Work::Once { resume: None }) };
        bus.send(command).await.unwrap();
        let Some(Inbound::Report(report)) = bus.inbound().await else { panic!("no report") };
        let cancelled = report.items.iter().any(|item| item.outcome == Outcome::Cancelled);
        assert_eq!(cancelled, was_cancelled, "issued by event {issued}");
    }

    shutdown.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_cursor_claims_frames_until_no_row_is_left() {
    let bench = Bench::new("workload: { file: work.db }");
    let prepare = "- step: s
  tool:
    kind: sqlite
    database: '{{ file }}'
    command: |
      CREATE TABLE job (id INTEGER PRIMARY KEY, state TEXT, twice INT);
      INSERT INTO job (id, state) VALUES (1, 'new'), (2, 'new'), (3, 'new');";
    super::value_of(&bench.run(prepare).await);
    let step = "- step: each
  loop:
    cursor:
      kind: sqlite
      database: '{{ file }}'
      claim: \"UPDATE job SET state = 'taken' WHERE id IN (SELECT id FROM job WHERE state = 'new' ORDER BY id LIMIT {{ __frame_max_rows }}) RETURNING id\"
    iterator: job
    spec: { mode: cursor, frame: { max_rows: 2, row_concurrency: 2 } }
  tool:
    - name: double
      kind: python
      input: { id: '{{ iter.job.id }}' }
      code: \"result = {'id': id, 'twice': id * 2}\"
    - name: keep
      kind: sqlite
      database: '{{ file }}'
      command: 'UPDATE job SET twice = {{ double.twice }} WHERE id = {{ job.id }}'";
    let mut claimed = Vec::new();
    for _ in 0..3 {
        let report = bench.work(step, Work::Frame { lane: 0, max_rows: 2 }).await;
        assert!(report.items.is_empty(), "{report:?}");
        claimed.push(report.claimed);
    }
    assert_eq!(claimed, [Some(2), Some(1), Some(0)]);
    let read = "- step: s\n  tool: { kind: sqlite, database: '{{ file }}', query: 'SELECT twice FROM job ORDER BY id' }";
    let value = super::value_of(&bench.run(read).await);
    assert_eq!(value["rows"], json!([{"twice": 2}, {"twice": 4}, {"twice": 6}]));
}

#[tokio::test]
async fn a_loop_saves_each_item_in_its_task_and_its_list_at_the_end() {
    let bench = Bench::new("workload: { items: [], file: saved.db }");
    let prepare = "- step: s\n  tool: { kind: sqlite, database: '{{ file }}', command: 'CREATE TABLE out (id TEXT PRIMARY KEY, v TEXT)' }";
    super::value_of(&bench.run(prepare).await);
    let step = "- step: each
  tool: iterator
  collection: '{{ items }}'
  element: row
  task:
    tool: python
    args: { r: '{{ row }}' }
    code: \"result = {'id': r['id'], 'v': {'list': [r['v'], \\\"it's\\\"]}}\"
    save:
      storage: sqlite
      database: '{{ file }}'
      table: out
      mode: upsert
      key: id
      args: { id: '{{ execution_id }}:{{ this.data.id }}', v: '{{ this.data.v }}' }
  save: { storage: variable, name: last, data: '{{ this.result | length }}' }";
    for turn in [1, 2] {
        let values = [json!({"id": 1, "v": turn}), json!({"id": 2, "v": turn})];
        let report = bench.each(step, &values, 1).await;
        assert_eq!(results(&report).len(), 2, "{report:?}");
    }
    let read = "- step: s\n  tool: { kind: sqlite, database: '{{ file }}', query: 'SELECT id, v FROM out ORDER BY id' }";
    let value = super::value_of(&bench.run(read).await);
    let expected = json!({"list": [2, "it's"]}).to_string();
    assert_eq!(value["rows"], json!([{"id": "7:1", "v": expected}, {"id": "7:2", "v": expected}]));

    let result = noetl_domain::command::StepResult {
        kind: noetl_domain::result::ResultKind::Loop,
        value: noetl_domain::result::Stored::Inline(json!({"results": [1, 2], "stats": {"total": 2}})),
        ..noetl_domain::command::StepResult::default()
    };
    let report = bench.work(step, Work::Saves { result }).await;
    assert_eq!(report.items[0].ctx["last"], 2, "{report:?}");
}
