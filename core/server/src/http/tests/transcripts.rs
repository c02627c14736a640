//! Conversations with the server, kept whole as snapshots; ids, times and places are masked.

use std::fmt::Write;

use noetl_domain::Value;
use serde_json::json;

use super::app::App;

const HELLO: &str = "
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: hello, path: demo/hello, description: Greets}
workload: {name: world, token: none, times: 2}
workflow:
  - step: start
    tool: {kind: noop, result: {greeting: hi}}
    next: [{step: each}]
  - step: each
    loop: {in: [1, 2, 3], iterator: n, mode: sequential}
    tool: {kind: noop}
    next: [{step: end}]
  - step: end
    tool: {kind: noop, result: {done: true}}
";

const FAILS: &str = "
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: fails, path: demo/fails}
workflow:
  - step: start
    tool: {kind: noop, result: 1}
    next: [{step: break}]
  - step: break
    tool: {kind: shell, command: the disk is on fire}
";

const WAITS: &str = "
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: waits, path: demo/waits}
workflow:
  - step: start
    tool: {kind: sleep, seconds: 1000}
";

/// Writes down requests and answers.
struct Transcript<'a> {
    app: &'a App,
    text: String,
}

impl<'a> Transcript<'a> {
    fn of(app: &'a App) -> Self {
        Self { app, text: String::new() }
    }

    async fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, None).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        self.call("POST", path, Some(body)).await
    }

    async fn call(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let shown = body.as_ref().map_or_else(String::new, |body| format!(" {body}"));
        let (status, answer) = self.app.call(method, path, body).await;
        let masked = mask(&answer, "");
        let text = serde_json::to_string_pretty(&masked).expect("JSON");
        let line = format!("{method} {path}{shown}");
        let _ = write!(self.text, "> {}\n{}\n{text}\n\n", mask_text(&line), status.as_u16());
        answer
    }

    fn check(self, name: &str) {
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, self.text);
        });
    }
}

/// Masks what differs from run to run.
fn mask(value: &Value, key: &str) -> Value {
    match value {
        Value::String(text) => Value::String(mask_text(text)),
        Value::Number(_) if matches!(key, "duration" | "uptime_seconds" | "position") => json!("[number]"),
        Value::Array(items) => items.iter().map(|item| mask(item, key)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), mask(value, key))).collect(),
        other => other.clone(),
    }
}

fn mask_text(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        masked.push_str(before);
        let digits = from.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(from.len());
        let stamp = from.find(|letter: char| !"0123456789-:.TZ".contains(letter)).unwrap_or(from.len());
        let (shown, taken) = match () {
            () if digits >= 15 => ("[id]", digits),
            () if from[..stamp].contains('T') && stamp >= 20 => ("[time]", stamp),
            () => (&from[..digits], digits),
        };
        masked.push_str(shown);
        rest = &from[taken..];
    }
    masked.push_str(rest);
    let place = masked.split(' ').find(|word| word.ends_with("/noetl.db")).map(str::to_owned);
    place.map_or(masked.clone(), |place| masked.replace(&place, "[file]"))
}

#[tokio::test]
async fn catalog() {
    let app = App::start().await;
    let mut talk = Transcript::of(&app);
    talk.post("/api/catalog/register", json!({ "content": HELLO, "resource_type": "Playbook" })).await;
    talk.post("/api/catalog/register", json!({ "content": HELLO })).await;
    talk.post("/api/catalog/register", json!({ "content": "kind: Playbook\nworkflow:\n  - step: start\n    nxt: end\n    tool: {kind: noop}\n    next: [{step: nowhere}]\n" })).await;
    talk.post("/api/catalog/list", json!({ "resource_type": "playbooks" })).await;
    talk.post("/api/catalog/resource", json!({ "path": "demo/hello", "version": "1" })).await;
    talk.post("/api/catalog/resource", json!({ "path": "demo/nothing", "version": "latest" })).await;
    talk.get("/api/catalog/demo/hello/ui_schema").await;
    talk.get("/api/catalog/demo%2Fhello/ui_schema?version=1").await;
    talk.post("/api/catalog/delete", json!({ "path": "demo/hello", "version": 2 })).await;
    talk.post("/api/catalog/restore", json!({ "path": "demo/hello" })).await;
    talk.get("/api/catalog/demo/hello").await;
    talk.check("catalog");
}

