use noetl_domain::command::{PipelineState, Resume, StepResult, Wake};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{Outcome, Report, Wait};
use noetl_domain::result::Stored;
use noetl_test_service::Service;
use serde_json::json;

use super::harness::{Bench, error_of, value_of};

fn parked(report: &Report) -> (Wait, PipelineState) {
    match &report.items[0].outcome {
        Outcome::Parked { on, state } => {
            // What the control plane keeps is JSON.
            let text = serde_json::to_string(state).unwrap();
            (on.clone(), serde_json::from_str(&text).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_long_wait_is_parked_and_goes_on_where_it_was() {
    let service = Service::start().await.unwrap();
    let bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
    let step = "- step: s
  tool:
    - { name: before, kind: python, code: \"result = {'n': 1}\", set: { iter.kept: '{{ output.data.n }}', ctx.c: 5 } }
    - name: fetch
      kind: http
      url: '{{ url }}/unsteady/parked?failures=1'
      spec: { policy: { rules: [ { when: '{{ output.error.retryable }}', then: { do: retry, attempts: 2, delay: 90 } } ] } }
    - { name: after, kind: noop, result: [ '{{ before.n }}', '{{ iter.kept }}', '{{ ctx.c }}', '{{ fetch.data.try }}' ] }";
    let report = bench.run(step).await;
    let (on, state) = parked(&report);
    assert_eq!(on, Wait::Timer { seconds: 90.0 });
    assert_eq!((state.task, state.attempt), (1, 1));
    assert!(report.items[0].ctx.is_empty(), "told once, at the end");
    let report = bench.resume(step, Resume { state, wake: Wake::Timer }).await;
    assert_eq!(value_of(&report)["after"], json!([1, 1, 5, 2]));
    assert_eq!(report.items[0].ctx["c"], 5);
}

#[tokio::test]
async fn a_sub_playbook_is_waited_for_without_a_worker() {
    let bench = Bench::new("workload: {}");
    let step = "- step: s
  tool: { kind: playbook, path: lib/child.yaml, args: { n: 3 }, return_step: last, timeout: 60 }";
    let report = bench.run(step).await;
    let (Wait::Child(request), state) = parked(&report) else { panic!("not a child") };
    assert_eq!((request.path.as_str(), request.return_step.as_deref()), ("lib/child", Some("last")));
    assert_eq!(
        (request.payload, request.timeout_seconds),
        (json!({"n": 3}).as_object().unwrap().clone(), Some(60.0))
    );

    let wake = |status: &str, value: serde_json::Value, error: Option<&str>| Wake::Child {
        execution_id: ExecutionId(8),
        status: status.into(),
        result: StepResult {
            value: Stored::Inline(value),
            error: error.map(|message| noetl_domain::error::TaskError::new("x", message)),
            ..StepResult::default()
        },
    };
    let resume = Resume { state: state.clone(), wake: wake("COMPLETED", json!({"score": 4}), None) };
    let value = value_of(&bench.resume(step, resume).await);
    assert_eq!((&value["score"], &value["_execution"]["execution_id"]), (&json!(4), &json!("8")));

    let resume = Resume { state, wake: wake("FAILED", json!(null), Some("it broke")) };
    let report = bench.resume(step, resume).await;
    let (error, _) = error_of(&report);
    assert_eq!((error.kind.as_str(), error.code.as_deref()), ("playbook", Some("EX006")));
    assert!(error.message.contains("lib/child") && error.message.contains("it broke"), "{}", error.message);
}

#[tokio::test]
async fn a_sleep_is_parked_unless_it_is_short() {
    let bench = Bench::new("workload: {}");
    let step =
        |seconds: &str| format!("- step: s\n  tool: {{ kind: sleep, seconds: '{{{{ {seconds} }}}}' }}");
    assert_eq!(value_of(&bench.run(&step("0.001")).await), json!({}));
    let report = bench.run(&step("2")).await;
    let (on, state) = parked(&report);
    assert_eq!(on, Wait::Timer { seconds: 2.0 });
    assert_eq!(value_of(&bench.resume(&step("2"), Resume { state, wake: Wake::Timer }).await), json!({}));
}

/// Pages that fail once in the middle and are then waited for, in the two ways of dialect C.
#[tokio::test]
async fn pages_go_on_where_a_long_wait_parked_them() {
    let paginated = "- step: s
  tool: { kind: http, url: '{{ url }}/api/v1/flaky', params: { page: 1, pageSize: 10, fail_on: '3' } }
  loop:
    pagination:
      type: response_based
      continue_while: '{{ response.data.paging.hasMore }}'
      next_page: { params: { page: '{{ (response.data.paging.page | int) + 1 }}' } }
      merge_strategy: append
      merge_path: data.data
      retry: { max_attempts: 3, initial_delay: 90, max_delay: 100, jitter: false }";
    let cases = "- step: s
  tool: { kind: http, url: '{{ url }}/api/v1/flaky', params: { page: 1, pageSize: 10, fail_on: '3' } }
  case:
    - when: '{{ error is defined and error }}'
      then: { retry: { max_attempts: 3, delay: 90, max_delay: 100, jitter: false } }
    - when: '{{ response.data.paging.hasMore }}'
      then:
        - collect: { strategy: append, path: data.data }
        - retry: { params: { page: '{{ (response.data.paging.page | int) + 1 }}' } }
    - when: \"{{ event.name == 'call.done' }}\"
      then: { collect: { strategy: append, path: data.data } }";
    for (step, limit) in [(paginated, 64 * 1024), (paginated, 200), (cases, 64 * 1024), (cases, 200)] {
        let service = Service::start().await.unwrap();
        let mut bench = Bench::new(&format!("workload: {{ url: '{}' }}", service.url));
        bench.limit(limit);
        let report = bench.run(step).await;
        let (on, state) = parked(&report);
        assert_eq!(on, Wait::Timer { seconds: 90.0 }, "{step}");
        assert!(report.items[0].collected.is_empty());
        let size = serde_json::to_string(&state).unwrap().len();
        assert!(size < 1200 || limit > 1000, "{size} bytes are kept in the log where {limit} are allowed");
        assert_eq!(service.count("GET /api/v1/flaky"), 3);
        let report = bench.resume(step, Resume { state, wake: Wake::Timer }).await;
        let value = match &report.items[0].outcome {
            Outcome::Ok { result: Stored::Ref(reference), .. } => {
                bench.services.results.get(reference).await.unwrap().as_ref().clone()
            }
            _ => value_of(&report),
        };
        let ids: Vec<_> = value.as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
        assert_eq!(ids, (1..=35).map(|id| json!(id)).collect::<Vec<_>>(), "{step}");
        assert_eq!(service.count("GET /api/v1/flaky"), 5, "{step}: page 3 twice, no page again");
    }
}
