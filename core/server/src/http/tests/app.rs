//! A server in process: real store, catalog, vault, orchestrator and bus, with a worker that the test plays.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use noetl_bus::local::{Config, Local};
use noetl_bus::results::Results;
use noetl_bus::{Bus, Delivery};
use noetl_domain::error::TaskError;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{ItemReport, LogLine, Outcome, Report};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::catalog::Catalog;
use crate::http::{HttpConfig, Metrics, Pools, Services, router};
use crate::ids::Ids;
use crate::orchestrator::{Orchestrator, Parts};
use crate::proposals::Proposals;
use crate::schedule::Schedules;
use crate::store::{EventStore, SqliteStore};
use crate::vault::Vault;

pub(super) struct App {
    pub(super) services: Services,
    router: Router,
    _directory: tempfile::TempDir,
}

impl Drop for App {
    fn drop(&mut self) {
        self.services.stop.cancel();
        self.services.orchestrator.stop();
    }
}

impl App {
    pub(super) async fn start() -> Self {
        Self::configured(HttpConfig::default()).await
    }

    pub(super) async fn configured(config: HttpConfig) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(directory.path()).await.expect("a store");
        let ids = Arc::new(Ids::new(1));
        let schedules = Schedules::new(store.clone(), Arc::clone(&ids));
        let catalog = Catalog::new(store.clone(), Arc::clone(&ids), schedules.clone());
        let policy = Arc::new(|| Ok(noetl_api::policy::Policy::default()));
        let proposals = Proposals::open(store.clone(), Arc::clone(&ids), catalog.clone(), policy)
            .await
            .expect("proposals");
        let vault =
            Vault::open(store.clone(), Arc::clone(&ids), directory.path(), None).await.expect("a vault");
        let results = Results::open("memory://").expect("a place for results");
        let bus = Arc::new(Local::new(Config::default()));
        let store = Arc::new(store);
        let parts = Parts {
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            results: results.clone(),
            ids,
            env: Arc::default(),
        };
        let orchestrator =
            Orchestrator::open(parts, Arc::new(catalog.clone())).await.expect("an orchestrator");
        tokio::spawn(work(bus));
        let services = Services {
            orchestrator,
            store,
            catalog,
            vault,
            schedules,
            proposals,
            results,
            pools: Pools::default(),
            metrics: Metrics::default(),
            config: Arc::new(config),
            stop: CancellationToken::new(),
            depth: None,
            budgets: None,
            sql: None,
        };
        services.count_events();
        Self { router: router(services.clone()), services, _directory: directory }
    }

    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("a router does not fail")
    }

    /// Status and body; a body that is not JSON comes as text.
    pub(super) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = Request::builder().method(method).uri(path).body(body).expect("a request");
        read(self.send(request).await).await
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", path, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "POST {path}: {answer}");
        answer
    }

    pub(super) async fn register(&self, content: &str) {
        self.post("/api/catalog/register", json!({ "content": content })).await;
    }

    pub(super) async fn execute(&self, path: &str, payload: Value) -> ExecutionId {
        let answer = self.post("/api/execute", json!({ "path": path, "payload": payload })).await;
        serde_json::from_value(answer["execution_id"].clone()).expect("an id")
    }

    /// Waits until an Execution has ended.
    pub(super) async fn ended(&self, id: ExecutionId) {
        let mut live = self.services.orchestrator.subscribe();
        loop {
            let summary = self.services.store.summary(id).await.expect("the store").expect("the execution");
            if summary.status.is_final() {
                return;
            }
            // A lagging receiver looks again as well.
            let _ = live.recv().await;
        }
    }
}

pub(super) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let mut bytes = Vec::new();
    let mut stream = response.into_body().into_data_stream();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.expect("a body"));
    }
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (status, body)
}

/// Plays the worker: `shell` fails with its command as the message, `sleep` is never answered, everything else
/// returns its inputs.
async fn work(bus: Arc<Local>) {
    let mut held = Vec::new();
    while let Some(Delivery { command, lease }) = bus.take("default").await {
        let task = command.step.body.first().cloned().unwrap_or_default();
        let line = LogLine {
            execution: command.id.execution,
            step: command.id.step.clone(),
            run: command.id.run,
            index: None,
            at_ms: 1,
            stream: "stdout".to_owned(),
            level: "info".to_owned(),
            text: format!("working on {}", command.id.step),
            fields: Value::Null,
        };
        let _ = bus.logs(vec![line]).await;
        if task.kind == "sleep" {
            held.push(lease);
            continue;
        }
        let (runs, items) = match &command.work {
            noetl_domain::command::Work::Items { items, .. } => {
                let done = items.iter().map(|item| ItemReport {
                    index: item.index,
                    outcome: ok(json!({ "item": item.value })),
                    ..ItemReport::default()
                });
                Report::compact(done.collect())
            }
            _ => (
                Vec::new(),
                vec![ItemReport { outcome: outcome(&task, &command.inputs), ..ItemReport::default() }],
            ),
        };
        let report = Report {
            id: command.id.clone(),
            attempt: command.attempt,
            worker: "test-worker".to_owned(),
            started_ms: 1000,
            finished_ms: 1250,
            runs,
            items,
            claimed: None,
            undefined: Vec::new(),
            usage: Usage::default(),
        };
        if bus.report(lease, report).await.is_err() {
            return;
        }
    }
}

fn outcome(task: &noetl_domain::playbook::Task, inputs: &Map) -> Outcome {
    if task.kind == "shell" {
        let command = task.config.get("command").and_then(Value::as_str).unwrap_or("it failed");
        let error = TaskError::new("shell", command).with_code("1");
        return Outcome::Error { error, kind: ResultKind::Plain, result: Stored::default() };
    }
    ok(Value::Object(inputs.clone()))
}

fn ok(value: Value) -> Outcome {
    Outcome::Ok { kind: ResultKind::Plain, result: Stored::Inline(value) }
}