#[tokio::test]
async fn life_of_an_execution() {
    let app = App::start().await;
    app.register(HELLO).await;
    let mut talk = Transcript::of(&app);
    let request = json!({ "path": "demo/hello", "payload": { "name": "you" }, "dedup": { "key": "k" } });
    let started = talk.post("/api/execute", request.clone()).await;
    let id = serde_json::from_value(started["execution_id"].clone()).expect("an id");
    app.ended(id).await;
    talk.post("/api/execute", request).await;
    talk.get("/api/executions?path=demo/hello&status=completed").await;
    talk.get(&format!("/api/executions/{id}/status")).await;
    talk.get(&format!("/api/executions/{id}?page=1&page_size=3")).await;
    talk.get(&format!("/api/executions/{id}/events?after=3&limit=4")).await;
    talk.get(&format!("/api/executions/{id}/events?event_type=step_completed&step=each")).await;
    talk.get(&format!("/api/executions/{id}/logs?limit=2")).await;
    talk.get(&format!("/api/executions/{id}/cancellation-check")).await;
    talk.get(&format!("/api/aggregate/loop/results?execution_id={id}&step_name=each")).await;
    talk.post(&format!("/api/executions/{id}/cancel"), json!({})).await;
    talk.check("life_of_an_execution");
}

#[tokio::test]
async fn orders() {
    let app = App::start().await;
    app.register(FAILS).await;
    app.register(WAITS).await;
    let mut talk = Transcript::of(&app);
    let failed = app.execute("demo/fails", json!({})).await;
    app.ended(failed).await;
    talk.get(&format!("/api/executions/{failed}/status")).await;
    talk.post(&format!("/api/executions/{failed}/retry"), json!({ "from": "nowhere" })).await;
    talk.post(&format!("/api/executions/{failed}/retry"), json!({ "from": "break" })).await;
    app.ended(failed).await;
    talk.get(&format!("/api/executions/{failed}/events?event_type=execution.retried")).await;
    let waiting = app.execute("demo/waits", json!({})).await;
    talk.post("/api/executions/cleanup", json!({ "older_than_minutes": 60 })).await;
    talk.post("/api/executions/cleanup", json!({ "delete_older_than_days": 30, "dry_run": true })).await;
    talk.post("/api/executions/cleanup", json!({ "delete_older_than_days": -1 })).await;
    talk.post(&format!("/api/executions/{waiting}/retry"), json!({})).await;
    talk.post(&format!("/api/executions/{waiting}/cancel"), json!({ "reason": "enough" })).await;
    app.ended(waiting).await;
    talk.get(&format!("/api/executions/{waiting}/status")).await;
    let stuck = app.execute("demo/waits", json!({})).await;
    talk.post(&format!("/api/executions/{stuck}/finalize"), json!({ "status": "RUNNING" })).await;
    talk.post(&format!("/api/executions/{stuck}/finalize"), json!({ "error": "stuck" })).await;
    app.ended(stuck).await;
    talk.post(&format!("/api/executions/{stuck}/finalize"), json!({ "status": "completed" })).await;
    talk.get("/api/executions/42/status").await;
    talk.check("orders");
}

