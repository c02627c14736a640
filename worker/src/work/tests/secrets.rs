use noetl_test_service::Service;
use serde_json::{Value, json};

use super::harness::{Bench, error_of, value_of};

const TOKEN: &str = "tok-5f2e9c-quiet-river";

#[tokio::test]
async fn every_form_of_auth_reaches_the_request_and_nothing_shows_it() {
    let service = Service::start().await.unwrap();
    let vault = json!({
        "api": {"type": "bearer", "data": {"token": TOKEN}},
        "login": {"type": "basic", "data": {"username": "ada", "password": "l0vel4ce!"}},
        "key": {"type": "api_key", "data": {"value": TOKEN}},
        "pg": {"type": "postgres", "data": {"db_host": "db", "db_password": "x"}},
    });
    let head = format!("workload: {{ url: '{}', name: api, tok: '{TOKEN}' }}", service.url);
    let bench = Bench::with(&head, &vault);
    let cases = [
        ("auth: api", "bearer"),
        ("auth: '{{ workload.name }}'", "bearer"),
        ("auth: { type: bearer, credential: api }", "bearer"),
        ("auth: { type: bearer, key: api }", "bearer"),
        ("credential: api", "bearer"),
        (
            "auth: { db: { source: credential, type: postgres, key: pg }, web: { source: credential, type: bearer, key: api } }, use_auth: web",
            "bearer",
        ),
        ("credentials: { web: { key: api } }", "bearer"),
        ("auth: { type: bearer, inline: { token: '{{ tok }}' } }", "bearer"),
        ("auth: { type: bearer, env: PATH }", "bearer"),
        ("auth: { type: bearer, token: '{{ tok }}' }", "bearer"),
        ("headers: { Authorization: \"Bearer {{ token('api') }}\" }", "bearer"),
        (
            "headers: { Authorization: 'Bearer {{ auth.a.token }}' }, auth: { a: { type: header, name: X-Other, value: '{{ tok }}' } }",
            "headers",
        ),
        ("auth: login", "basic-auth/ada/l0vel4ce!"),
        (
            "auth: { type: basic, inline: { username: ada, password: 'l0vel4ce!' } }",
            "basic-auth/ada/l0vel4ce!",
        ),
        ("auth: { type: api_key, credential: key, header: X-Mine }", "headers"),
    ];
    for (auth, path) in cases {
        let report = bench
            .run(&format!("- step: s\n  tool: {{ kind: http, url: '{{{{ url }}}}/{path}', {auth} }}"))
            .await;
        let value = value_of(&report);
        let is_there = path == "headers" || value["data"]["authenticated"] == json!(true);
        assert!(is_there, "{auth}: {value}");
        assert!(
            !serde_json::to_string(&report).unwrap().contains(TOKEN) || auth.contains("tok }}"),
            "{auth}"
        );
    }
    let report = bench
        .run("- step: s\n  tool: { kind: http, url: '{{ url }}/headers', auth: { type: api_key, credential: key, header: X-Mine } }")
        .await;
    assert_eq!(value_of(&report)["data"]["headers"]["X-Mine"], "[REDACTED]");
    let report = bench.run("- step: s\n  tool: { kind: http, url: '{{ url }}/get', auth: nobody }").await;
    let (error, _) = error_of(&report);
    assert_eq!((error.kind.as_str(), error.code.as_deref()), ("auth", Some("CR001")));
}

#[tokio::test]
async fn the_keychain_fetches_a_token_once() {
    let service = Service::start().await.unwrap();
    let vault =
        json!({"client": {"type": "basic", "data": {"username": "id", "password": "s3cret-of-client"}}});
    let head = format!(
        "workload: {{ url: '{0}' }}
keychain:
  - {{ name: fixed, kind: static, data: {{ token: '{TOKEN}' }} }}
  - {{ name: service, kind: oauth2, scope: global, endpoint: '{0}/post', auth: client, token_field: url, data: {{ grant_type: client_credentials, with: '{{{{ keychain.fixed.token }}}}' }} }}",
        service.url
    );
    let bench = Bench::with(&head, &vault);
    let step = "- step: s
  tool: { kind: http, url: '{{ url }}/headers', headers: { X-One: '{{ keychain.fixed.token }}', X-Two: '{{ keychain.service.token }}' } }";
    for _ in 0..2 {
        let value = value_of(&bench.run(step).await);
        assert_eq!(value["data"]["headers"]["X-One"], "[REDACTED]");
        assert_eq!(value["data"]["headers"]["X-Two"], "[REDACTED]");
    }
    assert_eq!(service.count("POST /post"), 1);
}

#[tokio::test]
async fn a_secret_travels_as_a_marker_and_opens_where_it_is_read() {
    let mut bench = Bench::new("workload: {}");
    let secret = std::env::var("PATH").unwrap();
    let report = bench.run("- step: s\n  tool: { kind: secrets, provider: env, name: PATH }").await;
    let marker = json!({"$secret": {"provider": "env", "name": "PATH"}});
    assert_eq!(value_of(&report)["secret_value"], marker);

    bench.step_result("vault", &report);
    let step = "- step: s
  tool:
    - name: use
      kind: python
      input: { s: '{{ vault.secret_value }}' }
      code: \"print('it is', s); result = {'length': len(s), 'again': s}\"
      set: { ctx.kept: '{{ vault.value }}' }";
    let report = bench.run(step).await;
    assert_eq!(value_of(&report)["use"], json!({"length": secret.len(), "again": marker}));
    assert_eq!(report.items[0].ctx["kept"], marker);
    let printed: Vec<_> = bench.lines.lock().unwrap().iter().map(|line| line.text.clone()).collect();
    assert_eq!(printed, ["it is [REDACTED]"]);

    bench.ctx = report.items[0].ctx.clone();
    let report = bench
        .run("- step: s\n  tool: { kind: python, input: { s: '{{ ctx.kept }}' }, code: 'result = len(s)' }")
        .await;
    assert_eq!(value_of(&report), Value::from(secret.len()));
}
