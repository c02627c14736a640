//! Steps of real playbooks, worked on for real: against the test service, a shell, Python, and this machine's files.

mod harness;
mod loops;
mod parked;
mod providers;
mod secrets;
mod usage;

use noetl_domain::report::{Outcome, Wait};
use noetl_test_service::Service;
use serde_json::{Value, json};

use self::harness::{Bench, error_of, value_of};

#[tokio::test]
async fn every_way_to_send_is_understood() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let cases = [
        (
            "kind: http, url: '{{ url }}/get', params: { n: 1, on: true, gone: null, s: [a, b] }",
            json!({"args": {"n": "1", "on": "true", "s": "b"}, "method": "GET"}),
        ),
        ("kind: http, method: POST, endpoint: '{{ url }}/post', json: { n: 1 }", json!({"json": {"n": 1}})),
        ("kind: http, method: POST, url: '{{ url }}/post', body: 'raw text'", json!({"data": "raw text"})),
        ("kind: http, method: POST, url: '{{ url }}/post', payload: { n: [1] }", json!({"json": {"n": [1]}})),
        (
            "kind: http, method: POST, url: '{{ url }}/post', form: { a: 'x y', n: 2 }",
            json!({"form": {"a": "x y", "n": "2"}}),
        ),
        (
            "kind: http, method: POST, url: '{{ url }}/post', headers: { Content-Type: application/x-www-form-urlencoded }, body: { a: 1 }",
            json!({"form": {"a": "1"}}),
        ),
        ("kind: http, url: '{{ url }}/get', data: { q: 7 }", json!({"args": {"q": "7"}})),
        ("kind: http, method: POST, url: '{{ url }}/post', data: { q: 7 }", json!({"json": {"q": 7}})),
        (
            "kind: http, method: POST, url: '{{ url }}/post', data: { query: { q: 7 }, body: { b: 8 } }",
            json!({"args": {"q": "7"}, "json": {"b": 8}}),
        ),
        (
            "kind: http, url: '{{ url }}/redirect/2', timeout: { connect: 5, read: 5 }",
            json!({"method": "GET"}),
        ),
    ];
    for (tool, expected) in cases {
        let report = bench.run(&format!("- step: s\n  tool: {{ {tool} }}")).await;
        let value = value_of(&report);
        for (key, expected) in expected.as_object().unwrap() {
            assert_eq!(&value["data"][key], expected, "{tool}\n{value}");
        }
    }
}

#[tokio::test]
async fn http_errors_keep_their_kind_and_body() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let cases = [
        (401, "auth", false),
        (404, "not_found", false),
        (418, "client_error", false),
        (429, "rate_limit", true),
        (503, "server_error", true),
    ];
    for (status, kind, retryable) in cases {
        let report = bench
            .run(&format!("- step: s\n  tool: {{ kind: http, url: '{{{{ url }}}}/status/{status}' }}"))
            .await;
        let (error, value) = error_of(&report);
        assert_eq!(
            (error.kind.as_str(), error.retryable, error.status_code),
            (kind, retryable, Some(status))
        );
        assert!(error.message.contains(&status.to_string()), "{}", error.message);
        assert_eq!(value["data"]["status"], status);
    }
    let report = bench.run("- step: s\n  tool: { kind: http, url: 'http://127.0.0.1:1/x' }").await;
    let (error, _) = error_of(&report);
    assert_eq!((error.kind.as_str(), error.retryable), ("connection", true));
    assert!(error.message.contains("127.0.0.1:1"), "{}", error.message);
    let report =
        bench.run("- step: s\n  tool: { kind: http, url: '{{ url }}/delay/60', timeout: 0.05 }").await;
    assert_eq!(error_of(&report).0.kind, "timeout");
}

#[tokio::test]
async fn pages_are_fetched_until_there_are_no_more() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let report = bench
        .run(
            "- step: pull
  tool: { kind: http, method: GET, url: '{{ workload.url }}/api/v1/assessments', params: { page: 1, pageSize: 10 } }
  loop:
    pagination:
      type: response_based
      continue_while: '{{ response.data.paging.hasMore }}'
      next_page: { params: { page: '{{ (response.data.paging.page | int) + 1 }}' } }
      merge_strategy: append
      merge_path: data.data
      max_iterations: 10",
        )
        .await;
    let value = value_of(&report);
    assert_eq!(value.as_array().map(Vec::len), Some(35), "{value}");
    assert_eq!(value[34]["id"], 35);
    assert_eq!(service.count("GET /api/v1/assessments"), 4);
}

