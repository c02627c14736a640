//! The OAuth2 keychain over the real binary: who shares a token, when it is renewed, and what a refusal looks like.

use noetl_test_service::{CLIENT, Service};
use serde_json::{Value, json};

use crate::app::App;

/// Two steps that ask who they are; `ENTRY` and `MORE` are filled in.
const PLAYBOOK: &str = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: NAME, path: tests/tokens/NAME }
workload: { api: "" }
keychain:
  - { name: service, kind: oauth2, endpoint: "{{ workload.api }}/oauth/token?QUERY", data: { grant_type: client_credentials }, ENTRY }
workflow:
  - step: start
    tool: { kind: http, url: "{{ api }}/whoami", headers: { Authorization: "Bearer {{ keychain.service.FIELD }}" } }
    next: { arcs: [ { step: again } ] }
  - step: again
    tool: { kind: http, url: "{{ api }}/whoami", auth: service }
MORE
"#;

struct Case {
    name: &'static str,
    query: &'static str,
    entry: &'static str,
    field: &'static str,
    /// The numbers of the tokens of the first execution's two steps, then of the second's.
    expected: [u64; 4],
}

fn text(name: &str, case: &Case, more: &str) -> String {
    PLAYBOOK
        .replace("NAME", name)
        .replace("QUERY", case.query)
        .replace("ENTRY", case.entry)
        .replace("FIELD", case.field)
        .replace("MORE", more)
}

async fn app(service: &Service) -> App {
    let app = App::start().await;
    let client = json!({"client_id": CLIENT.0, "client_secret": CLIENT.1});
    app.credential(&json!({"name": "client", "type": "oauth_client", "data": client})).await;
    app.credential(
        &json!({"name": "stranger", "type": "basic", "data": {"username": "who", "password": "not-known-1"}}),
    )
    .await;
    assert!(service.tokens().is_empty());
    app
}

async fn completed(app: &App, path: &str, service: &Service) -> String {
    let id = app.execute(path, &json!({"api": service.url})).await.expect("an execution");
    let status = app.ended(&id).await.expect("an end");
    assert_eq!(status["status"], "COMPLETED", "{path}: {status}");
    id
}

async fn number(app: &App, id: &str, step: &str) -> Value {
    app.render(id, &format!("{step}.data.number")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scopes_say_who_shares_a_token_and_its_life_says_how_long() {
    let cases = [
        Case {
            name: "local",
            query: "",
            entry: "scope: local, auth: client",
            field: "access_token",
            expected: [0, 0, 1, 1],
        },
        Case { name: "unsaid", query: "", entry: "auth: client", field: "token", expected: [0, 0, 1, 1] },
        Case {
            name: "global",
            query: "",
            entry: "scope: global, auth: client",
            field: "token",
            expected: [0, 0, 0, 0],
        },
        Case {
            name: "catalog",
            query: "",
            entry: "scope: catalog, auth: client",
            field: "token",
            expected: [0, 0, 0, 0],
        },
        Case {
            name: "fields",
            query: "token_field=key&ttl_field=life",
            entry: "scope: global, auth: client, token_field: key, ttl_field: life",
            field: "key",
            expected: [0, 0, 0, 0],
        },
        Case {
            name: "ended",
            query: "life=0",
            entry: "scope: global, auth: client",
            field: "token",
            expected: [0, 1, 2, 3],
        },
        Case {
            name: "own_ttl",
            query: "ttl_field=unread",
            entry: "scope: global, auth: client, ttl: 0",
            field: "token",
            expected: [0, 1, 2, 3],
        },
        Case {
            name: "unrenewed",
            query: "life=0",
            entry: "scope: global, auth: client, auto_renew: false",
            field: "token",
            expected: [0, 0, 1, 1],
        },
    ];
    let service = Service::start().await.unwrap();
    let app = app(&service).await;
    let mut given = 0;
    for case in &cases {
        let path = app.register(&text(case.name, case, "")).await.unwrap();
        let mut numbers = Vec::new();
        for _ in 0..2 {
            let id = completed(&app, &path, &service).await;
            numbers.extend([number(&app, &id, "start").await, number(&app, &id, "again").await]);
        }
        let expected: Vec<Value> = case.expected.iter().map(|number| json!(given + number)).collect();
        assert_eq!(numbers, expected, "{}", case.name);
        given = service.tokens().len() as u64;
    }
    for token in service.tokens() {
        assert!(!app.log().contains(&token));
        assert_eq!(crate::place::files_with(app.home.path(), &token), Vec::<std::path::PathBuf>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_token_serves_an_execution_and_its_descendants() {
    let service = Service::start().await.unwrap();
    let app = app(&service).await;
    let case =
        Case { name: "", query: "", entry: "scope: shared, auth: client", field: "token", expected: [0; 4] };
    let calling = |child: &str| {
        format!(
            "    next: {{ arcs: [ {{ step: below }} ] }}
  - step: below
    tool: {{ kind: playbook, path: tests/tokens/{child}, input: {{ api: \"{{{{ api }}}}\" }}, return_result: true }}
"
        )
    };
    app.register(&text("grandchild", &case, "")).await.unwrap();
    app.register(&text("child", &case, &calling("grandchild"))).await.unwrap();
    let path = app.register(&text("parent", &case, &calling("child"))).await.unwrap();
    for round in 0..2 {
        let id = completed(&app, &path, &service).await;
        assert_eq!(number(&app, &id, "again").await, json!(round));
        assert_eq!(service.tokens().len(), round + 1, "one token for three executions");
    }
    assert_eq!(service.count("GET /whoami"), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_cannot_be_had_fails_the_execution_with_a_code() {
    let service = Service::start().await.unwrap();
    let app = app(&service).await;
    let cases = [
        ("refused", "scope: local, auth: stranger", "CR006", "the client is not known"),
        ("nobody", "scope: local, auth: nobody", "CR001", "nobody"),
        ("fieldless", "scope: local, auth: client, token_field: other", "CR004", "no other"),
        (
            "absent",
            "scope: local, auth: client, endpoint: 'http://127.0.0.1:9/token'",
            "TL008",
            "127.0.0.1:9",
        ),
    ];
    for (name, entry, code, words) in cases {
        let case = Case { name, query: "", entry, field: "token", expected: [0; 4] };
        let mut text = text(name, &case, "");
        if name == "absent" {
            text = text.replace("endpoint: \"{{ workload.api }}/oauth/token?\", ", "");
        }
        let path = app.register(&text).await.unwrap();
        let id = app.execute(&path, &json!({"api": service.url})).await.unwrap();
        let status = app.ended(&id).await.unwrap();
        assert_eq!(
            (&status["status"], &status["error"]["code"]),
            (&json!("FAILED"), &json!(code)),
            "{name}: {status}"
        );
        let message = status["error"]["message"].as_str().unwrap();
        assert!(message.contains("\"service\"") && message.contains(words), "{name}: {message}");
    }
    assert_eq!(service.count("GET /whoami"), 0);
}
