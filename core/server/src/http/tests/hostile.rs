//! Whatever comes in, the answer is a refusal with a Code, never a crash and never a 5xx.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use noetl_domain::Value;
use noetl_domain::code::Code;
use serde_json::json;

use super::app::{App, read};
use crate::http::HttpConfig;

#[tokio::test]
async fn every_endpoint_survives_every_body() {
    let app = App::configured(HttpConfig { body_limit_bytes: 200_000, ..HttpConfig::default() }).await;
    let deep_list = "[".repeat(100_000);
    let deep_map = "{\"a\":".repeat(5_000);
    let deep_value = format!("{{\"path\":\"x\",\"payload\":{}1{}}}", "{\"a\":".repeat(120), "}".repeat(120));
    let long = format!("{{\"path\":\"{}\",\"name\":\"{}\"}}", "x".repeat(60_000), "y".repeat(60_000));
    let too_long = "x".repeat(300_000);
    let bodies: Vec<&[u8]> = vec![
        b"",
        b"null",
        b"[]",
        b"5",
        b"\"x\"",
        b"{",
        b"{}",
        b"\xff\xfe{}",
        b"{\"path\":\"\\ud800\"}",
        b"{\"path\":5,\"name\":[],\"execution_id\":{},\"template\":1e999}",
        b"{\"path\":null,\"execution_id\":-1,\"version\":-1,\"limit\":-5}",
        b"{\"path\":\"a\",\"path\":\"b\"}",
        b"{\"execution_id\":\"99999999999999999999999\",\"name\":\"x\",\"query\":\"\\u0000\"}",
        b"{\"execution_id\":18446744073709551615,\"name\":\"x\",\"type\":\"y\",\"data\":{\"a\":1}}",
        b"{\"content\":\"\\u0000\\u0001\"}",
        b"{\"content\":\"a: &a [*a, *a]\"}",
        b"{\"content\":\"a: &a [1,1,1,1,1,1,1,1]\\nb: &b [*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c]\"}",
        deep_list.as_bytes(),
        deep_map.as_bytes(),
        deep_value.as_bytes(),
        long.as_bytes(),
        too_long.as_bytes(),
    ];
    let document = crate::http::openapi();
    let mut asked = 0;
    for (path, item) in &document.paths.paths {
        let methods = [
            ("GET", item.get.is_some()),
            ("POST", item.post.is_some()),
            ("PUT", item.put.is_some()),
            ("DELETE", item.delete.is_some()),
        ];
        for (method, _) in methods.into_iter().filter(|(_, there)| *there) {
            for segment in
                ["1", "x", "%ff", "..%2f..%2fetc", "99999999999999999999999", "%00", "%F0%9F%92%A9"]
            {
                let address = fill(path, segment);
                let few: &[&[u8]] = if method == "GET" { &[b""] } else { &bodies };
                for body in few {
                    let name = format!(
                        "{method} {address} {}",
                        String::from_utf8_lossy(&body[..body.len().min(80)])
                    );
                    let request =
                        Request::builder().method(method).uri(&address).body(Body::from(body.to_vec()));
                    // A feed of everything never ends by itself.
                    if address == "/api/feed" {
                        continue;
                    }
                    let (status, answer) = read(app.send(request.expect("a request")).await).await;
                    asked += 1;
                    assert!(status.as_u16() < 500, "{name}: {status} {answer}");
                    if !status.is_success() {
                        check_refusal(&name, status, &answer);
                    }
                }
                if !path.contains('{') {
                    break;
                }
            }
        }
    }
    assert!(asked > 1000, "only {asked} requests were made");
}

fn fill(path: &str, segment: &str) -> String {
    let mut address = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        address.push_str(before);
        address.push_str(segment);
        rest = after.split_once('}').expect("a parameter is closed").1;
    }
    address + rest
}

