//! Another process with an engine: this test binary, started again.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use noetl_engine_clickhouse::conformance::Target;
use noetl_engine_clickhouse::{Access, Engine, User};
use tokio::net::TcpListener;

use crate::config;

const DIRECTORY: &str = "NOETL_TEST_ENGINE_DIRECTORY";
const END: &str = "NOETL_TEST_ENGINE_END";

#[tokio::test]
#[ignore = "other tests run it, in a process of its own"]
async fn a_child_serves_until_its_input_ends() {
    let (directory, end) = (std::env::var(DIRECTORY).unwrap(), std::env::var(END).unwrap());
    let engine = Engine::open(&config(Path::new(&directory)).unwrap()).unwrap();
    let front = engine.serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), Access::random()).unwrap();
    println!("\nREADY {} {} {}", front.url(), front.access.owner.name, front.access.owner.key);
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
    match end.as_str() {
        "drop" => drop(front),
        "exit" => std::process::exit(0),
        _ => front.close().await,
    }
}

/// The other process; it does not outlive its test.
pub(crate) struct Other(Child);

impl Other {
    /// `kill -9`
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Ends its input, and waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        drop(self.0.stdin.take());
        self.0.wait().unwrap()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It has ended, as a rule.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn start(directory: &Path, end: &str) -> (Other, Target) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::a_child_serves_until_its_input_ends", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(END, end)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.find_map(|line| line.unwrap().strip_prefix("READY ").map(str::to_owned)).unwrap();
    // The child must not meet a closed pipe when it goes on writing.
    std::thread::spawn(move || lines.for_each(drop));
    let [url, name, key] = ready.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let user = User { name: name.to_owned(), key: key.to_owned() };
    (Other(child), Target { url: url.to_owned(), user })
}