#[tokio::test]
async fn state_from_outside() {
    let app = App::start().await;
    app.register(WAITS).await;
    let id = app.execute("demo/waits", json!({ "who": "me" })).await;
    let mut talk = Transcript::of(&app);
    let vars = format!("/api/vars/{id}");
    talk.post(&vars, json!({ "variables": { "a": 1, "b": [2] } })).await;
    talk.post(
        &vars,
        json!({ "variables": [{ "var_name": "c", "var_value": "x", "var_type": "user_defined" }] }),
    )
    .await;
    talk.call("DELETE", &format!("{vars}/b"), None).await;
    talk.get(&vars).await;
    talk.get(&format!("{vars}/nope")).await;
    let template = json!({ "sum": "{{ ctx.a + 1 }}", "who": "{{ who }} and {{ extra }}", "{{ c }}": ["{{ execution_id }}"] });
    talk.post(
        "/api/context/render",
        json!({ "execution_id": id, "template": template, "extra_context": { "extra": "you" } }),
    )
    .await;
    talk.post("/api/context/render", json!({ "template": "{{ missing.name }}" })).await;
    talk.post("/api/context/render", json!({ "template": "{{ missing.name }}", "strict": false })).await;
    talk.post("/api/context/render", json!({ "template": "{{ oh no" })).await;
    talk.post("/api/events", json!({ "execution_id": id, "event_type": "checked", "node_name": "start", "payload": { "ok": true }, "worker_id": "w" })).await;
    let batch = json!({ "execution_id": id.to_string(), "worker_id": "w", "events": [{ "name": "one" }, { "name": "two", "step": "start" }] });
    talk.post("/api/events/batch", batch).await;
    talk.get(&format!("/api/executions/{id}/events?event_type=checked")).await;
    talk.post("/api/events", json!({ "execution_id": "42", "name": "x" })).await;
    let put = talk
        .call("PUT", &format!("/api/result/{id}"), Some(json!({ "step": "start", "data": [1, 2, 3] })))
        .await;
    let uri = put["ref"].as_str().expect("a reference");
    talk.get(&format!("/api/result/resolve?ref={uri}")).await;
    talk.get("/api/result/resolve?ref=file:///etc/passwd").await;
    talk.check("state_from_outside");
}

#[tokio::test]
async fn credentials_schedules_pools_and_tables() {
    let app = App::start().await;
    app.register(HELLO).await;
    let mut talk = Transcript::of(&app);
    let secret =
        json!({ "name": "db", "type": "postgres", "data": { "db_password": "hunter2" }, "tags": ["prod"] });
    talk.post("/api/credentials", secret).await;
    talk.get("/api/credentials?type=postgres&q=pro").await;
    talk.get("/api/credentials/db").await;
    talk.get("/api/credentials/db?include_data=true").await;
    talk.post(
        "/api/postgres/execute",
        json!({ "query": "SELECT path, version FROM noetl.catalog", "parameters": [] }),
    )
    .await;
    talk.post("/api/postgres/execute", json!({ "query": "SELECT data FROM noetl.credential_row" })).await;
    talk.post("/api/postgres/execute", json!({ "query": "SELECT 1", "connection_string": "postgres://x" }))
        .await;
    talk.post("/api/postgres/execute", json!({ "query": "SELECT 1", "credential": "nope" })).await;
    talk.get("/api/db/validate").await;
    talk.call("DELETE", "/api/credentials/db", None).await;
    talk.call("DELETE", "/api/credentials/db", None).await;
    let added = talk.post("/api/schedules", json!({ "path": "demo/hello", "cron": "0 6 * * MON" })).await;
    let id = added["id"].as_str().expect("an id").to_owned();
    talk.post("/api/schedules", json!({ "path": "demo/nothing", "interval_seconds": 60 })).await;
    talk.post("/api/schedules", json!({ "path": "demo/hello", "cron": "every day" })).await;
    talk.post(&format!("/api/schedules/{id}/pause"), json!({})).await;
    talk.get("/api/schedules").await;
    talk.call("DELETE", &format!("/api/schedules/{id}"), None).await;
    talk.post(&format!("/api/schedules/{id}/resume"), json!({})).await;
    talk.post("/api/worker/pool/register", json!({ "name": "gpu", "capabilities": ["cuda"], "capacity": 4 }))
        .await;
    talk.get("/api/worker/pools").await;
    talk.call("DELETE", "/api/worker/pool/deregister", Some(json!({ "name": "gpu" }))).await;
    talk.get("/api/health").await;
    assert!(
        !talk.text.contains("hunter2") || talk.text.matches("hunter2").count() == 1,
        "only the request may show it"
    );
    talk.check("credentials_schedules_pools_and_tables");
}

