//! Hostile input over HTTP and the command line ends in a clear error, never in a crash or a hang.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::{App, Cli, binary};

/// Texts that try to exhaust or confuse a reader of playbooks.
fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let bomb: String = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        format!("{text}a{n}: &a{n} [*a{m}, *a{m}, *a{m}, *a{m}]\n", m = n - 1)
    });
    let header = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: x }\nworkflow:\n";
    vec![
        ("a bomb of aliases", bomb.into_bytes()),
        ("deep lists", [b"a: ".to_vec(), vec![b'['; 200_000]].concat()),
        ("deep closed lists", format!("a: {}{}", "[".repeat(50_000), "]".repeat(50_000)).into_bytes()),
        ("deep maps", (0..5_000).map(|n| " ".repeat(n) + "k:\n").collect::<Vec<_>>().concat().into_bytes()),
        ("bytes that are no text", b"kind: Playbook\nname: \xff\xfe\xc3\x28\n".to_vec()),
        ("zero bytes", vec![0; 10_000]),
        ("an endless line", [b"kind: ".to_vec(), vec![b'x'; 6_000_000]].concat()),
        ("many steps with one name", format!("{header}{}", "  - step: a\n".repeat(20_000)).into_bytes()),
        (
            "many arcs to nowhere",
            (0..20_000)
                .map(|n| format!("  - {{ step: s{n}, next: [ {{ step: t{n} }} ] }}\n"))
                .fold(header.to_owned(), |text, step| text + &step)
                .into_bytes(),
        ),
        (
            "many templates that do not parse",
            (0..20_000)
                .map(|n| format!("      k{n}: \"{{{{ n{n} | }}}}\"\n"))
                .fold(format!("{header}  - step: a\n    tool:\n      kind: noop\n"), |text, field| {
                    text + &field
                })
                .into_bytes(),
        ),
        (
            "many tasks of one name",
            format!("{header}  - step: a\n    tool:\n{}", "      - { name: t, kind: noop }\n".repeat(5_000))
                .into_bytes(),
        ),
        (
            "a deep template",
            format!(
                "{header}  - step: start\n    tool: {{ kind: noop, result: \"{{{{ {}1{} }}}}\" }}\n",
                "(".repeat(20_000),
                ")".repeat(20_000)
            )
            .into_bytes(),
        ),
        ("a self-referring anchor", b"a: &a [*a]\n".to_vec()),
        ("nothing", Vec::new()),
        ("a merge of itself", b"a: &a\n  <<: *a\n  b: 1\n".to_vec()),
        ("a tag bomb", "!!a ".repeat(100_000).into_bytes()),
        ("tabs and colons", "\t:\t: :: :\n".repeat(10_000).into_bytes()),
    ]
}

fn lint(file: &Path) -> Cli {
    let output =
        Command::new(binary()).arg("lint").arg(file).stdin(Stdio::null()).output().expect("the binary runs");
    Cli::of(&output)
}

#[test]
fn lint_refuses_hostile_files_with_a_code() {
    let home = tempfile::tempdir().unwrap();
    for (name, bytes) in texts() {
        let file = home.path().join("playbook.yaml");
        std::fs::write(&file, &bytes).unwrap();
        let before = Instant::now();
        let found = lint(&file);
        assert!(
            found.code.is_some_and(|code| code == 1 || code == 2),
            "{name}: {:?} {}",
            found.code,
            cut(&found.all())
        );
        assert!(
            found.all().contains("PB") || found.all().contains("TP"),
            "{name}: no Code in {}",
            cut(&found.all())
        );
        assert!(!found.all().contains("panicked"), "{name}: {}", cut(&found.all()));
        assert!(found.all().len() < 2_000_000, "{name}: an answer of {} bytes", found.all().len());
        assert!(before.elapsed() < Duration::from_secs(30), "{name} took {:?}", before.elapsed());
    }
}

