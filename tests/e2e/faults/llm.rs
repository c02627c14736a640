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
use crate::app::{App, Options, pause};

/// Cases of different kinds: a misleading last error, a silent root, a foreign system, a credential, a sub-playbook.
const CASES: [&str; 5] = [
    "http_unauthenticated",
    "unseen_deep_null_in_a_list",
    "unseen_java_trace",
    "exam_oracle_table_behind_a_vague_ending",
    "unseen_api_key_in_a_json_problem",
];
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
    let env = vec![("NOETL_CONFIG".to_owned(), file.display().to_string())];
    let mut cases = case::all();
    cases.retain(|case| CASES.contains(&case.name.as_str()));
    assert_eq!(cases.len(), CASES.len(), "every case is there");
    let places = Places::open(&cases).await;
    let app = App::start_with(Options { env, ..Options::default() }).await;
    let patient = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
    let (mut written, mut answered) = (0, 0);
    for case in &cases {
        let id = super::brought_about(&app, &places, case).await.expect("the case comes about");
        let ask = async |query: &str| -> Value {
            let url = format!("{}/api/executions/{id}/diagnose{query}", app.url);
            patient.post(url).send().await.expect("an answer").json().await.expect("a document")
        };
        let alone = ask("?without_model=true").await;
        let began = Instant::now();
        let mut with = ask("").await;
        let took = began.elapsed();
        with["unresolved"] = json!(super::unresolved(&app, &with).await);
        let is_written = with["written_by"] == "qwen";
        written += usize::from(is_written);
        // What it wrote may not have held; that it wrote is what makes this a test.
        answered += usize::from(
            is_written || with["model_note"].as_str().is_some_and(|note| note.contains("sentences hold")),
        );
        eprintln!(
            "{}: {took:.0?}, by {}{}\n  rules: {}\n  shown: {}",
            case.name,
            with["written_by"],
            with["model_note"].as_str().map(|note| format!(" ({note})")).unwrap_or_default(),
            alone["explanation"],
            with["explanation"],
        );
        no_worse(case, &alone, &with);
    }
    eprintln!("{written} of {} explanations were the model's own, {answered} were written", cases.len());
    assert!(answered > 0, "the model never wrote anything");
}

/// What rules decided stays decided, and whatever is shown cites what is there.
fn no_worse(case: &Case, alone: &Value, with: &Value) {
    assert_eq!(alone["written_by"], "rules");
    for decided in ["root_step", "cause", "transience", "evidence_status", "confidence", "recommendations"] {
        assert_eq!(with[decided], alone[decided], "{}: {decided}", case.name);
    }
    assert_eq!(with["unresolved"], json!([]), "{}: citations lead somewhere", case.name);
    let text = with["explanation"].as_str().unwrap_or_default();
    assert!(text.contains("[e:"), "{}: {text}", case.name);
    let root = alone["root_step"].as_str().unwrap_or_default();
    assert!(text.contains(root), "{}: it never comes to `{root}`: {text}", case.name);
}
