//! The rough edges that newcomers met in earlier engines, one test each.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::app::{App, Cli, binary};

/// `noetl` without a server, with a data directory of its own.
fn noetl(home: &Path, arguments: &[&str]) -> Cli {
    let output = Command::new(binary())
        .args(arguments)
        .current_dir(home)
        .env("NOETL_DATA_DIR", home.join("data"))
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    Cli::of(&output)
}

fn write(home: &Path, name: &str, steps: &str) -> String {
    let path = home.join(name);
    let text = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: n, path: tests/newcomer/n }}\nworkload: {{ count: 3 }}\nworkflow:\n{steps}"
    );
    std::fs::write(&path, text).expect("a file");
    path.to_string_lossy().into_owned()
}

#[test]
fn the_local_mode_prints_its_result_and_exits_by_it() {
    let home = tempfile::tempdir().unwrap();
    let good = write(
        home.path(),
        "good.yaml",
        "  - step: start\n    tool: { kind: python, code: \"result = {'greeting': 'hello there'}\" }\n",
    );
    let printed = noetl(home.path(), &["run", &good]);
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    assert!(printed.stdout.contains("hello there"), "{}", printed.all());

    let bad = write(
        home.path(),
        "bad.yaml",
        "  - step: start\n    tool: { kind: python, code: \"raise ValueError('it broke')\" }\n",
    );
    let printed = noetl(home.path(), &["run", &bad]);
    assert_eq!(printed.code, Some(1), "{}", printed.all());
    assert!(printed.all().contains("it broke") && printed.all().contains("start"), "{}", printed.all());
}

#[test]
fn an_unknown_tool_is_refused_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let file = write(
        home.path(),
        "unknown.yaml",
        "  - step: start\n    tool: { kind: shell, command: \"touch ran\" }\n    next: { arcs: [ { step: b } ] }\n  - step: b\n    tool: { kind: shel, command: x }\n",
    );
    let printed = noetl(home.path(), &["run", &file]);
    assert_eq!(printed.code, Some(2), "{}", printed.all());
    assert!(printed.all().contains("PB104") && printed.all().contains("shell"), "{}", printed.all());
    assert!(!home.path().join("ran").exists(), "nothing ran");
}