#[tokio::test]
async fn a_case_collects_pages_and_says_which_entry_ended_it() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let report = bench
        .run(
            "- step: pull
  tool: { kind: http, url: '{{ workload.url }}/api/v1/flaky', params: { page: 1, pageSize: 10, fail_on: '2' } }
  case:
    - when: \"{{ event.name == 'call.done' and response.paging.hasMore }}\"
      then:
        collect: { strategy: append, path: data.data, into: pages }
        retry: { params: { page: '{{ response.data.paging.page + 1 }}' } }
    - when: \"{{ error is defined and error.status == 500 }}\"
      then: { retry: { max_attempts: 3, delay: 0.01 } }
    - when: \"{{ event.name == 'call.done' }}\"
      then:
        - collect: { strategy: append, path: data.data, into: pages }
        - result: { from: pages }
        - next: [ { step: end } ]
- step: end",
        )
        .await;
    value_of(&report);
    let item = &report.items[0];
    assert_eq!(item.case, Some(2), "{item:?}");
    assert_eq!(item.collected["pages"].as_array().map(Vec::len), Some(35));
    assert_eq!(service.count("GET /api/v1/flaky"), 5);
}

#[tokio::test]
async fn the_retry_block_of_b_tries_until_its_expressions_are_content() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let step = |name: &str, failures: u32, retry: &str| {
        format!(
            "- step: s
  tool: http
  url: '{{{{ url }}}}/unsteady/{name}?failures={failures}'
  retry: {retry}"
        )
    };
    let quick = "initial_delay: 0.001, jitter: false";
    let report = bench.run(&step("a", 2, &format!("{{ max_attempts: 3, {quick} }}"))).await;
    assert_eq!(value_of(&report)["data"]["try"], 3);
    let calls: Vec<_> = report.items[0].calls.iter().map(|call| (call.attempt, call.retry_after)).collect();
    assert_eq!(calls, [(1, Some(0.001)), (2, Some(0.002)), (3, None)]);
    let told: Vec<String> = bench.lines.lock().unwrap().drain(..).map(|line| line.text).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("try 1 failed: ") && told[0].ends_with("; again in 0.001 s"), "{told:?}");

    let report = bench.run(&step("b", 9, &format!("{{ max_attempts: 2, {quick} }}"))).await;
    assert_eq!(error_of(&report).0.status_code, Some(503));
    assert_eq!(service.count("GET /unsteady/b"), 2);

    let never = format!("{{ max_attempts: 5, retry_when: '{{{{ status_code == 429 }}}}', {quick} }}");
    error_of(&bench.run(&step("c", 9, &never)).await);
    assert_eq!(service.count("GET /unsteady/c"), 1);

    let enough = format!("{{ max_attempts: 5, stop_when: '{{{{ attempt == 2 }}}}', {quick} }}");
    value_of(&bench.run(&step("d", 9, &enough)).await);
    assert_eq!(service.count("GET /unsteady/d"), 2);
}

#[tokio::test]
async fn rules_retry_jump_break_and_fail() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let report = bench
        .run(
            "- step: s
  tool:
    - name: fetch
      kind: http
      url: \"{{ url }}/unsteady/p{{ iter.page | default(1) }}?failures=1\"
      spec:
        policy:
          rules:
            - when: \"{{ output.status == 'error' and output.http.status in [429, 503] }}\"
              then: { do: retry, attempts: 3, backoff: fixed, delay: 0.001 }
            - when: \"{{ output.status == 'error' }}\"
              then: { do: fail }
            - else: { then: { do: continue, set: { iter.tries: '{{ _attempt }}' } } }
    - name: count
      kind: python
      input: { page: '{{ iter.page | default(1) }}', name: '{{ fetch.data.name }}' }
      code: \"result = {'next': page + 1, 'name': name}\"
      set: { iter.page: '{{ output.data.next }}', ctx.seen: '{{ count.name }}{{ output.name }}' }
      spec:
        policy:
          rules:
            - { when: '{{ output.data.next <= 3 }}', then: { do: jump, to: fetch } }
            - { when: '{{ output.data.next > 3 }}', then: { do: break } }
    - { name: never, kind: python, code: 'result = 1' }",
        )
        .await;
    let value = value_of(&report);
    assert_eq!(value["count"], json!({"next": 4, "name": "p3"}), "{value}");
    assert!(value.get("never").is_none());
    assert_eq!(report.items[0].ctx["seen"], "p2p3");
    for page in 1..=3 {
        assert_eq!(service.count(&format!("GET /unsteady/p{page}")), 2);
    }

    let report = bench
        .run(
            "- step: s
  tool:
    - { name: first, kind: python, code: 'result = {\"x\": 1}' }
    - { name: second, kind: python, code: 'result = {\"status\": \"error\", \"error\": \"no good\"}' }
    - { name: third, kind: noop }",
        )
        .await;
    let (error, value) = error_of(&report);
    assert_eq!((error.message.as_str(), error.source.as_str()), ("no good", "python"));
    assert_eq!(value["first"]["x"], 1);
    assert!(value.get("third").is_none());
}

