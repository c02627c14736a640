//! `kill -9` of the real binary at bad moments: nothing acknowledged is lost, everything ends once, with the right answer.

use std::time::Instant;

use noetl_test_service::Service;
use serde_json::{Value, json};

use crate::app::{App, PATIENCE, pause};

const LOOP: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: killed_loop, path: tests/faults/loop }
workload: { api_url: "", total: 120 }
workflow:
  - step: start
    next: { arcs: [ { step: each } ] }
  - step: each
    loop: { in: "{{ range(total) | list }}", iterator: n, spec: { mode: parallel, max_in_flight: 4 } }
    tool:
      - { name: act, kind: http, method: POST, url: "{{ api_url }}/effects/item-{{ iter.n }}?delay_seconds=0.03" }
      - { name: answer, kind: python, input: { n: "{{ iter.n }}" }, code: "result = n * 2" }
    next: { arcs: [ { step: check } ] }
  - step: check
    tool: { kind: python, input: { rows: "{{ each.results }}" }, code: "return {'sum': sum(row['answer'] for row in rows), 'count': len(rows)}" }
    next: { arcs: [ { step: end } ] }
  - step: end
"#;

const CHAIN: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: killed_chain, path: tests/faults/chain }
workload: { api_url: "", total: 60 }
workflow:
  - step: start
    set: { ctx.n: 0 }
    next: { arcs: [ { step: act } ] }
  - step: act
    tool: { kind: http, method: POST, url: "{{ api_url }}/effects/step-{{ ctx.n }}?delay_seconds=0.03" }
    set: { ctx.n: "{{ ctx.n + 1 }}" }
    next:
      spec: { mode: exclusive }
      arcs:
        - { step: act, when: "{{ ctx.n < total }}" }
        - { step: end }
  - step: end
    tool: { kind: python, input: { n: "{{ ctx.n }}" }, code: "return {'n': n}" }
"#;

const SMALL: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: small, path: tests/faults/small }
workload: { api_url: "", n: 0 }
workflow:
  - step: start
    next: { arcs: [ { step: act } ] }
  - step: act
    tool: { kind: http, method: POST, url: "{{ api_url }}/effects/run-{{ n }}" }
    next: { arcs: [ { step: end } ] }
  - step: end
    tool: { kind: python, input: { n: "{{ n }}" }, code: "return {'n': n}" }
"#;

const PARENT: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: parent, path: tests/faults/parent }
workload: { api_url: "" }
workflow:
  - step: start
    next: { arcs: [ { step: nap } ] }
  - step: nap
    tool: { kind: sleep, seconds: 1.0 }
    next: { arcs: [ { step: children } ] }
  - step: children
    loop: { in: 6, iterator: n, spec: { mode: parallel, max_in_flight: 6 } }
    tool: { kind: playbook, path: tests/faults/small, return_step: end, input: { api_url: "{{ api_url }}", n: "{{ iter.n }}" } }
    next: { arcs: [ { step: end } ] }
  - step: end
    tool: { kind: python, input: { rows: "{{ children.results }}" }, code: "return {'ns': sorted(row['n'] for row in rows)}" }
"#;

/// Waits until the service has seen so many side effects.
async fn until_effects(service: &Service, least: usize) {
    let deadline = Instant::now() + PATIENCE;
    while service.all_effects().iter().map(|(_, count)| count).sum::<usize>() < least {
        assert!(Instant::now() < deadline, "only these effects: {:?}", service.all_effects());
        pause().await;
    }
}

async fn completed(app: &App, id: &str) -> Value {
    let status = app.ended(id).await.expect("it ends");
    assert_eq!(status["status"], "COMPLETED", "{status}\n{}", app.log());
    let ends =
        app.events(id).await.iter().filter(|event| event["event_type"] == "playbook.completed").count();
    assert_eq!(ends, 1, "it ends once");
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_killed_in_the_middle_ends_with_every_item_once() {
    let service = Service::start().await.unwrap();
    let mut app = App::start().await;
    let id = app.run(LOOP, &json!({"api_url": service.url})).await;
    for least in [20, 60] {
        until_effects(&service, least).await;
        app.kill();
        assert!(service.all_effects().len() < 120, "the kill came too late to prove anything");
        app.restart().await;
    }
    let status = completed(&app, &id).await;
    assert_eq!(app.render(&id, "check").await, json!({"sum": 119 * 120, "count": 120}), "{status}");
    let effects = service.all_effects();
    assert_eq!(effects.len(), 120, "every item was done");
    // What was in a worker's hands when it died is done again: at least once, and never without need.
    assert!(effects.iter().all(|(_, count)| (1..=3).contains(count)), "{effects:?}");
    let again = effects.iter().filter(|(_, count)| *count > 1).count();
    assert!(
        again < 110,
        "nearly everything was done again, as if nothing had been written down: {effects:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_killed_again_and_again_goes_on_where_it_was() {
    let service = Service::start().await.unwrap();
    let mut app = App::start().await;
    let id = app.run(CHAIN, &json!({"api_url": service.url})).await;
    for least in [5, 25, 45] {
        until_effects(&service, least).await;
        app.kill();
        assert!(service.all_effects().len() < 60, "the kill came too late to prove anything");
        app.restart().await;
    }
    let status = completed(&app, &id).await;
    assert_eq!(status["result"], json!({"n": 60}));
    let effects = service.all_effects();
    assert_eq!(effects.len(), 60);
    // One step is in flight at a time, so each death can repeat one effect at most.
    let total: usize = effects.iter().map(|(_, count)| count).sum();
    assert!(total <= 63, "{effects:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost() {
    let service = Service::start().await.unwrap();
    let mut app = App::start().await;
    app.register(SMALL).await.unwrap();
    let mut ids = Vec::new();
    for round in 0..3 {
        for n in 0..15 {
            let payload = json!({"api_url": service.url, "n": round * 15 + n});
            ids.push(app.execute("tests/faults/small", &payload).await.unwrap());
        }
        app.kill();
        app.restart().await;
    }
    for (n, id) in ids.iter().enumerate() {
        let status = completed(&app, id).await;
        assert_eq!(status["result"], json!({"n": n}));
        assert!((1..=4).contains(&service.effects(&format!("run-{n}"))), "{:?}", service.all_effects());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_and_waits_for_children_survive() {
    let service = Service::start().await.unwrap();
    let mut app = App::start().await;
    app.register(SMALL).await.unwrap();
    let id = app.run(PARENT, &json!({"api_url": service.url})).await;
    app.until(&id, |status| status["current_step"] == "nap").await.unwrap();
    app.kill();
    app.restart().await;
    until_effects(&service, 1).await;
    app.kill();
    app.restart().await;
    let status = completed(&app, &id).await;
    assert_eq!(status["result"], json!({"ns": [0, 1, 2, 3, 4, 5]}));
    let children = app.get(&format!("/api/executions?parent_execution_id={id}")).await;
    assert_eq!(children.as_array().map(Vec::len), Some(6), "no child was started twice: {children}");
}
