//! Questions in plain words over the real binary: the command, the stream, other assistants over MCP, and a model.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::{App, Options, PATIENCE, binary, pause};
use crate::indexed;

const PATH: &str = "tests/chat/orders";
const PLAYBOOK: &str = "apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: orders, path: tests/chat/orders }
workflow:
  - step: fetch
    tool: { kind: python, code: \"result = {'rows': []}\" }
    next: { arcs: [ { step: load } ] }
  - step: load
    tool: { kind: python, input: { rows: \"{{ fetch.rows }}\" }, code: \"result = rows[0]\" }
";
const QUESTION: &str = "why did the last orders run fail?";

/// A server whose newest execution has failed.
async fn failed(options: Options) -> (App, String) {
    let app = App::start_with(options).await;
    let id = app.run(PLAYBOOK, &json!({})).await;
    let ended = app.ended(&id).await.expect("it ends");
    assert_eq!(ended["status"], "FAILED");
    // It is explained by itself, once; what comes later changes nothing.
    app.follow_to_diagnosis(&id).await;
    (app, id)
}

impl App {
    async fn follow_to_diagnosis(&self, id: &str) {
        let deadline = std::time::Instant::now() + crate::app::PATIENCE;
        while !self.events(id).await.iter().any(|event| event["event_type"] == "diagnosis.made") {
            assert!(std::time::Instant::now() < deadline, "no diagnosis was made");
            crate::app::pause().await;
        }
    }
}

/// All that a question might change.
async fn state(app: &App, id: &str) -> Value {
    json!([
        app.events(id).await,
        app.get("/api/executions").await,
        app.get("/api/proposals").await,
        app.get("/api/policy").await,
        app.post("/api/catalog/list", &json!({})).await,
    ])
}

#[tokio::test]
async fn a_question_is_answered_by_the_command_and_by_the_stream() {
    let (app, id) = failed(Options::default()).await;
    let before = state(&app, &id).await;

    let told = app.cli(&["chat", QUESTION, "--json"]);
    assert_eq!(told.code, Some(0), "{}", told.all());
    let answer: Value = serde_json::from_str(&told.stdout).expect("a document");
    assert_eq!(answer["understood"]["tool"], "why", "{answer}");
    assert_eq!(answer["written_by"], "rules");
    assert!(
        answer["text"].as_str().is_some_and(|text| text.contains("`fetch`") && text.contains("[e:")),
        "{answer}"
    );
    let told = app.cli(&["chat", QUESTION]);
    assert!(told.stdout.contains("fetch"), "{}", told.all());

    let response = app
        .http
        .post(format!("{}/api/chat", app.url))
        .header("accept", "text/event-stream")
        .json(&json!({ "question": QUESTION }))
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let stream = response.text().await.expect("a stream");
    let names: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names.first(), Some(&"understood"), "{stream}");
    assert_eq!(names.last(), Some(&"done"), "{stream}");
    for part in ["tool", "text", "citations"] {
        assert!(names.contains(&part), "{part}: {stream}");
    }

    let (status, refused) = app.ask("POST /api/chat", Some(&json!({ "question": "" }))).await;
    assert_eq!((status, refused["code"].as_str()), (400, Some("AP003")), "{refused}");
    assert_eq!(state(&app, &id).await, before, "questions change nothing");
}

/// Speaks one line of JSON-RPC after the other, and reads the answers by id.
struct Spoken {
    child: std::process::Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Spoken {
    fn start(app: &App) -> Self {
        let mut child = Command::new(binary())
            .args(["mcp", "--server-url", &app.url])
            .env("NOETL_DATA_DIR", app.data())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    fn tell(&mut self, message: &Value) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{message}").and_then(|()| input.flush()).expect("it listens");
    }

    fn ask(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.tell(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        for line in self.lines.by_ref() {
            let answer: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            if answer["id"] == id {
                return answer["result"].clone();
            }
        }
        panic!("{method}: it hung up");
    }

    /// Hangs up, and returns whether it ended well.
    fn end(mut self) -> bool {
        drop(self.child.stdin.take());
        self.child.wait().expect("it is our child").success()
    }
}

fn hello() -> Value {
    json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } })
}

fn checked(tools: &Value, answer: &Value) {
    let tools = tools["tools"].as_array().expect("tools");
    assert!(tools.len() >= 17, "{} tools", tools.len());
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "every tool only reads");
    assert_ne!(answer["isError"], true, "{answer}");
    let text = answer["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("fetch"), "{answer}");
}

#[tokio::test]
async fn other_assistants_ask_over_standard_input_and_over_http() {
    let (app, id) = failed(Options::default()).await;
    let before = state(&app, &id).await;
    let why = json!({ "name": "why", "arguments": { "execution_id": id } });

    let mut spoken = Spoken::start(&app);
    let greeted = spoken.ask(1, "initialize", &hello());
    assert_eq!(greeted["serverInfo"]["name"], "noetl", "{greeted}");
    spoken.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let tools = spoken.ask(2, "tools/list", &json!({}));
    let answer = spoken.ask(3, "tools/call", &why);
    checked(&tools, &answer);
    let refused =
        spoken.ask(4, "tools/call", &json!({ "name": "why", "arguments": { "execution_id": "x" } }));
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(spoken.end(), "hanging up is a good end");

    let (greeted, session) = over_http(&app, None, 1, "initialize", &hello()).await;
    assert_eq!(greeted["serverInfo"]["name"], "noetl", "{greeted}");
    let (tools, _) = over_http(&app, session.as_deref(), 2, "tools/list", &json!({})).await;
    let (answer, _) = over_http(&app, session.as_deref(), 3, "tools/call", &why).await;
    checked(&tools, &answer);
    assert_eq!(state(&app, &id).await, before, "questions change nothing");
}

/// The result of one call, and the session where one was begun.
async fn over_http(
    app: &App,
    session: Option<&str>,
    id: u64,
    method: &str,
    params: &Value,
) -> (Value, Option<String>) {
    let mut request = app
        .http
        .post(format!("{}/mcp", app.url))
        .header("accept", "application/json, text/event-stream")
        .json(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    let response = request.send().await.expect("an answer");
    let begun = response.headers().get("mcp-session-id").map(|id| id.to_str().expect("text").to_owned());
    let text = response.text().await.expect("a body");
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let answer = data
        .chain([text.as_str()])
        .filter_map(|text| serde_json::from_str::<Value>(text.trim()).ok())
        .find(|answer| answer["id"] == id);
    (answer.unwrap_or_else(|| panic!("{method}: {text}"))["result"].clone(), begun)
}

/// What a scripted model says, turn by turn; the last one is repeated.
#[derive(Clone, Default)]
struct Script {
    says: Arc<Mutex<Vec<Value>>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

async fn completion(State(script): State<Script>, Json(body): Json<Value>) -> Json<Value> {
    // A tool that explains a failure lets the model write, too; it has nothing to say there.
    if body.to_string().contains("Explain the failure.") {
        return Json(said(&json!({ "hypothesis": "", "sentences": [] })));
    }
    script.asked.lock().expect("no test holds it").push(body);
    let mut says = script.says.lock().expect("no test holds it");
    let turn = if says.len() > 1 { says.remove(0) } else { says[0].clone() };
    Json(said(&turn))
}

fn said(turn: &Value) -> Value {
    json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "scripted-1",
        "choices": [{ "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": turn.to_string() } }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
    })
}

// The command blocks one thread while the scripted model answers on another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_asks_the_same_tools_and_can_only_draft() {
    let script = Script::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let router = Router::new().route("/v1/chat/completions", post(completion)).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("noetl.toml");
    std::fs::write(&file, format!("[assistant.model]\nbase_url = \"{url}\"\nmodel = \"scripted\"\n"))
        .expect("a file");
    let mut env = vec![("NOETL_CONFIG".to_owned(), file.display().to_string())];
    let library = indexed::library();
    env.extend(library.iter().map(|library| ("NOETL_CHDB_LIB".to_owned(), library.display().to_string())));
    let (app, id) = failed(Options { env, ..Options::default() }).await;
    let before = state(&app, &id).await;

    let tool = |name: &str, arguments: &Value| json!({ "action": "tool", "tool": name, "arguments": arguments.to_string(), "sentences": [] });
    let says = vec![
        tool("why", &json!({ "execution_id": id })),
        tool("approve_proposal", &json!({ "id": "1" })),
        tool(
            "draft_proposal",
            &json!({ "playbook": PATH, "step": "load", "parameter": "timeout", "value": 30 }),
        ),
        json!({ "action": "answer", "tool": "", "arguments": "", "sentences": [
            { "text": "Step `fetch` gave nothing to `load`", "cites": ["E1"] },
            { "text": "It was run 77 times by mistake", "cites": ["E1"] },
        ] }),
    ];
    *script.says.lock().expect("no test holds it") = says;
    let told = app.cli(&["chat", "draft a longer timeout for load", "--json"]);
    assert_eq!(told.code, Some(0), "{}", told.all());
    let answer: Value = serde_json::from_str(&told.stdout).expect("a document");
    assert_eq!(answer["written_by"], "scripted", "{answer}");
    let text = answer["text"].as_str().unwrap_or_default();
    assert!(
        text.starts_with("Step `fetch` gave nothing to `load` [e:") && !text.contains("77 times"),
        "{answer}"
    );
    let draft = &answer["drafts"][0];
    assert!(draft["diff"].as_str().is_some_and(|diff| diff.contains('+') && diff.contains("30")), "{draft}");
    let sent = script.asked.lock().expect("no test holds it").clone();
    assert!(sent.len() >= 4, "{} turns", sent.len());
    assert!(
        sent.iter().any(|body| body.to_string().contains("there is no tool")),
        "the model is told that there is no such tool"
    );
    assert_eq!(state(&app, &id).await, before, "a model changes nothing");
    if library.is_some() {
        calls_are_recorded(&app).await;
    }

    // Nobody asks the model who is told to leave it out.
    let before = script.asked.lock().expect("no test holds it").len();
    let told = app.cli(&["chat", QUESTION, "--no-model", "--json"]);
    let answer: Value = serde_json::from_str(&told.stdout).expect("a document");
    assert_eq!(answer["written_by"], "rules", "{answer}");
    assert!(!answer["notes"].to_string().contains("rules answer instead"), "{answer}");
    assert_eq!(script.asked.lock().expect("no test holds it").len(), before, "{answer}");

    // One that goes astray leaves the question to rules.
    *script.says.lock().expect("no test holds it") = vec![json!("I cannot answer that")];
    let told = app.cli(&["chat", QUESTION, "--json"]);
    let answer: Value = serde_json::from_str(&told.stdout).expect("a document");
    assert_eq!(answer["written_by"], "rules", "{answer}");
    assert!(answer["notes"].to_string().contains("rules answer instead"), "{answer}");
    assert!(answer["text"].as_str().is_some_and(|text| text.contains("`fetch`")), "{answer}");
}

/// Each call of the model becomes a row, some time after it was made.
async fn calls_are_recorded(app: &App) {
    // Before the engine is open they wait, and questions are refused.
    indexed::caught_up(app).await;
    let query = "SELECT count(), min(input_tokens), min(output_tokens), any(model), any(response_model), any(operation) \
                 FROM noetl_llm_calls WHERE model = 'scripted' AND error = ''";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = app.post("/api/insights/sql", &json!({ "query": query })).await;
        let row = answer["rows"][0].clone();
        let count = row[0].as_u64().or_else(|| row[0].as_str()?.parse().ok()).unwrap_or_default();
        if count >= 4 {
            let told: Vec<String> = (1..6).map(|at| row[at].to_string().replace('"', "")).collect();
            assert_eq!(told, ["10", "5", "scripted", "scripted-1", "chat"], "{answer}");
            return;
        }
        assert!(Instant::now() < deadline, "no rows of calls: {answer}\n{}", app.log());
        pause().await;
    }
}