#[tokio::test]
async fn a_linear_backoff_grows_by_its_first_delay() {
    let bench = Bench::new("workload: {}");
    let step = "- { step: s, tool: shell, command: exit 1, retry: { max_attempts: 5, initial_delay: 0.01, max_delay: 0.03, backoff: linear, jitter: false } }";
    let report = bench.run(step).await;
    let waits: Vec<_> = report.items[0].calls.iter().map(|call| call.retry_after).collect();
    assert_eq!(waits, [Some(0.01), Some(0.02), Some(0.03), Some(0.03), None]);
}

/// The same input, in the one tool of a step and in the one task of a list, at the first try and the second.
#[tokio::test]
async fn inputs_of_a_single_tool_see_what_those_of_a_list_see() {
    let bench = Bench::new("workload: {}");
    let again =
        "spec: { policy: { rules: [ { when: '{{ _attempt < 2 }}', then: { do: retry, delay: 0 } } ] } }";
    let tool = format!(
        "kind: noop, input: {{ t: '{{{{ _task }}}}', a: '{{{{ _attempt }}}}' }}, result: '{{{{ t }}}}/{{{{ a }}}}', {again}"
    );
    let alone = value_of(&bench.run(&format!("- step: s\n  tool: {{ {tool} }}")).await);
    let listed = value_of(&bench.run(&format!("- step: x\n  tool: [ {{ name: s, {tool} }} ]")).await);
    assert_eq!((alone, listed["s"].clone()), (json!("s/2"), json!("s/2")));
}

#[tokio::test]
async fn one_template_may_stand_for_all_inputs() {
    let bench = Bench::new("workload: { given: { unit: 5, count: 3 }, text: no }");
    let python = "- step: s\n  tool: { kind: python, input: '{{ workload.given }}', args: { count: 4 }, code: 'result = unit * count' }";
    assert_eq!(value_of(&bench.run(python).await), 20);
    let playbook = "- step: s\n  tool: { kind: playbook, path: a/b, input: '{{ workload.given }}' }";
    let report = bench.run(playbook).await;
    let Outcome::Parked { on: Wait::Child(request), .. } = &report.items[0].outcome else {
        panic!("{report:?}")
    };
    assert_eq!(json!(request.payload), json!({"unit": 5, "count": 3}));
    let wrong = bench.run("- step: s\n  tool: { kind: python, input: '{{ workload.text }}', code: x }").await;
    let (error, _) = error_of(&wrong);
    assert_eq!(
        (error.code.as_deref(), error.message.as_str()),
        (Some("TL002"), "`input` of task s is no, not a map")
    );
}

