//! A scripted OpenAI-compatible endpoint, for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing::post};
use serde_json::{Value, json};

use super::{Call, Calls, Config, Keys, Model, Spending};

/// What the endpoint does next; the last act is repeated.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Say(String),
    /// As if there had not been enough room for the answer.
    Cut(String),
    Refuse(u16, &'static str),
    HangUp,
    Garbage,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    acts: Arc<Mutex<VecDeque<Act>>>,
    asked: Arc<Mutex<Vec<Value>>>,
    keys: Arc<Mutex<Vec<String>>>,
    calls: Arc<Mutex<Vec<Call>>>,
    /// What a process before this one spent today, and whether somebody can tell.
    earlier: Arc<Mutex<Option<f64>>>,
}

impl Calls for Script {
    fn record(&self, call: Call) {
        lock(&self.calls).push(call);
    }

    fn spent(&self, _: i64, _: i64) -> Spending<'_> {
        Box::pin(std::future::ready(*lock(&self.earlier)))
    }
}

impl Script {
    pub(crate) fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let script = Self::default();
        lock(&script.acts).extend(acts);
        script
    }

    pub(crate) fn spent_earlier(&self, dollars: f64) {
        *lock(&self.earlier) = Some(dollars);
    }

    /// The bodies of the requests that came.
    pub(crate) fn asked(&self) -> Vec<Value> {
        lock(&self.asked).clone()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        lock(&self.keys).clone()
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    /// The address at which it answers from now on.
    pub(crate) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1/", listener.local_addr().expect("an address"));
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// A model at this endpoint.
    pub(crate) async fn model(&self, config: Config) -> Arc<dyn Model> {
        let base_url = self.serve().await;
        let config = Config { base_url, model: "small".into(), ..config };
        let opened = super::open(&config, Keys::fixed("the-key"), Arc::new(self.clone()));
        opened.expect("it is configured").expect("it is on")
    }
}

async fn answer(State(script): State<Script>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let key = headers.get("authorization").and_then(|key| key.to_str().ok()).unwrap_or_default();
    lock(&script.keys).push(key.to_owned());
    lock(&script.asked).push(body);
    let act = {
        let mut acts = lock(&script.acts);
        if acts.len() > 1 { acts.pop_front() } else { acts.front().cloned() }
    };
    match act {
        Some(Act::Say(text)) => Json(completion(&text, "stop")).into_response(),
        Some(Act::Cut(text)) => Json(completion(&text, "length")).into_response(),
        Some(Act::Refuse(status, message)) => {
            let body = json!({"error": {"message": message, "type": "x", "param": null, "code": null}});
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [("retry-after", "0")], Json(body)).into_response()
        }
        Some(Act::HangUp) => std::future::pending().await,
        Some(Act::Garbage) | None => "<html>".into_response(),
    }
}

fn completion(text: &str, finish_reason: &str) -> Value {
    json!({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "small-1",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": finish_reason,
        }],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
