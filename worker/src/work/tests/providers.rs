//! Secret providers and Google's tokens, against a service that checks every request's shape.

use noetl_domain::report::Report;
use noetl_test_service::{AWS_KEY, CLIENT, OLD_PASSWORD, PASSWORD, Service, TOKEN};
use serde_json::{Value, json};

use super::harness::{Bench, error_of, value_of};

fn vault(service: &Service) -> Value {
    let url = &service.url;
    let (id, secret) = CLIENT;
    let mut forged = service.google_account();
    forged["client_email"] = json!("someone@else.iam.gserviceaccount.com");
    let client = json!({"tenant_id": "tenant-1", "client_id": id, "client_secret": secret, "authority": format!("{url}/azure")});
    json!({
        "hashi": {"type": "vault", "data": {"token": TOKEN, "vault_addr": format!("{url}/vault/")}},
        "hashi_role": {"type": "vault", "data": {"role_id": id, "secret_id": secret, "endpoint": format!("{url}/vault")}},
        "hashi_wrong": {"type": "vault", "data": {"token": "wrong-token-1", "endpoint": format!("{url}/vault")}},
        "hashi_gone": {"type": "vault", "data": {"token": TOKEN, "endpoint": "http://127.0.0.1:9"}},
        "google": {"type": "google_oauth", "data": service.google_account()},
        "google_text": {"type": "google_oauth", "data": {"service_account_json": service.google_account().to_string()}},
        "google_forged": {"type": "google_oauth", "data": forged},
        "google_user": {"type": "google_oauth", "data": {"refresh_token": "refresh-me-5521", "client_id": "c", "token_uri": format!("{url}/google/token")}},
        "google_broken": {"type": "google_oauth", "data": {"client_email": "a@b", "private_key": "no key at all"}},
        "amazon": {"type": "aws", "data": {"access_key_id": AWS_KEY.0, "secret_access_key": AWS_KEY.1, "region": "eu-north-1"}},
        "amazon_wrong": {"type": "aws", "data": {"access_key_id": AWS_KEY.0, "secret_access_key": "another-key-0000", "region": "eu-north-1"}},
        "microsoft": {"type": "azure", "data": client},
        "cluster": {"type": "k8s", "data": {"token": TOKEN, "endpoint": format!("{url}/k8s")}},
        "cluster_wrong": {"type": "k8s", "data": {"token": "wrong-token-2", "endpoint": format!("{url}/k8s")}},
    })
}

fn bench(service: &Service) -> Bench {
    Bench::with(&format!("workload: {{ url: '{}' }}", service.url), &vault(service))
}

fn shows_nothing(report: &Report, service: &Service, case: &str) {
    let text = serde_json::to_string(report).unwrap();
    for secret in [PASSWORD, OLD_PASSWORD, TOKEN, AWS_KEY.1, CLIENT.1]
        .into_iter()
        .map(str::to_owned)
        .chain(service.tokens())
    {
        assert!(!text.contains(&secret), "{case} shows {secret}: {text}");
    }
}