#[tokio::test]
async fn batches_keep_their_order_and_count_what_failed() {
    let app = App::start().await;
    app.register(HELLO).await;
    let mut executions = vec![json!({ "path": "demo/hello" }); 3];
    executions.push(json!({ "path": "demo/nothing" }));
    executions.push(json!({ "path": "demo/hello", "version": "x" }));
    executions.push(json!({ "path": "demo/hello", "dedup": { "key": "one" } }));
    let answer = app.post("/api/execute/batch", json!({ "executions": executions })).await;
    let statuses: Vec<_> =
        answer["results"].as_array().expect("results").iter().map(|entry| &entry["status"]).collect();
    assert_eq!(statuses, ["started", "started", "started", "failed", "failed", "started"]);
    assert_eq!(answer["results"][3]["error"]["code"], "AP001");
    assert_eq!(answer["results"][4]["error"]["code"], "AP003");
    let again = app
        .post(
            "/api/execute/batch",
            json!({ "executions": [{ "path": "demo/hello", "dedup": { "key": "one" } }] }),
        )
        .await;
    assert_eq!((&again["duplicates"], &again["started"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn pages_of_executions_follow_each_other_without_gaps() {
    let app = App::start().await;
    app.register(WAITS).await;
    let mut started = Vec::new();
    for _ in 0..7 {
        started.push(app.execute("demo/waits", json!({})).await.to_string());
    }
    started.reverse();
    let mut seen = Vec::new();
    let mut next = Some("/api/executions?limit=3&status=RUNNING".to_owned());
    while let Some(path) = next {
        let request =
            axum::http::Request::builder().uri(&path).body(axum::body::Body::empty()).expect("a request");
        let response = app.send(request).await;
        let link = response.headers().get("link").map(|link| link.to_str().expect("text").to_owned());
        next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
        let (_, page) = super::app::read(response).await;
        seen.extend(
            page.as_array().expect("a list").iter().map(|row| row["id"].as_str().expect("an id").to_owned()),
        );
    }
    assert_eq!(seen, started);
}

#[tokio::test]
async fn secrets_are_in_no_answer() {
    let app = App::start().await;
    app.register(HELLO).await;
    let secret = "s3cr3t-v4lue";
    let payload = json!({ "api_key": secret, "nested": { "db_password": secret }, "note": format!("Bearer {secret}{secret}") });
    let id = app.execute("demo/hello", payload).await;
    app.ended(id).await;
    app.post(&format!("/api/vars/{id}"), json!({ "variables": { "client_secret": secret } })).await;
    app.post("/api/credentials", json!({ "name": "c", "type": "secret", "data": { "secret": secret } }))
        .await;
    for path in [
        format!("/api/executions/{id}"),
        format!("/api/executions/{id}/status"),
        format!("/api/executions/{id}/events"),
        format!("/api/vars/{id}"),
        format!("/api/vars/{id}/client_secret"),
        format!("/api/feed?execution_id={id}"),
        "/api/executions".to_owned(),
        "/api/credentials".to_owned(),
        "/api/credentials/c".to_owned(),
        "/metrics".to_owned(),
    ] {
        let (status, answer) = app.call("GET", &path, None).await;
        assert_eq!(status, 200, "{path}");
        assert!(!answer.to_string().contains(secret), "{path}: {answer}");
    }
    let query = json!({ "query": "SELECT * FROM noetl.event UNION ALL SELECT * FROM noetl.event" });
    let answer = app.post("/api/postgres/execute", query).await;
    assert!(answer["row_count"].as_u64() > Some(10) && !answer.to_string().contains(secret), "{answer}");
}