#[tokio::test]
async fn inputs_are_rendered_again_at_every_try() {
    let bench = Bench::new("workload: { n: 1 }");
    let report = bench
        .run(
            "- step: s
  tool:
    kind: python
    input: { try: '{{ _attempt }}', n: '{{ n + 1 }}' }
    code: \"result = {'try': args['try'], 'n': n, 'status': 'ok' if args['try'] > 2 else 'pending'}\"
    spec: { policy: { rules: [ { when: \"{{ output.data.status == 'pending' }}\", then: { do: retry, attempts: 5, delay: 0.001 } } ] } }",
        )
        .await;
    assert_eq!(value_of(&report), json!({"try": 3, "n": 2, "status": "ok"}));
}

#[tokio::test]
async fn a_rule_without_a_match_continues_on_success_and_fails_on_error() {
    let bench = Bench::new("workload: {}");
    let step = |code: u8| {
        format!(
            "- step: s
  tool:
    - name: a
      kind: shell
      command: exit {code}
      spec: {{ policy: {{ rules: [ {{ when: '{{{{ false }}}}', then: {{ do: break }} }} ] }} }}
    - {{ name: b, kind: noop }}"
        )
    };
    assert!(value_of(&bench.run(&step(0)).await).get("b").is_some());
    let report = bench.run(&step(4)).await;
    let (error, _) = error_of(&report);
    assert_eq!((error.kind.as_str(), error.code.as_deref()), ("shell", Some("4")));
}

#[tokio::test]
async fn inputs_of_the_token_the_step_and_the_tool_lie_over_each_other() {
    let mut bench = Bench::new("workload: { who: Ada }");
    bench.inputs = json!({"a": "token"}).as_object().unwrap().clone();
    let report = bench
        .run(
            "- step: s
  args: { a: step, b: step, w: '{{ who }}' }
  tool: { kind: python, args: { b: tool, c: tool }, code: \"result = [a, b, c, w]\" }",
        )
        .await;
    assert_eq!(value_of(&report), json!(["token", "step", "tool", "Ada"]));
}

#[tokio::test]
async fn scripts_come_from_files_and_over_http_or_say_why_not() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    std::fs::write(bench.folder.path().join("double.py"), "def main(n):\n    return {'n': n * 2}\n").unwrap();
    let run = async |script: &str| {
        bench
            .run(&format!("- step: s\n  args: {{ n: 4 }}\n  tool: {{ kind: python, script: {script} }}"))
            .await
    };
    assert_eq!(value_of(&run("{ uri: ./double.py, source: { type: file } }").await), json!({"n": 8}));
    let cases = [
        ("{ uri: ./none.py, source: { type: file } }", "there is no file"),
        ("{ uri: '{{ url }}/status/404' }", "answered HTTP 404"),
        ("{ uri: 'gs://bucket/x.py', source: { type: gcs } }", "Google Cloud Storage"),
        ("{ uri: 's3://bucket/x.py', source: { type: s3 } }", "S3"),
        (
            "{ uri: x.py, source: { type: http, endpoint: '{{ url }}', auth: nobody } }",
            "no credential named \"nobody\"",
        ),
    ];
    for (script, reason) in cases {
        let report = run(script).await;
        let (error, _) = error_of(&report);
        assert!(error.message.contains(reason), "{script}: {}", error.message);
    }
}

#[tokio::test]
async fn large_results_lie_outside_and_are_read_like_others() {
    let mut bench = Bench::new("workload: {}");
    let report = bench
        .run("- step: big\n  tool: { kind: python, code: \"result = {'rows': [[i, 'x' * 100] for i in range(2000)]}\" }")
        .await;
    let noetl_domain::report::Outcome::Ok { result, .. } = &report.items[0].outcome else {
        panic!("{report:?}")
    };
    assert!(matches!(result, noetl_domain::result::Stored::Ref(reference) if reference.bytes > 200_000));
    bench.step_result("big", &report);
    let report = bench
        .run(
            "- step: s\n  tool: { kind: python, args: { n: '{{ big.rows[1100][0] }}' }, code: 'result = n' }",
        )
        .await;
    assert_eq!(value_of(&report), json!(1100));
}

#[tokio::test]
async fn saves_go_where_they_are_sent() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let file = bench.folder.path().join("saved");
    let report = bench
        .run(&format!(
            "- step: s
  tool: python
  code: 'result = {{\"n\": 5}}'
  save:
    - {{ storage: variable, name: kept, data: '{{{{ result.n + 1 }}}}' }}
    - {{ storage: http, url: '{{{{ url }}}}/effects/saved', data: {{ key: '{{{{ this.data.n }}}}' }} }}
    - {{ storage: python, code: \"def main(data):\\n    open('{}', 'w').write(str(data['n']))\" }}
    - {{ storage: http, url: 'http://127.0.0.1:1/', on: error }}
    - {{ storage: http, url: 'http://127.0.0.1:1/', when: '{{{{ result.n > 9 }}}}' }}",
            file.display()
        ))
        .await;
    assert_eq!(value_of(&report), json!({"n": 5}));
    assert_eq!(report.items[0].ctx, json!({"kept": 6}).as_object().unwrap().clone());
    assert_eq!(service.effects("saved"), 1);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "5");
    let report = bench.run("- step: s\n  tool: python\n  code: 'result = 1'\n  save: { storage: snowflake, table: t, data: { a: 1 } }").await;
    let (error, value) = error_of(&report);
    assert_eq!((error.code.as_deref(), value), (Some("TL006"), json!(1)));
    assert!(error.message.contains("snowflake"), "{}", error.message);
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_stopped() {
    let bench = Bench::new("workload: {}");
    let report = bench.run("- step: s\n  tool: { kind: shell, command: 'sleep 600', timeout: 0.05 }").await;
    let (error, _) = error_of(&report);
    assert_eq!((error.kind.as_str(), error.retryable), ("timeout", true));
}

#[tokio::test]
async fn a_template_that_fails_names_itself() {
    let bench = Bench::new("workload: {}");
    let report = bench.run("- step: s\n  tool: { kind: noop, result: '{{ 1 | nosuchfilter }}' }").await;
    let (error, _) = error_of(&report);
    assert_eq!(error.kind, "template");
    assert!(error.message.contains("nosuchfilter"), "{}", error.message);
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}