#[tokio::test]
async fn every_provider_gives_its_secret_and_later_steps_open_it() {
    let service = Service::start().await.unwrap();
    let cases = [
        ("provider: vault, auth: hashi, name: 'app/db#password'", PASSWORD),
        ("provider: vault, auth: hashi, name: app/db, field: password, version: 1", OLD_PASSWORD),
        ("provider: vault, auth: hashi, name: secret/data/app/single", PASSWORD),
        ("provider: vault, auth: hashi, mount: kv, kv_version: 1, name: 'app/db#password'", PASSWORD),
        ("provider: vault, auth: hashi_role, name: 'app/db#password'", PASSWORD),
        ("provider: gcp, auth: google, endpoint: '{{ url }}/gcp', project: demo, name: app-db", PASSWORD),
        (
            "provider: gcp, auth: google, endpoint: '{{ url }}/gcp', name: projects/demo/secrets/app-db/versions/1",
            OLD_PASSWORD,
        ),
        (
            "provider: gcp, auth: { type: google_oauth, credential: google_text }, endpoint: '{{ url }}/gcp', project_id: demo, name: app-db, version: 1",
            OLD_PASSWORD,
        ),
        ("provider: aws, auth: amazon, endpoint: '{{ url }}/aws', name: 'app/db#password'", PASSWORD),
        (
            "provider: aws, auth: amazon, endpoint: '{{ url }}/aws', name: 'app/db#password', stage: AWSPREVIOUS",
            OLD_PASSWORD,
        ),
        ("provider: azure, auth: microsoft, vault_url: '{{ url }}/azure', name: app-db", PASSWORD),
        (
            "provider: azure, auth: microsoft, vault_url: '{{ url }}/azure', name: app-db, version: '1'",
            OLD_PASSWORD,
        ),
        ("provider: k8s, auth: cluster, name: 'apps/db#password'", PASSWORD),
        ("provider: k8s, auth: cluster, namespace: apps, name: db, field: password", PASSWORD),
    ];
    let reading = "- step: s\n  tool: { kind: http, method: POST, url: '{{ url }}/post', json: { n: '{{ got.secret_value | length }}', last: '{{ got.value[-6:] }}' } }";
    for (fields, expected) in cases {
        let mut bench = bench(&service);
        let report = bench.run(&format!("- step: s\n  tool: {{ kind: secrets, {fields} }}")).await;
        shows_nothing(&report, &service, fields);
        assert_eq!(value_of(&report)["status"], "success", "{fields}");
        bench.step_result("got", &report);
        // A worker that was started anew knows only the secret's place, and fetches it again.
        for fresh in [false, true] {
            if fresh {
                bench.forget();
            }
            let sent = value_of(&bench.run(reading).await);
            let tail = &expected[expected.len() - 6..];
            assert_eq!(
                sent["data"]["json"],
                json!({"n": expected.len(), "last": tail}),
                "{fields}, fresh: {fresh}"
            );
        }
    }
    assert_eq!(service.count("POST /vault/v1/auth/approle/login"), 2, "a login serves until its lease ends");
}

#[tokio::test]
async fn providers_that_refuse_say_so_with_a_code() {
    let service = Service::start().await.unwrap();
    let bench = bench(&service);
    let cases = [
        ("provider: vault, auth: hashi, name: app/none", "CR005", "HTTP 404"),
        ("provider: vault, auth: hashi, name: 'app/db#nothing'", "CR005", "user, password"),
        ("provider: vault, auth: hashi_wrong, name: app/db", "CR006", "permission denied"),
        ("provider: vault, auth: hashi_gone, name: app/db", "TL008", "cannot be reached"),
        ("provider: vault, name: app/db", "CR002", "VAULT_ADDR"),
        ("provider: vault, auth: nobody, name: app/db", "CR001", "nobody"),
        (
            "provider: vault, auth: { type: vault, token: 'in-the-playbook-1' }, name: app/db",
            "TL002",
            "registered",
        ),
        (
            "provider: gcp, auth: google, endpoint: '{{ url }}/gcp', project: demo, name: none",
            "CR005",
            "not found or has no versions",
        ),
        (
            "provider: gcp, auth: google_forged, endpoint: '{{ url }}/gcp', project: demo, name: app-db",
            "CR007",
            "issuer",
        ),
        (
            "provider: gcp, auth: google_broken, endpoint: '{{ url }}/gcp', project: demo, name: app-db",
            "CR002",
            "PEM",
        ),
        ("provider: gcp, auth: google_user, endpoint: '{{ url }}/gcp', name: app-db", "CR002", "project"),
        ("provider: aws, auth: amazon, endpoint: '{{ url }}/aws', name: app/none", "CR005", "can't find"),
        (
            "provider: aws, auth: amazon, endpoint: '{{ url }}/aws', name: app/locked",
            "CR006",
            "AccessDeniedException",
        ),
        (
            "provider: aws, auth: amazon_wrong, endpoint: '{{ url }}/aws', name: app/db",
            "CR006",
            "signature does not match",
        ),
        (
            "provider: azure, auth: microsoft, vault_url: '{{ url }}/azure', name: none",
            "CR005",
            "was not found",
        ),
        ("provider: azure, auth: microsoft, name: none", "CR002", "vault_url"),
        ("provider: k8s, auth: cluster_wrong, name: apps/db", "CR006", "forbidden"),
        ("provider: k8s, auth: cluster, name: apps/none", "CR005", "not found"),
        ("provider: cupboard, name: x", "TL002", "cupboard"),
        ("provider: env, name: NOETL_TEST_NOT_SET", "CR005", "NOETL_TEST_NOT_SET"),
    ];
    for (fields, code, words) in cases {
        let report = bench.run(&format!("- step: s\n  tool: {{ kind: secrets, {fields} }}")).await;
        shows_nothing(&report, &service, fields);
        let (error, _) = error_of(&report);
        assert_eq!(error.code.as_deref(), Some(code), "{fields}: {}", error.message);
        assert!(error.message.contains(words), "{fields}: {}", error.message);
        assert_eq!(error.retryable, code == "TL008", "{fields}");
    }
}

