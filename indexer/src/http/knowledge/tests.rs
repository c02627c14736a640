use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use noetl_api::client::Client;
use noetl_api::knowledge::Format;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::fingerprints::Fingerprints;
use crate::semantic::Semantic;
use crate::status::Part;
use crate::testing::RecordedFeed;
use crate::vectors::Knowledge;
use crate::vectors::testing::Store;

/// The surface over a store and a directory of its own.
struct Surface {
    store: Store,
    router: axum::Router,
    _directory: tempfile::TempDir,
}

impl Surface {
    async fn open() -> Self {
        let store = Store::open().await;
        let directory = tempfile::tempdir().unwrap();
        let semantic = Semantic::new(Fingerprints::open(directory.path()));
        let semantic = semantic.with_knowledge(Knowledge::open(directory.path()));
        semantic.set_vectors(Ok(store.vectors.clone()));
        semantic.status().change(|status| status.vectors.part = Part::On);
        let router = crate::http::router(semantic, Arc::new(RecordedFeed::default()));
        Self { store, router, _directory: directory }
    }

    async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> (u16, Value) {
        ask(&self.router, method, path, body).await
    }
}

async fn ask(router: &axum::Router, method: &str, path: &str, body: impl Into<Body>) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_come_are_listed_and_go() {
    let mut surface = Surface::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&listener.local_addr().unwrap().to_string()).unwrap();
    let serving = tokio::spawn(axum::serve(listener, surface.router.clone()).into_future());
    let request = KnowledgeRequest {
        source: "https://wiki.example/ops?page=1&x=ü".into(),
        title: Some("Operations".into()),
        content: "<h1>Locks</h1><p>Look for deadlocks.".into(),
        format: Format::Html,
    };
    let added = client.add_knowledge(&request).await.unwrap();
    assert_eq!((added.new, added.source.title.as_str()), (1, "Operations"));
    assert_eq!(client.knowledge().await.unwrap().sources, [added.source]);
    let removed = client.remove_knowledge(&request.source).await.unwrap();
    assert_eq!(removed, KnowledgeRemoved { source: request.source.clone(), passages: 1 });
    assert_eq!(client.knowledge().await.unwrap(), KnowledgeList::default());
    let error = client.remove_knowledge(&request.source).await.unwrap_err();
    assert_eq!(error.code(), Code::UnknownSource);
    serving.abort();
    surface.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_told_what_is_wrong() {
    let mut surface = Surface::open().await;
    let document = |fields: Value| {
        let mut body = json!({"source": "ops", "content": "# A\ntext"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body.to_string()
    };
    let large = document(json!({"content": "x ".repeat(LARGEST)}));
    let larger = document(json!({"content": "\u{1}".repeat(LARGEST)}));
    for (body, status, code, said) in [
        (String::new(), 400, "AP003", "EOF"),
        ("{".into(), 400, "AP003", "EOF"),
        ("[]".into(), 400, "AP003", "invalid length 0"),
        (json!({"source": "ops"}).to_string(), 400, "AP003", "missing field `content`"),
        (document(json!({"format": "pdf"})), 400, "AP003", "unknown variant `pdf`"),
        (document(json!({"content": 7})), 400, "AP003", "invalid type"),
        (document(json!({"source": " "})), 400, "AP003", "it is empty"),
        (document(json!({"source": "code:PB001"})), 400, "AP003", "a page of an error Code"),
        (document(json!({"content": "# Only a heading"})), 422, "IX005", "the document has no text"),
        (document(json!({"content": "<script>1</script>", "format": "html"})), 422, "IX005", "no text"),
        (large, 413, "IX005", "the document is too large"),
        (larger, 413, "IX005", "the document is too large"),
    ] {
        let (found, answer) = surface.ask("POST", "/api/knowledge", body).await;
        assert_eq!((found, &answer["code"]), (status, &json!(code)), "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(said), "{said}: {answer}");
        assert!(answer["hint"].is_string(), "{answer}");
    }
    for (path, status, code) in [
        ("/api/knowledge", 400, "AP003"),
        ("/api/knowledge?source=", 400, "AP003"),
        ("/api/knowledge?source=nothing", 404, "IX006"),
    ] {
        let (found, answer) = surface.ask("DELETE", path, "").await;
        assert_eq!((found, &answer["code"]), (status, &json!(code)), "{answer}");
    }
    assert_eq!(surface.ask("GET", "/api/knowledge", "").await, (200, json!({"sources": []})));
    surface.store.close().await;
}

#[tokio::test]
async fn without_a_store_documents_are_listed_and_not_taken() {
    let directory = tempfile::tempdir().unwrap();
    let semantic = Semantic::new(Fingerprints::open(directory.path()));
    let semantic = semantic.with_knowledge(Knowledge::open(directory.path()));
    let router = crate::http::router(semantic.clone(), Arc::new(RecordedFeed::default()));
    let body = json!({"source": "a", "content": "b"}).to_string();
    for (code, reason) in [("IX001", None), ("IX002", Some("somebody else has it"))] {
        if let Some(reason) = reason {
            semantic.set_vectors(Err(reason.to_owned()));
        }
        let (status, answer) = ask(&router, "POST", "/api/knowledge", body.clone()).await;
        assert_eq!((status, &answer["code"]), (503, &json!(code)), "{answer}");
    }
    assert_eq!(ask(&router, "GET", "/api/knowledge", "").await, (200, json!({"sources": []})));
    let nobodys = Semantic::new(Fingerprints::open(directory.path()));
    let router = crate::http::router(nobodys, Arc::new(RecordedFeed::default()));
    assert_eq!(ask(&router, "GET", "/api/knowledge", "").await.0, 503);
}
