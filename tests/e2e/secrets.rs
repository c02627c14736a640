//! Secrets planted everywhere show nowhere: not in events, logs, results, errors, answers or files.

use noetl_test_service::Service;
use serde_json::{Value, json};

use crate::app::{App, Options};
use crate::{indexed, place};

const CREDENTIAL: &str = "planted-credential-8f3a91";
const PASSWORD: &str = "planted-password-77c2e0";
const ENVIRONMENT: &str = "planted-environment-b1d4f6";

const PLAYBOOK: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: leaky, path: tests/secrets/leaky }
workload: { api_url: "", fail: false }
keychain:
  - { name: kept, kind: credential, auth: planted_token }
workflow:
  - step: start
    next: { arcs: [ { step: fetch } ] }
  - step: fetch
    tool: { kind: secrets, provider: env, name: NOETL_TEST_PLANTED }
    next: { arcs: [ { step: printed } ] }
  - step: printed
    auth: { planted: { source: credential, type: bearer, key: planted_token } }
    tool:
      kind: python
      auth: { planted: { source: credential, type: bearer, key: planted_token } }
      input: { token: "{{ keychain.kept.token }}", other: "{{ fetch.secret_value }}", note: "token is {{ auth.planted.token }}" }
      code: |
        import sys
        print("stdout", token, other, note)
        print("stderr", token, other, file=sys.stderr)
        result = {"echo": token, "deep": [{"note": note}], "plain": other, "length": len(token), "joined": f"a{token}b"}
    next: { arcs: [ { step: asked } ] }
  - step: asked
    tool: { kind: http, method: POST, url: "{{ api_url }}/post", auth: planted_token, json: { secret: "{{ keychain.kept.token }}" }, headers: { X-Mine: "{{ fetch.value }}" } }
    next: { arcs: [ { step: failing, when: "{{ fail }}" }, { step: end } ] }
  - step: failing
    tool: { kind: python, input: { token: "{{ keychain.kept.token }}" }, code: "raise ValueError(f'cannot use {token} here')" }
    next: { arcs: [ { step: end } ] }
  - step: end
"#;

const BAD_DATABASE: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: bad_database, path: tests/secrets/bad_database }
workflow:
  - step: start
    tool: { kind: postgres, auth: planted_database, command: "SELECT 1" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planted_secrets_show_nowhere() {
    let service = Service::start().await.unwrap();
    let env = vec![("NOETL_TEST_PLANTED".to_owned(), ENVIRONMENT.to_owned())];
    let app = App::start_with(Options { env, cwd: None }).await;
    app.credential(&json!({"name": "planted_token", "type": "bearer", "data": {"token": CREDENTIAL}})).await;
    let database = json!({"db_host": "127.0.0.1", "db_port": 1, "db_user": "ada", "db_password": PASSWORD, "db_name": "x"});
    app.credential(&json!({"name": "planted_database", "type": "postgres", "data": database})).await;

    let mut answers: Vec<(String, Value)> = Vec::new();
    let mut ids = Vec::new();
    for (text, payload, expected) in [
        (PLAYBOOK, json!({"api_url": service.url}), "COMPLETED"),
        (PLAYBOOK, json!({"api_url": service.url, "fail": true}), "FAILED"),
        (BAD_DATABASE, json!({}), "FAILED"),
    ] {
        let id = app.run(text, &payload).await;
        let status = app.ended(&id).await.unwrap();
        assert_eq!(status["status"], expected, "{status}");
        ids.push(id);
    }
    // The secrets did reach the tools: otherwise the rest proves nothing.
    assert_eq!(app.render(&ids[0], "printed.length").await, json!(CREDENTIAL.len()));
    let logs = app.get(&format!("/api/executions/{}/logs", ids[0])).await.to_string();
    assert!(logs.contains("stdout") && logs.contains("[REDACTED]"), "{logs}");

    for id in &ids {
        for path in ["", "/status", "/events?limit=5000", "/logs"] {
            let path = format!("/api/executions/{id}{path}");
            answers.push((path.clone(), app.get(&path).await));
        }
        for expression in ["printed", "asked", "fetch"] {
            answers.push((format!("render {expression}"), app.render(id, expression).await));
        }
    }
    for path in ["/api/executions", "/api/credentials", "/api/credentials/planted_token", "/metrics"] {
        answers.push((path.to_owned(), app.get(path).await));
    }
    for arguments in
        [vec!["events", &ids[1]], vec!["logs", &ids[1]], vec!["status", &ids[1]], vec!["credential", "list"]]
    {
        let printed = app.cli(&arguments);
        answers.push((format!("noetl {}", arguments.join(" ")), json!(printed.all())));
    }
    if indexed::library().is_some() {
        // Before the files are looked through, so that the index is among them.
        indexed::caught_up(&app).await;
        let index = indexed::everything(&app).await;
        let texts = json!(index.iter().map(|(_, rows)| rows).collect::<Vec<_>>()).to_string();
        assert!(
            texts.contains("cannot use [REDACTED] here"),
            "the error has been indexed, and masked: {texts}"
        );
        answers.extend(index);
    }
    answers.push(("the server's log".to_owned(), json!(app.log())));
    let mut shown = Vec::new();
    for secret in [CREDENTIAL, PASSWORD, ENVIRONMENT] {
        let places = answers.iter().filter(|(_, answer)| answer.to_string().contains(secret));
        shown.extend(places.map(|(place, _)| format!("{secret} in {place}")));
        // The vault keeps its data encrypted, so not even its file may hold the text.
        shown.extend(
            place::files_with(app.home.path(), secret)
                .iter()
                .map(|path| format!("{secret} in {}", path.display())),
        );
    }
    assert!(shown.is_empty(), "secrets show:\n{}", shown.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_survives_a_restart_and_its_key_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut app = App::start().await;
    app.credential(&json!({"name": "kept", "type": "bearer", "data": {"token": CREDENTIAL}})).await;
    app.kill();
    app.restart().await;
    let service = Service::start().await.unwrap();
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: v, path: tests/secrets/v }\nworkload: { api_url: '' }\nworkflow:\n  - step: start\n    tool: { kind: http, url: \"{{ api_url }}/bearer\", auth: kept }\n";
    let id = app.run(text, &json!({"api_url": service.url})).await;
    let status = app.ended(&id).await.unwrap();
    assert_eq!(status["status"], "COMPLETED", "{status}");
    let keys: Vec<_> = std::fs::read_dir(app.data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("key"))
        .collect();
    assert!(!keys.is_empty(), "there is a key file");
    for key in keys {
        assert_eq!(
            key.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{} is open to others",
            key.display()
        );
    }
}
