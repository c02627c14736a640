//! Names that nothing provides: one warning per step and name, in the log and beside the result.

use serde_json::{Value, json};

use crate::app::App;

const PLAYBOOK: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: unheard, path: tests/warnings/unheard }
workload: { numbers: 500 }
workflow:
  - step: start
    tool:
      - name: look
        kind: python
        input:
          whole: "{{ nobody }}"
          inside: "again {{ nobody }}"
          guarded: "{{ guarded | default('x') }}"
          asked: "{{ asked is defined }}"
          unborn: "{{ later.x }}"
        code: "result = 1"
        spec: { policy: { rules: [ { when: "{{ in_a_rule }}", then: { do: fail } } ] } }
    set: { ctx.kept: "{{ absent }}" }
    next: { spec: { mode: exclusive }, arcs: [ { step: later, when: "{{ in_an_arc }}" }, { step: each } ] }
  - step: each
    loop: { in: "{{ numbers }}", iterator: n, spec: { mode: parallel, max_in_flight: 16 } }
    tool: { kind: noop, result: "{{ n }} {{ unheard }}" }
    next: { arcs: [ { step: later } ] }
  - step: later
    tool: { kind: noop, result: "{{ numbers }} {{ alone }}" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undefined_names_are_told_once_per_step() {
    let app = App::start().await;
    let id = app.run(PLAYBOOK, &json!({})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "COMPLETED", "{status}");
    let expected = [("start", "nobody"), ("start", "absent"), ("each", "unheard"), ("later", "alone")];
    let warnings: Vec<(String, String)> = app
        .events(&id)
        .await
        .iter()
        .filter(|event| event["event_type"] == "warning")
        .map(|event| {
            assert_eq!(event["meta"]["code"], "TP004", "{event}");
            let step = event["node_name"].as_str().unwrap_or_default();
            (step.to_owned(), event["meta"]["message"].as_str().unwrap().to_owned())
        })
        .collect();
    let told = |list: &[(String, String)]| {
        list.len() == expected.len()
            && expected
                .iter()
                .zip(list)
                .all(|((step, name), (of, message))| of == step && message.contains(&format!("{name:?}")))
    };
    assert!(told(&warnings), "{warnings:?}");
    let beside: Vec<(String, String)> = status["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| {
            [&warning["step"], &warning["message"]]
                .map(|text| text.as_str().unwrap_or_default().to_owned())
                .into()
        })
        .collect();
    assert!(told(&beside), "{status}");
    let printed = app.cli(&["events", &id]);
    assert!(printed.stdout.contains("nobody"), "{}", printed.all());

    let file = app.home.path().join("unheard.yaml");
    std::fs::write(&file, PLAYBOOK).unwrap();
    let printed = app.cli(&["run", file.to_str().unwrap()]);
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    assert!(printed.stderr.contains("warning: step start: a template reads \"nobody\""), "{}", printed.all());
    assert!(!printed.stdout.contains("nobody"), "{}", printed.all());
    let answer = app.cli(&["run", file.to_str().unwrap(), "--json"]);
    let answer: Value = serde_json::from_str(&answer.stdout).expect("one document");
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(4));
}
