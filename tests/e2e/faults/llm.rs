//! Whether a small language model makes any answer worse: a real one, asked by llama.cpp's own server.
//!
//! `cargo xtask test --llm` brings server and model and runs this; without them it says that nothing was tested.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::case::{self, Case};
use super::places::Places;
use super::report::{Report, Told};
use crate::app::{App, Options, pause};
use crate::indexed;

/// Cases of different kinds: a misleading last error, a silent root, a foreign system, a credential, a sub-playbook.
const CASES: [&str; 5] = [
    "http_unauthenticated",
    "unseen_deep_null_in_a_list",
    "unseen_java_trace",
    "exam_oracle_table_behind_a_vague_ending",
    "unseen_api_key_in_a_json_problem",
];
const QUESTIONS: [&str; 2] = ["why did the last run fail?", "what fails most this week?"];
/// A model on one thread takes its time; also to load.
const PATIENCE: Duration = Duration::from_mins(5);

/// llama.cpp's server; it ends when its standard input does.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    async fn start(python_path: &Path, model: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/faults/llm.py");
        let child = Command::new("python3")
            .arg(script)
            .arg(model)
            .arg(port.to_string())
            .env("PYTHONPATH", python_path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python runs");
        let mut server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = http.get(format!("{}/health", server.url)).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return server;
            }
            let ended = server.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "llama.cpp's server ended with {ended:?}");
            assert!(Instant::now() < deadline, "llama.cpp's server does not come up");
            pause().await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // One that is in the middle of an answer is not waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_model_makes_no_answer_worse() {
    let variable = |name: &str| std::env::var_os(name).map(std::path::PathBuf::from);
    let (Some(server), Some(model)) = (variable("NOETL_LLM_SERVER"), variable("NOETL_LLM_MODEL")) else {
        eprintln!("NOT TESTED: no model was asked; `cargo xtask test --llm` does");
        return;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start(&server, &model).await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("noetl.toml");
    let mut config = std::fs::File::create(&file).expect("a file");
    writeln!(
        config,
        "[assistant.model]\nbase_url = \"{}/v1\"\nmodel = \"qwen\"\ntimeout_seconds = 240\nmax_cost_per_day = 0",
        server.url
    )
    .expect("it is written");
    let mut env = vec![("NOETL_CONFIG".to_owned(), file.display().to_string())];
    let library = indexed::library();
    env.extend(library.iter().map(|library| ("NOETL_CHDB_LIB".to_owned(), library.display().to_string())));
    let cases = sample();
    let places = Places::open(&cases).await;
    let app = App::start_with(Options { env, ..Options::default() }).await;
    let patient = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
    let (mut alone, mut with, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for case in cases {
        let id = super::brought_about(&app, &places, &case).await.expect("the case comes about");
        let ask = async |query: &str| -> Value {
            let url = format!("{}/api/executions/{id}/diagnose{query}", app.url);
            let mut answer: Value =
                patient.post(url).send().await.expect("an answer").json().await.expect("a document");
            answer["unresolved"] = json!(super::unresolved(&app, &answer).await);
            answer
        };
        let rules = ask("?without_model=true").await;
        let began = Instant::now();
        let model = ask("").await;
        times.push(began.elapsed().as_secs_f64());
        eprintln!(
            "{}: {:.0?}, by {}{}\n  rules: {}\n  shown: {}",
            case.name,
            began.elapsed(),
            model["written_by"],
            model["model_note"].as_str().map(|note| format!(" ({note})")).unwrap_or_default(),
            rules["explanation"],
            model["explanation"],
        );
        no_worse(&case, &rules, &model);
        alone.push(Told { case: case.clone(), found: Ok(rules) });
        with.push(Told { case, found: Ok(model) });
    }
    // What it wrote may not have held; that it wrote is what makes this a test.
    let field =
        |told: &Told, name: &str| told.found.as_ref().map_or(Value::Null, |found| found[name].clone());
    let written = with.iter().filter(|told| field(told, "written_by") == "qwen").count();
    let fell =
        |told: &&Told| field(told, "model_note").as_str().is_some_and(|note| note.contains("sentences hold"));
    let answered = written + with.iter().filter(fell).count();
    eprintln!("{written} of {} explanations were the model's own, {answered} were written", with.len());
    assert!(answered > 0, "the model never wrote anything");
    let chat = questions(&app, &patient).await;
    let tokens = if library.is_some() { tokens(&app).await } else { Value::Null };
    times.sort_by(f64::total_cmp);
    let (alone, with) = (Report::new(alone), Report::new(with));
    let figures = json!({
        "cases": times.len(),
        "written": written,
        "answered": answered,
        "seconds": {"p50": times[times.len() / 2], "p95": times[times.len() * 95 / 100]},
        "alone": alone.figures(),
        "with": with.figures(),
        "tokens": tokens,
        "chat": chat,
    });
    eprintln!("rules alone:\n{alone}\nwith the model:\n{with}\ntokens: {tokens}; chat: {chat}");
    if let Ok(file) = std::env::var("NOETL_LAB_JSON") {
        std::fs::write(format!("{file}.model"), figures.to_string()).expect("the figures are written");
    }
    assert!(with.root_and_cause() >= alone.root_and_cause(), "the model made root or cause worse");
}

/// The few cases of a test; or `NOETL_LLM_CASES` of all, evenly spread, as the bench wants them.
fn sample() -> Vec<Case> {
    let mut cases = case::all();
    let wanted = std::env::var("NOETL_LLM_CASES").ok().and_then(|count| count.parse::<usize>().ok());
    if let Some(count) = wanted {
        // A case that is asked about while it runs says something else when it is asked about again.
        cases.retain(|case| case.fault.asked_at.is_none() && !case.fault.is_left_running);
        let every = (cases.len() / count.max(1)).max(1);
        return cases.into_iter().step_by(every).take(count).collect();
    }
    cases.retain(|case| CASES.contains(&case.name.as_str()));
    assert_eq!(cases.len(), CASES.len(), "every case is there");
    cases
}

/// The chat over the same server: whoever answers, every question gets an answer that cites.
async fn questions(app: &App, patient: &reqwest::Client) -> Value {
    let mut own = 0;
    for question in QUESTIONS {
        let began = Instant::now();
        let answer = patient.post(format!("{}/api/chat", app.url)).json(&json!({"question": question}));
        let answer: Value = answer.send().await.expect("an answer").json().await.expect("a document");
        eprintln!("{question} {:.0?} {}: {}", began.elapsed(), answer["written_by"], answer["text"]);
        eprintln!("  notes: {}", answer["notes"]);
        let text = answer["text"].as_str().unwrap_or_default();
        assert!(text.contains("[e:"), "{question}: {answer}");
        own += usize::from(answer["written_by"] == "qwen");
    }
    json!({"questions": QUESTIONS.len(), "own": own})
}

/// What the calls took, as the table of calls tells.
async fn tokens(app: &App) -> Value {
    indexed::caught_up(app).await;
    let query = "SELECT count(), sum(input_tokens), sum(output_tokens) FROM noetl_llm_calls WHERE error = ''";
    let answer = app.post("/api/insights/sql", &json!({ "query": query })).await;
    let number = |at: usize| {
        let cell = &answer["rows"][0][at];
        cell.as_u64().or_else(|| cell.as_str()?.parse().ok()).unwrap_or_default()
    };
    json!({"calls": number(0), "input": number(1), "output": number(2)})
}

/// What rules decided stays decided, and whatever is shown cites what is there.
fn no_worse(case: &Case, alone: &Value, with: &Value) {
    assert_eq!(alone["written_by"], "rules");
    assert_eq!(with["unresolved"], json!([]), "{}: citations lead somewhere", case.name);
    // Of two hypotheses that are all but equal it may choose one: none of the few cases has such a pair, and of many
    // the share of right answers tells.
    if CASES.contains(&case.name.as_str()) {
        for decided in
            ["root_step", "cause", "transience", "evidence_status", "confidence", "recommendations"]
        {
            assert_eq!(with[decided], alone[decided], "{}: {decided}", case.name);
        }
    }
    if alone["root_step"].is_null() {
        return;
    }
    let text = with["explanation"].as_str().unwrap_or_default();
    assert!(text.contains("[e:"), "{}: {text}", case.name);
    let root = with["root_step"].as_str().unwrap_or_default();
    assert!(text.contains(root), "{}: it never comes to `{root}`: {text}", case.name);
}