fn check_refusal(name: &str, status: StatusCode, answer: &Value) {
    let code = answer["code"].as_str().and_then(|code| code.parse::<Code>().ok());
    assert!(code.is_some_and(|code| code != Code::Internal), "{name}: {status} {answer}");
    assert!(answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{name}: {answer}");
    let link = format!("/docs/codes/{}", answer["code"].as_str().unwrap_or_default());
    assert_eq!(answer["link"], link, "{name}");
}

#[tokio::test]
async fn refusals_name_what_is_wrong() {
    let app = App::start().await;
    let fuel = "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}";
    for (method, path, body, status, code) in [
        ("GET", "/nowhere", None, 404, Code::NotFound),
        ("DELETE", "/api/execute", None, 405, Code::InvalidRequest),
        ("GET", "/api/executions/abc", None, 400, Code::InvalidRequest),
        ("GET", "/api/executions/18446744073709551615", None, 400, Code::InvalidRequest),
        ("GET", "/api/executions/7/status", None, 404, Code::UnknownExecution),
        ("GET", "/api/executions?limit=many", None, 400, Code::InvalidRequest),
        ("GET", "/api/executions?status=LOST", None, 400, Code::InvalidRequest),
        ("GET", "/api/executions?before=x", None, 400, Code::InvalidRequest),
        ("GET", "/api/feed?execution_id=7", None, 404, Code::UnknownExecution),
        ("GET", "/api/feed?after=x", None, 400, Code::InvalidRequest),
        ("GET", "/api/event/77", None, 404, Code::NotFound),
        ("GET", "/docs/codes/XX999", None, 404, Code::NotFound),
        ("POST", "/api/execute", Some(json!({})), 400, Code::InvalidRequest),
        ("POST", "/api/execute", Some(json!({ "path": "a", "payload": "x" })), 400, Code::InvalidRequest),
        ("POST", "/api/execute", Some(json!({ "path": "a", "version": "first" })), 400, Code::InvalidRequest),
        ("POST", "/api/execute", Some(json!({ "path": "a" })), 404, Code::UnknownPlaybook),
        ("POST", "/api/execute", Some(json!({ "catalog_id": "x" })), 404, Code::UnknownPlaybook),
        (
            "POST",
            "/api/execute/batch",
            Some(json!({ "executions": vec![json!({}); 1001] })),
            400,
            Code::InvalidRequest,
        ),
        ("POST", "/api/run/credential", Some(json!({ "path": "a" })), 400, Code::InvalidRequest),
        ("POST", "/api/catalog/register", Some(json!({})), 400, Code::InvalidRequest),
        ("POST", "/api/catalog/register", Some(json!({ "content": "a: [" })), 422, Code::YamlSyntax),
        ("POST", "/api/context/render", Some(json!({ "template": fuel })), 422, Code::TemplateFuel),
        (
            "POST",
            "/api/postgres/execute",
            Some(json!({ "query": "DROP TABLE noetl.event_row" })),
            403,
            Code::NotAllowed,
        ),
        ("POST", "/api/vars/7", Some(json!({ "variables": { "a": 1 } })), 404, Code::UnknownExecution),
        ("POST", "/api/credentials", Some(json!({ "name": "x", "type": "y" })), 422, Code::CredentialShape),
    ] {
        let (found, answer) = app.call(method, path, body).await;
        assert_eq!(
            (found.as_u16(), &answer["code"]),
            (status, &json!(code.as_str())),
            "{method} {path}: {answer}"
        );
        check_refusal(path, found, &answer);
    }
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let app = App::configured(HttpConfig { local_only: true, ..HttpConfig::default() }).await;
    for (method, host, origin, status) in [
        ("POST", "127.0.0.1:8082", None, 200),
        ("POST", "127.0.0.1:8082", Some("http://127.0.0.1:8082"), 200),
        ("POST", "127.0.0.1:8082", Some("https://evil.example"), 403),
        ("POST", "127.0.0.1:8082", Some("null"), 403),
        ("POST", "evil.example:8082", Some("http://evil.example:8082"), 403),
        ("GET", "evil.example:8082", None, 403),
        ("GET", "localhost:8082", Some("https://evil.example"), 200),
    ] {
        let path = if method == "GET" { "/api/schedules" } else { "/api/catalog/list" };
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = app.send(request.body(Body::from("{}")).expect("a request")).await;
        let allows = response.headers().contains_key("access-control-allow-origin");
        assert_eq!((response.status().as_u16(), allows), (status, false), "{method} {host} {origin:?}");
    }
}

#[tokio::test]
async fn a_panic_in_a_handler_is_an_answer() {
    let layer = tower_http::catch_panic::CatchPanicLayer::custom(crate::http::guard::panicked);
    let router = axum::Router::new().route("/", axum::routing::get(fail)).layer(layer);
    let request = Request::builder().uri("/").body(Body::empty()).expect("a request");
    let response = tower::ServiceExt::oneshot(router, request).await.expect("a router does not fail");
    let (status, answer) = read(response).await;
    assert_eq!((status.as_u16(), &answer["code"]), (500, &json!("AP011")));
    assert!(!answer.to_string().contains("inner detail"));
}

async fn fail() -> &'static str {
    panic!("inner detail")
}
