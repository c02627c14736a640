//! Vectors from an OpenAI-compatible endpoint.
//!
//! The client repeats what may pass (429, 5xx, lost connections) and waits as long as the server asks;
//! here one deadline lies around all of it.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::embeddings::{CreateEmbeddingRequest, EmbeddingInput};

use super::config::Endpoint;
use super::identity::Identity;

#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("the endpoint's {0} is not configured")]
    Missing(&'static str),
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    #[error("{url} did not answer within {} s", timeout.as_secs())]
    Timeout { url: String, timeout: Duration },
    #[error("{url} refuses")]
    Call {
        url: String,
        #[source]
        source: Box<OpenAIError>,
    },
}

#[derive(Debug)]
pub(super) struct Remote {
    endpoint: Endpoint,
    client: Client<OpenAIConfig>,
}

impl Remote {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let missing = [
            (endpoint.url.is_empty(), "url"),
            (endpoint.model.is_empty(), "model"),
            (endpoint.dimension == 0, "dimension"),
        ];
        if let Some((_, what)) = missing.into_iter().find(|(missing, _)| *missing) {
            return Err(EndpointError::Missing(what));
        }
        // Fails only when a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http =
            reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).timeout(endpoint.timeout());
        // A proxy for the outside world cannot reach this machine's own ports.
        let http = if is_local(&endpoint.url) { http.no_proxy() } else { http };
        let http = http.build().map_err(EndpointError::Client)?;
        // Named here whole, so that no variable of the environment has a say.
        let config = OpenAIConfig::default()
            .with_api_base(endpoint.url.trim_end_matches('/'))
            .with_api_key(&endpoint.key)
            .with_org_id("")
            .with_project_id("");
        Ok(Self { endpoint: endpoint.clone(), client: Client::build(http, config) })
    }

    pub(super) fn identity(&self) -> Identity {
        Identity::new(&self.endpoint.model, "remote", self.endpoint.dimension)
    }

    /// Texts of one call.
    pub(super) fn batch(&self) -> usize {
        self.endpoint.batch.max(1)
    }

    pub(super) async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EndpointError> {
        let request = CreateEmbeddingRequest {
            model: self.endpoint.model.clone(),
            // A text without words has no tokens, which servers refuse.
            input: EmbeddingInput::StringArray(texts.iter().map(|text| filled(text)).collect()),
            dimensions: self.endpoint.shorten.then_some(self.endpoint.dimension as u32),
            ..CreateEmbeddingRequest::default()
        };
        let timeout = self.endpoint.timeout();
        let url = || self.endpoint.url.clone();
        let embeddings = self.client.embeddings();
        let answer = tokio::time::timeout(timeout, embeddings.create(request))
            .await
            .map_err(|_| EndpointError::Timeout { url: url(), timeout })?
            .map_err(|source| match source {
                // Both deadlines are the same, and either may be first.
                OpenAIError::Reqwest(error) if error.is_timeout() => {
                    EndpointError::Timeout { url: url(), timeout }
                }
                source => EndpointError::Call { url: url(), source: Box::new(source) },
            })?;
        let mut data = answer.data;
        data.sort_by_key(|made| made.index);
        Ok(data.into_iter().map(|made| made.embedding).collect())
    }
}

fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
}