#[test]
fn a_loop_loops_locally() {
    let home = tempfile::tempdir().unwrap();
    let file = write(
        home.path(),
        "loop.yaml",
        "  - step: start\n    loop: { in: \"{{ count }}\", iterator: n }\n    tool: { kind: shell, command: \"echo {{ iter.n }} >> seen\", cwd: \".\" }\n",
    );
    let printed = noetl(home.path(), &["run", &file, "--set", "count=4"]);
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    assert_eq!(std::fs::read_to_string(home.path().join("seen")).unwrap_or_default(), "0\n1\n2\n3\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_thousand_chained_steps_end() {
    let app = App::start().await;
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: chain, path: tests/newcomer/chain }\nworkflow:\n  \
        - step: start\n    set: { ctx.n: 0 }\n    next: { arcs: [ { step: turn } ] }\n  \
        - step: turn\n    tool: { kind: noop }\n    set: { ctx.n: \"{{ ctx.n + 1 }}\" }\n    next: { spec: { mode: exclusive }, arcs: [ { step: turn, when: \"{{ ctx.n < 12000 }}\" }, { step: end } ] }\n  \
        - step: end\n";
    let id = app.run(text, &json!({})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "COMPLETED", "{status}");
    assert_eq!(app.render(&id, "ctx.n").await, json!(12_000));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let home = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let printed = noetl(home.path(), &["executions", "--host", "127.0.0.1", "--port", &port.to_string()]);
    assert_ne!(printed.code, Some(0));
    assert!(
        printed.all().contains(&format!("127.0.0.1:{port}")) && printed.all().contains("noetl up"),
        "{}",
        printed.all()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_is_named() {
    let app = App::start().await;
    app.credential(&json!({"name": "gone", "type": "postgres", "data": {"db_host": "127.0.0.1", "db_port": 1, "db_user": "u", "db_password": "p", "db_name": "d"}})).await;
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: gone, path: tests/newcomer/gone }\nworkflow:\n  - step: start\n    tool: { kind: postgres, auth: gone, command: \"SELECT 1\" }\n";
    let id = app.run(text, &json!({})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "FAILED");
    let error = status["error"].to_string();
    assert!(error.contains("127.0.0.1") && error.contains('1'), "the error names the host: {error}");
}

#[test]
fn the_store_is_made_without_a_running_server() {
    let home = tempfile::tempdir().unwrap();
    for verb in ["init", "validate", "init"] {
        let printed = noetl(home.path(), &["db", verb]);
        assert_eq!(printed.code, Some(0), "db {verb}: {}", printed.all());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_playbook_is_refused_when_it_is_registered_not_when_it_runs() {
    let app = App::start().await;
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: bad, path: tests/newcomer/bad }\nworkflow:\n  - step: start\n    next: { arcs: [ { step: nowhere } ] }\n";
    let body = json!({"content": text, "resource_type": "Playbook"});
    let (status, answer) = app.ask("POST /api/catalog/register", Some(&body)).await;
    assert!((400..500).contains(&status), "{status} {answer}");
    assert!(answer.to_string().contains("PB101") && answer.to_string().contains("nowhere"), "{answer}");
    assert!(app.execute("tests/newcomer/bad", &json!({})).await.is_err(), "nothing was registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_a_tool_reaches_the_user_everywhere() {
    let app = App::start().await;
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: e, path: tests/newcomer/e }\nworkflow:\n  - step: start\n    tool: { kind: python, code: \"import nonexistent_module_xyz\" }\n";
    let id = app.run(text, &json!({})).await;
    let status = app.ended(&id).await.unwrap();
    let events = json!(app.events(&id).await).to_string();
    let printed = app.cli(&["status", &id]).all();
    for (place, text) in [("status", status.to_string()), ("events", events), ("noetl status", printed)] {
        assert!(text.contains("nonexistent_module_xyz"), "{place}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_listens_on_loopback_only() {
    let app = App::start().await;
    assert!(app.url.starts_with("http://127.0.0.1:"), "{}", app.url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_always_kills_its_interpreter_is_given_up() {
    let app = App::start().await;
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: poison, path: tests/newcomer/poison }\nworkflow:\n  - step: start\n    tool: { kind: python, code: \"import os\\nos._exit(9)\" }\n";
    let id = app.run(text, &json!({})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "FAILED", "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_whose_pool_has_no_worker_waits_says_so_and_starts_when_one_comes() {
    let mut app = App::start().await;
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: pool, path: tests/newcomer/pool }\nworkflow:\n  - step: start\n    pool: gpu\n    tool: { kind: shell, command: \"echo it ran\" }\n";
    let id = app.run(text, &json!({})).await;
    let waits = app.until(&id, |status| !status["unserved"].is_null()).await.unwrap();
    assert_eq!(waits["status"], "RUNNING", "{waits}");
    let unserved = &waits["unserved"][0];
    assert_eq!(unserved["pool"], "gpu");
    assert_eq!((&unserved["code"], &unserved["steps"]), (&json!("EX010"), &json!(["start"])));
    assert_eq!(unserved["message"], "step start waits for a worker of pool gpu, and there is none");
    for command in [["status", &id], ["events", &id]] {
        let printed = app.cli(&command).all();
        assert!(printed.contains("waiting[EX010]: step start waits for a worker of pool gpu"), "{printed}");
        assert!(printed.contains("hint: ") && printed.contains("NOETL_WORKER_POOL_NAME=gpu"), "{printed}");
    }

    app.kill();
    app.restart_with(&[("NOETL_WORKER_POOL_NAME", "gpu")]).await;
    let ended = app.ended(&id).await.unwrap();
    assert_eq!(ended["status"], "COMPLETED", "{ended}");
    assert_eq!(ended["unserved"], serde_json::Value::Null);
}

#[test]
fn a_run_that_waits_for_a_pool_says_so_once_and_can_be_left() {
    let home = tempfile::tempdir().unwrap();
    let file = write(
        home.path(),
        "pool.yaml",
        "  - step: start\n    pool: nobody\n    tool: { kind: shell, command: \"true\" }\n",
    );
    let mut child = Command::new(binary())
        .args(["run", &file])
        .env("NOETL_DATA_DIR", home.path().join("data"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let told = lines.next().expect("it says what it waits for");
    assert!(told.starts_with("waiting[EX010]: ") && told.contains("pool nobody"), "{told}");
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill runs").success());
    let rest: Vec<String> = lines.collect();
    assert!(!rest.iter().any(|line| line.contains("EX010")), "once is enough: {rest:?}");
    assert_eq!(child.wait().expect("it ends").code(), Some(3), "{rest:?}");
}

#[test]
fn a_step_that_is_tried_again_says_so_while_it_waits_and_afterwards() {
    let home = tempfile::tempdir().unwrap();
    let file = write(
        home.path(),
        "again.yaml",
        "  - step: start\n    tool: { kind: shell, command: \"test -e ready || { touch ready; exit 7; }\", cwd: \".\" }\n    retry: { max_attempts: 3, initial_delay: 0.01, jitter: false }\n",
    );
    let printed = noetl(home.path(), &["run", &file]);
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    assert!(printed.stderr.contains("1 retry"), "{}", printed.all());
    let printed = noetl(home.path(), &["logs", "last"]);
    assert!(
        printed.stdout.contains("try 1 failed") && printed.stdout.contains("again in 0.01 s"),
        "{}",
        printed.all()
    );
    let status: serde_json::Value =
        serde_json::from_str(&noetl(home.path(), &["status", "last", "--json"]).stdout).expect("a document");
    assert_eq!(status["steps"][0]["retries"], 1, "{status}");
}

#[test]
fn nobody_who_reads_is_no_failure() {
    let home = tempfile::tempdir().unwrap();
    let file = write(
        home.path(),
        "fine.yaml",
        "  - step: start\n    tool: { kind: shell, command: \"echo fine\" }\n",
    );
    for arguments in [vec!["run", &file], vec!["completions", "zsh"], vec!["explain"]] {
        for (out, err) in [("/dev/full", "/dev/null"), ("/dev/null", "/dev/full")] {
            let end = |name: &str| std::fs::File::options().write(true).open(name).expect("a device");
            let status = Command::new(binary())
                .args(&arguments)
                .env("NOETL_DATA_DIR", home.path().join("data"))
                .stdout(end(out))
                .stderr(end(err))
                .status()
                .expect("the binary runs");
            assert_eq!(status.code(), Some(i32::from(out == "/dev/full")), "{arguments:?} > {out} 2> {err}");
        }
    }
    let mut child = Command::new(binary())
        .args(["run", &file])
        .env("NOETL_DATA_DIR", home.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "`noetl run FILE 2>&1 | head -0`");
}
