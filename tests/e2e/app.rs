//! The real binary as a server on a free port, with a data directory of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take before a test gives up; generous, because two cores serve every test.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: Option<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    /// Holds `data/` and `server.log`.
    pub(crate) home: tempfile::TempDir,
    child: Child,
    options: Options,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let child = spawn(home.path(), &options);
        // The workspace builds reqwest without a TLS provider of its own; a second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        let mut app = Self { url: String::new(), http, home, child, options };
        app.url = app.wait_for_address().await;
        app
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("server.log")).unwrap_or_default()
    }

    /// `kill -9`: nothing of the process gets a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the server is ours to kill");
        self.child.wait().expect("the server is our child");
    }

    /// Starts again over the same data, with more in its environment.
    pub(crate) async fn restart_with(&mut self, env: &[(&str, &str)]) {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.options.env.extend(env);
        self.restart().await;
    }

    /// Starts again over the same data.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(self.home.path(), &self.options);
        self.url = self.wait_for_address().await;
    }

    async fn wait_for_address(&mut self) -> String {
        let pid = self.child.id();
        let lock = self.data().join("noetl.lock");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = std::fs::read_to_string(&lock).unwrap_or_default();
            let field = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let (true, Some(url)) = (field("pid ") == Some(&pid.to_string()), field("address ")) {
                return url.trim_end_matches('/').to_owned();
            }
            if let Some(status) = self.child.try_wait().expect("the server is our child") {
                panic!("the server ended with {status} before it served:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "the server did not say where it serves:\n{}", self.log());
            pause().await;
        }
    }

    /// Status and body of one request; a body that is no JSON comes as text.
    pub(crate) async fn ask(&self, method_and_path: &str, body: Option<&Value>) -> (u16, Value) {
        let (method, path) = method_and_path.split_once(' ').expect("METHOD /path");
        let mut request = self.http.request(method.parse().expect("a method"), format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{method_and_path}: {error:?}\n{}", self.log()));
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The body of a request that must succeed.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(&format!("GET {path}"), None).await;
        assert!(status < 300, "GET {path}: {status} {body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(&format!("POST {path}"), Some(body)).await;
        assert!(status < 300, "POST {path}: {status} {answer}");
        answer
    }

    /// Registers a playbook and returns its catalog path.
    pub(crate) async fn register(&self, text: &str) -> Result<String, String> {
        let body = json!({"content": text, "resource_type": "Playbook"});
        let (status, answer) = self.ask("POST /api/catalog/register", Some(&body)).await;
        match answer["path"].as_str() {
            Some(path) if status < 300 => Ok(path.to_owned()),
            _ => Err(format!("register: {status} {answer}")),
        }
    }

    /// Starts an execution of a registered playbook and returns its id.
    pub(crate) async fn execute(&self, path: &str, payload: &Value) -> Result<String, String> {
        let (status, answer) =
            self.ask("POST /api/execute", Some(&json!({"path": path, "payload": payload}))).await;
        answer["execution_id"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("execute: {status} {answer}"))
    }

    /// Registers and starts.
    pub(crate) async fn run(&self, text: &str, payload: &Value) -> String {
        let path = self.register(text).await.expect("a valid playbook");
        self.execute(&path, payload).await.expect("an execution")
    }

    pub(crate) async fn status(&self, id: &str) -> Value {
        self.get(&format!("/api/executions/{id}/status")).await
    }

    /// The status document once the execution has ended.
    pub(crate) async fn ended(&self, id: &str) -> Result<Value, String> {
        // The feed ends with the execution; a type that comes once keeps the wait small.
        self.follow(id, "&event_type=playbook.completed", |status| status["status"] != "RUNNING").await
    }

    /// The first status document that satisfies a condition.
    pub(crate) async fn until(&self, id: &str, condition: impl Fn(&Value) -> bool) -> Result<Value, String> {
        self.follow(id, "", condition).await
    }

    /// Looks at the status whenever the feed of the execution says that something happened.
    async fn follow(
        &self,
        id: &str,
        filter: &str,
        condition: impl Fn(&Value) -> bool,
    ) -> Result<Value, String> {
        let waiting = async {
            loop {
                let feed = format!("{}/api/feed?execution_id={id}{filter}", self.url);
                // Before the first look, so that nothing happens unseen between the two.
                let mut feed = self.http.get(feed).send().await.expect("the feed");
                loop {
                    let status = self.status(id).await;
                    if condition(&status) {
                        return status;
                    }
                    if !matches!(feed.chunk().await, Ok(Some(_))) {
                        break;
                    }
                }
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(status) => Ok(status),
            Err(_) => Err(format!("still waiting after {PATIENCE:?}: {}", self.status(id).await)),
        }
    }

    /// The whole log, page by page.
    pub(crate) async fn events(&self, id: &str) -> Vec<Value> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let page = self.get(&format!("/api/executions/{id}/events?after={after}&limit=1000")).await;
            let found = page["events"].as_array().cloned().unwrap_or_default();
            let Some(last) = found.last().and_then(|event| event["seq"].as_u64()) else { return events };
            after = last;
            events.extend(found);
        }
    }

    /// A value as the playbook's own templates see it.
    pub(crate) async fn render(&self, id: &str, expression: &str) -> Value {
        let template = format!("{{{{ {expression} }}}}");
        let body = json!({"execution_id": id, "template": template, "strict": false});
        let (status, answer) = self.ask("POST /api/context/render", Some(&body)).await;
        if status < 300 { answer["rendered"].clone() } else { json!({"render failed": answer}) }
    }

    pub(crate) async fn credential(&self, body: &Value) {
        self.post("/api/credentials", body).await;
    }

    /// One `noetl` command against this server.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Cli {
        let output = Command::new(binary())
            .args(arguments)
            .args(["--server-url", &self.url])
            .env("NOETL_DATA_DIR", self.data())
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs");
        Cli::of(&output)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // A server that was killed already has been waited for; both errors mean that there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_noetl"))
}

fn spawn(home: &Path, options: &Options) -> Child {
    let log = File::options().create(true).append(true).open(home.join("server.log")).expect("a log file");
    let errors = log.try_clone().expect("a second handle");
    // A laboratory may examine another binary than the one of this build.
    let other = std::env::var_os("NOETL_LAB_BINARY").map(PathBuf::from);
    let mut command = Command::new(other.as_deref().unwrap_or(binary()));
    command
        .args(["up", "--port", "0", "--data"])
        .arg(home.join("data"))
        .envs(options.env.iter().map(|(name, value)| (name, value)))
        .env("TZ", "UTC")
        .current_dir(options.cwd.as_deref().unwrap_or(home))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    command.spawn().expect("the binary starts")
}

/// What a `noetl` command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Cli {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Cli {
    pub(crate) fn of(output: &std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Everything it printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// A breath between two looks at a condition.
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(15)).await;
}
