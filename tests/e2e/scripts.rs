//! `script` over HTTP through the real binary: where it is loaded from, with what, and what goes wrong.

use noetl_test_service::{Service, TOKEN};
use serde_json::{Value, json};

use crate::app::App;

async fn run(app: &App, service: &Service, name: &str, tool: &str) -> (String, Value) {
    let text = format!(
        "apiVersion: noetl.io/v2
kind: Playbook
metadata: {{ name: {name}, path: tests/scripts/{name} }}
workload: {{ api: '' }}
workflow:
  - step: start
    tool: {{ {tool} }}
"
    );
    let id = app.run(&text, &json!({"api": service.url})).await;
    let status = app.ended(&id).await.expect("an end");
    (id, status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_come_over_http() {
    let service = Service::start().await.unwrap();
    let app = App::start().await;
    app.credential(&json!({"name": "reader", "type": "bearer", "data": {"token": TOKEN}})).await;
    let private = "method: POST, headers: { X-Channel: stable }, timeout: 5s";
    let cases = [
        ("whole", "kind: python, input: { name: Ada }, script: { uri: '{{ api }}/scripts/greet.py', source: { type: http } }".to_owned(), json!({"text": "hello Ada"})),
        ("short", "kind: python, input: { name: Bo }, script: '{{ api }}/scripts/greet.py'".to_owned(), json!({"text": "hello Bo"})),
        ("relative", "kind: python, input: { name: Cy }, script: { uri: scripts/greet.py, source: { type: http, endpoint: '{{ api }}/' } }".to_owned(), json!({"text": "hello Cy"})),
        ("private", format!("kind: python, script: {{ uri: /scripts/private.py, source: {{ type: http, endpoint: '{{{{ api }}}}', auth: reader, {private} }} }}"), json!({"method": "POST", "channel": "stable", "bytes": 0})),
        ("typed", format!("kind: python, script: {{ uri: '{{{{ api }}}}/scripts/private.py', source: {{ type: http, auth: {{ type: bearer, credential: reader }}, {private} }} }}"), json!({"method": "POST", "channel": "stable", "bytes": 0})),
        ("first", "kind: python, code: 'result = 1', script: { uri: '{{ api }}/scripts/greet.py', source: { type: http } }, input: { name: Di }".to_owned(), json!({"text": "hello Di"})),
    ];
    for (name, tool, expected) in cases {
        let (id, status) = run(&app, &service, name, &tool).await;
        assert_eq!(status["status"], "COMPLETED", "{name}: {status}");
        assert_eq!(app.render(&id, "start").await, expected, "{name}");
    }
    let sql = "kind: sqlite, input: { a: 40, b: 2 }, script: { uri: '{{ api }}/scripts/total.sql', source: { type: http } }";
    let (id, status) = run(&app, &service, "sql", sql).await;
    assert_eq!(status["status"], "COMPLETED", "{status}");
    assert_eq!(app.render(&id, "start.rows[0].total").await, json!(42));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_is_told_apart() {
    let service = Service::start().await.unwrap();
    let app = App::start().await;
    let cases = [
        ("missing", "uri: '{{ api }}/scripts/none.py'", "type: http", "TL005", "HTTP 404"),
        ("refused", "uri: '{{ api }}/scripts/private.py'", "type: http, method: POST", "TL005", "HTTP 401"),
        ("slow", "uri: '{{ api }}/delay/60'", "type: http, timeout: 0.2", "TL005", "in time"),
        ("unreachable", "uri: 'http://127.0.0.1:9/x.py'", "type: http", "TL005", "cannot be reached"),
        ("nobody", "uri: '{{ api }}/scripts/private.py'", "type: http, auth: nobody", "CR001", "nobody"),
        ("broken", "uri: '{{ api }}/scripts/broken.py'", "type: http", "SyntaxError", "SyntaxError"),
        ("nowhere", "uri: ''", "type: http", "TL005", "needs `uri`"),
        ("strange", "uri: 'gopher://x/y.py'", "type: file", "TL005", "gopher"),
    ];
    for (name, uri, source, code, words) in cases {
        let tool = format!("kind: python, input: {{ name: x }}, script: {{ {uri}, source: {{ {source} }} }}");
        let (_, status) = run(&app, &service, name, &tool).await;
        let error = &status["error"];
        assert_eq!((&status["status"], &error["code"]), (&json!("FAILED"), &json!(code)), "{name}: {status}");
        assert!(error["message"].as_str().unwrap().contains(words), "{name}: {error}");
    }
}
