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