fn cut(text: &str) -> String {
    text.chars().take(600).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_refuses_hostile_playbooks_and_lives() {
    let app = App::start().await;
    for (name, bytes) in texts() {
        let text = String::from_utf8_lossy(&bytes);
        let body = json!({"content": text, "resource_type": "Playbook"});
        let (status, answer) = app.ask("POST /api/catalog/register", Some(&body)).await;
        assert!((400..500).contains(&status), "{name}: {status} {}", cut(&answer.to_string()));
        assert!(
            answer["code"].is_string() || status == 413,
            "{name}: no Code in {}",
            cut(&answer.to_string())
        );
    }
    assert_eq!(app.get("/health").await["status"], "ok");
    let listed = app.post("/api/catalog/list", &json!({"resource_type": "Playbook"})).await;
    assert_eq!(listed["entries"].as_array().map(Vec::len), Some(0), "nothing of it was registered: {listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_get_one_shape_of_error() {
    let app = App::start().await;
    let long = "x".repeat(20_000);
    let requests: Vec<(String, Option<Value>, u16)> = vec![
        ("POST /api/execute".to_owned(), Some(json!({"path": "no/such/playbook"})), 404),
        ("POST /api/execute".to_owned(), Some(json!([1, 2])), 422),
        ("POST /api/execute".to_owned(), Some(json!({})), 422),
        ("GET /api/executions/1234".to_owned(), None, 404),
        ("GET /api/executions/not-a-number".to_owned(), None, 422),
        ("GET /api/executions/99999999999999999999999".to_owned(), None, 422),
        (format!("GET /api/vars/{long}"), None, 422),
        ("GET /api/nowhere".to_owned(), None, 404),
        ("DELETE /api/execute".to_owned(), None, 405),
        (
            "POST /api/postgres/execute".to_owned(),
            Some(json!({"query": "SELECT 1", "connection_string": "postgres://x@127.0.0.1:1/x"})),
            403,
        ),
        (
            "POST /api/context/render".to_owned(),
            Some(json!({"template": "{% for i in range(100000000) %}{{ i }}{% endfor %}"})),
            422,
        ),
        ("POST /api/context/render".to_owned(), Some(json!({"template": "{{ 'x' * 10000000000 }}"})), 422),
    ];
    let mut wrong = Vec::new();
    for (request, body, expected) in requests {
        let (status, answer) = app.ask(&request, body.as_ref()).await;
        let near = status == expected || (expected == 422 && matches!(status, 400 | 404 | 413 | 414));
        let shaped = answer["code"].is_string() && answer["detail"].is_string();
        if !near || !shaped {
            wrong.push(format!(
                "{} -> {status} instead of {expected}: {}",
                cut(&request),
                cut(&answer.to_string())
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let raw = app.http.post(format!("{}/api/execute", app.url)).header("content-type", "application/json");
    let response = raw.body(vec![0xff, 0xfe, b'{']).send().await.unwrap();
    assert!(response.status().is_client_error());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let raw = app.http.post(format!("{}/api/execute", app.url)).header("content-type", "application/json");
    assert!(raw.body(deep).send().await.unwrap().status().is_client_error());
    assert_eq!(app.get("/health").await["status"], "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_work_fails_alone() {
    let app = App::start().await;
    let playbook = |tool: &str| {
        format!(
            "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: h, path: tests/hostile/h }}\nworkflow:\n  - step: start\n    tool: {tool}\n"
        )
    };
    let tools = [
        (
            "a template without end",
            "{ kind: noop, result: \"{% for i in range(1000000) %}{% for j in range(1000000) %}{{ i }}{% endfor %}{% endfor %}\" }",
        ),
        (
            "an answer that is no JSON",
            "{ kind: python, code: \"result = float('nan')\\nresult = {'x': object(), 'y': {1, 2}}\" }",
        ),
        ("code that exits", "{ kind: python, code: \"import os\\nos._exit(3)\" }"),
        (
            "code that kills itself",
            "{ kind: python, code: \"import os, signal\\nos.kill(os.getpid(), signal.SIGKILL)\" }",
        ),
        ("recursion without end", "{ kind: python, code: \"def f(): return f()\\nf()\" }"),
        ("a syntax error", "{ kind: python, code: \"def broken(:\" }"),
        (
            "output without end",
            "{ kind: python, code: \"import sys\\nfor i in range(200000): print('x' * 100)\" }",
        ),
        ("bytes as output", "{ kind: shell, command: \"head -c 3000000 /dev/urandom\" }"),
        (
            "stdout that is not ours",
            "{ kind: python, code: \"import os\\nos.write(1, b'{not a message}\\\\n')\\nresult = 1\" }",
        ),
    ];
    for (name, tool) in tools {
        let id = app.run(&playbook(tool), &json!({})).await;
        let status = app.ended(&id).await.unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert!(matches!(status["status"].as_str(), Some("FAILED" | "COMPLETED")), "{name}: {status}");
    }
    let id = app.run(&playbook("{ kind: python, code: \"result = 41 + 1\" }"), &json!({})).await;
    assert_eq!(app.ended(&id).await.unwrap()["result"], json!(42), "the server still works");
}