fn filled(text: &str) -> String {
    if text.trim().is_empty() { "nothing".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use axum::extract::State;
    use axum::http::{HeaderMap, StatusCode};
    use axum::response::{IntoResponse as _, Response};
    use axum::{Json, Router, routing::post};
    use serde_json::{Value, json};

    use super::super::{Choice, Config, EmbedError, Embedder, open};
    use super::*;

    /// What the endpoint does next; when nothing is left it answers well.
    #[derive(Clone, Copy, PartialEq)]
    enum Act {
        Refuse(u16, &'static str),
        HangUp,
        Short,
        Wrong,
    }

    #[derive(Clone, Default)]
    struct Script {
        acts: Arc<Mutex<VecDeque<Act>>>,
        /// The texts of each request that came.
        asked: Arc<Mutex<Vec<Vec<String>>>>,
    }

    async fn answer(State(script): State<Script>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
        assert_eq!(headers["authorization"], "Bearer the-key");
        assert_eq!(body["model"], "small");
        let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
        script.asked.lock().unwrap().push(texts.clone());
        let act = script.acts.lock().unwrap().pop_front();
        let length = match act {
            Some(Act::Refuse(status, message)) => {
                let body = json!({"error": {"message": message, "type": "x", "param": null, "code": null}});
                let status = StatusCode::from_u16(status).unwrap();
                return (status, [("retry-after", "0")], Json(body)).into_response();
            }
            Some(Act::HangUp) => std::future::pending().await,
            Some(Act::Short) => 2,
            Some(Act::Wrong) => return "<html>".into_response(),
            None => 3,
        };
        // Out of order, as the protocol allows.
        let made = texts.iter().enumerate().rev().map(|(index, text)| {
            json!({"index": index, "object": "embedding", "embedding": vec![text.len() as f32; length]})
        });
        let usage = json!({"prompt_tokens": 1, "total_tokens": 1});
        let made: Vec<Value> = made.collect();
        Json(json!({"object": "list", "model": "small", "data": made, "usage": usage})).into_response()
    }

    async fn embedder(acts: &[Act]) -> (Embedder, Script) {
        let script =
            Script { acts: Arc::new(Mutex::new(acts.iter().copied().collect())), ..Script::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/embeddings", post(answer)).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let endpoint = Endpoint {
            url,
            key: "the-key".into(),
            model: "small".into(),
            dimension: 3,
            batch: 2,
            // Only who hangs up is waited for in vain; a busy machine must not cut the others short.
            timeout_seconds: if acts.contains(&Act::HangUp) { 1 } else { 60 },
            ..Endpoint::default()
        };
        let config = Config { embedder: Choice::Endpoint, endpoint: Some(endpoint), ..Config::default() };
        let opened = open(&config).await;
        assert_eq!((opened.name.as_str(), &opened.note), ("small-remote-3", &None));
        (opened.embedder.unwrap(), script)
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[tokio::test]
    async fn asks_in_batches_and_keeps_the_order() {
        let (embedder, script) = embedder(&[]).await;
        let vectors = embedder.embed(&texts(&["ccc", "a", "", "bb", "a"])).await.unwrap();
        let third = 1.0 / 3.0_f32.sqrt();
        assert_eq!(vectors.len(), 5);
        assert!(vectors.iter().flatten().all(|x| (x - third).abs() < 1e-6));
        // Each once, and none without words.
        assert_eq!(*script.asked.lock().unwrap(), [texts(&["nothing", "a"]), texts(&["bb", "ccc"])]);
        assert_eq!((embedder.counters().calls, embedder.counters().texts), (2, 4));
    }

    #[tokio::test]
    async fn repeats_what_may_pass() {
        let (embedder, script) = embedder(&[Act::Refuse(429, "slow down"), Act::Refuse(503, "busy")]).await;
        assert_eq!(embedder.embed(&texts(&["a"])).await.unwrap().len(), 1);
        assert_eq!(script.asked.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn says_what_will_not_pass_and_remembers_nothing() {
        for (act, expected) in [
            (Act::Refuse(401, "no such key"), "no such key"),
            (Act::HangUp, "did not answer within 1 s"),
            (Act::Short, "a vector of 2 numbers, and 3 are expected"),
            (Act::Wrong, "deserialize"),
        ] {
            let (embedder, script) = embedder(&[act]).await;
            let error = embedder.embed(&texts(&["a"])).await.unwrap_err();
            let said = crate::again::chain(&error);
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains("the-key") && !format!("{error:?} {embedder:?}").contains("the-key"));
            assert_eq!(script.asked.lock().unwrap().len(), 1);
            assert!(matches!(error, EmbedError::Endpoint(_) | EmbedError::Dimension { .. }));
            if act != Act::HangUp {
                assert_eq!(embedder.embed(&texts(&["a"])).await.unwrap().len(), 1);
            }
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_is_half_configured_is_said() {
        let config = Config { endpoint: Some(Endpoint::default()), ..Config::default() };
        let opened = open(&config).await;
        let note = opened.note.unwrap();
        assert!(note.contains("the endpoint's url is not configured"), "{note}");
        assert!(opened.embedder.is_some(), "search goes on with the next best");
    }
}
