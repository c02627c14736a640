//! Every example that a newcomer finds runs, and says what its first lines promise.

use std::process::{Command, Stdio};

use noetl_test_service::Service;
use serde_json::Value;

use crate::app::{Cli, binary};
use crate::place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_keeps_its_promise() {
    let service = Service::start().await.unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in place::playbook_files(&place::root().join("examples")) {
        let text = place::read(&path);
        // Parts of other examples promise nothing of their own.
        let Some(promise) = text.lines().find_map(|line| line.strip_prefix("# expect:")) else { continue };
        let (status, result) = promise.trim().split_once(' ').unwrap_or((promise.trim(), ""));
        count += 1;
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        for part in text.lines().filter_map(|line| line.strip_prefix("# needs:")) {
            let file = place::root().join("examples").join(part.trim());
            let registered =
                Command::new(binary()).arg("register").arg(file).env("NOETL_DATA_DIR", &data).output();
            let registered = Cli::of(&registered.expect("the binary runs"));
            assert_eq!(registered.code, Some(0), "{}", registered.all());
        }
        let mut command = Command::new(binary());
        command.arg("run").arg(&path).arg("--json").env("NOETL_DATA_DIR", &data);
        if text.contains("api_url:") {
            command.args(["--set", &format!("api_url={}", service.url)]);
        }
        let output = command.current_dir(home.path()).stdin(Stdio::null()).output().expect("the binary runs");
        let printed = Cli::of(&output);
        let expected = match status {
            "COMPLETED" => Some(0),
            "FAILED" => Some(1),
            _ => Some(3),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if printed.code != expected {
            wrong.push(format!("{name}: exit {:?}\n{}", printed.code, printed.all()));
            continue;
        }
        let answer: Value = serde_json::from_str(&printed.stdout).unwrap_or_default();
        let promised: Option<Value> = serde_json::from_str(result).ok();
        if let Some(promised) = promised.filter(|promised| answer["result"] != *promised) {
            wrong.push(format!("{name}: {} instead of {promised}\n{}", answer["result"], printed.all()));
        }
    }
    assert!(count >= 12, "there are only {count} examples");
    assert!(wrong.is_empty(), "{} of {count} examples are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