#[tokio::test]
async fn a_service_account_is_exchanged_for_tokens_that_are_kept_while_they_live() {
    let service = Service::start().await.unwrap();
    let bench = bench(&service);
    let ask = async |fields: &str| {
        let report = bench
            .run(&format!("- step: s\n  tool: {{ kind: http, url: '{{{{ url }}}}/whoami', {fields} }}"))
            .await;
        shows_nothing(&report, &service, fields);
        value_of(&report)["data"].clone()
    };
    let cloud = "google for https://www.googleapis.com/auth/cloud-platform";
    let header = |call: &str| format!("headers: {{ Authorization: \"Bearer {{{{ {call} }}}}\" }}");
    let cases = [
        (header("token('google')"), 0, cloud),
        ("auth: google".to_owned(), 0, cloud),
        ("auth: { type: google_oauth, credential: google }".to_owned(), 0, cloud),
        ("auth: { type: service_account, key: google_text }".to_owned(), 0, cloud),
        (
            format!(
                "{}, auth: {{ a: {{ source: credential, type: service_account, key: google }} }}, use_auth: a",
                header("auth.a.access_token")
            ),
            0,
            cloud,
        ),
        (header("token('google', 'https://run.example')"), 1, "google-id for https://run.example"),
        (header("token('google', audience='https://run.example')"), 1, "google-id for https://run.example"),
        (
            "auth: { type: google_oauth, credential: google, audience: 'https://other.example' }".to_owned(),
            2,
            "google-id for https://other.example",
        ),
        (
            "auth: { type: google_oauth, credential: google, scopes: [short-lived] }".to_owned(),
            3,
            "google for short-lived",
        ),
        (
            "auth: { type: google_oauth, credential: google, scopes: [short-lived] }".to_owned(),
            4,
            "google for short-lived",
        ),
        (header("token('google_user')"), 5, "google-user"),
        ("auth: google_user".to_owned(), 5, "google-user"),
    ];
    for (fields, number, kind) in cases {
        assert_eq!(ask(&fields).await, json!({"number": number, "kind": kind}), "{fields}");
    }
    let report = bench
        .run(&format!(
            "- step: s\n  tool: {{ kind: http, url: '{{{{ url }}}}/get', {} }}",
            header("token('google_forged')")
        ))
        .await;
    assert_eq!(error_of(&report).0.code.as_deref(), Some("CR007"));
}

#[tokio::test]
async fn keychain_entries_come_from_providers_and_accounts() {
    let service = Service::start().await.unwrap();
    let head = format!(
        "workload: {{ url: '{0}' }}
keychain:
  - {{ name: db, kind: secret_manager, provider: vault, auth: hashi, map: {{ user: 'app/db#user', password: {{ name: app/db, field: password, version: 1 }} }} }}
  - {{ name: robot, kind: google_oauth, auth: google, scopes: [drive.readonly] }}
  - {{ name: chained, kind: secrets, provider: gcp, auth: robot, endpoint: '{0}/gcp', project: demo, secret_name: app-db }}",
        service.url
    );
    let bench = Bench::with(&head, &vault(&service));
    let step = "- step: s
  tool: { kind: http, url: '{{ url }}/whoami', auth: robot, params: { user: '{{ keychain.db.user }}', old: '{{ keychain.db.password[-6:] }}', chained: '{{ keychain.chained.value | length }}' } }";
    let report = bench.run(step).await;
    shows_nothing(&report, &service, "keychain");
    assert_eq!(value_of(&report)["data"]["kind"], "google for drive.readonly");
    let query = service.hits().into_iter().find(|hit| hit.path == "/whoami").unwrap().query;
    let (old, length) = (&OLD_PASSWORD[OLD_PASSWORD.len() - 6..], PASSWORD.len());
    assert_eq!(query, format!("user=ada&old={old}&chained={length}"));
}
