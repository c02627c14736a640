//! Which model to ask, and what it may take and cost: `[assistant.model]` of `noetl.toml`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An OpenAI-compatible endpoint: OpenAI, llama.cpp, Ollama, vLLM and others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Off: everything is explained by rules, whatever else stands here.
    pub enabled: bool,
    /// Up to and without `/chat/completions`, such as `http://127.0.0.1:11434/v1`; empty: no model.
    pub base_url: String,
    /// The model's name, as the endpoint knows it.
    pub model: String,
    /// The environment variable that holds the key; nothing is sent when it is not set.
    pub key_env: String,
    /// A credential of the vault whose `api_key`, `key` or `token` is the key; it wins over `key_env`.
    pub credential: String,
    /// Seconds that one question may take, its repetitions included.
    pub timeout_seconds: u64,
    /// A longer question is not asked.
    pub max_input_tokens: u32,
    pub max_output_tokens: u32,
    /// 0 writes the same answer to the same question, as far as the model can; not sent where it is left out and the
    /// endpoint is OpenAI's, whose newer models refuse it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// US dollars for a million tokens, for the record and for the limit.
    pub input_cost_per_million: f64,
    pub output_cost_per_million: f64,
    /// US dollars a day (UTC); when they are spent, rules explain alone. 0: no limit.
    pub max_cost_per_day: f64,
    /// Whether the model also writes what is said by itself on every failure; off: it is asked when somebody asks.
    pub on_every_failure: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            base_url: String::new(),
            model: String::new(),
            key_env: "NOETL_MODEL_KEY".to_owned(),
            credential: String::new(),
            timeout_seconds: 20,
            max_input_tokens: 12_000,
            max_output_tokens: 700,
            temperature: None,
            input_cost_per_million: 0.0,
            output_cost_per_million: 0.0,
            max_cost_per_day: 1.0,
            on_every_failure: false,
        }
    }
}

impl Config {
    /// Whether a model is to be asked at all.
    pub fn is_on(&self) -> bool {
        self.enabled && !(self.base_url.is_empty() && self.model.is_empty())
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.max(1))
    }

    /// What so many tokens cost, in US dollars.
    pub(super) fn cost(&self, input_tokens: u32, output_tokens: u32) -> f64 {
        (f64::from(input_tokens) * self.input_cost_per_million
            + f64::from(output_tokens) * self.output_cost_per_million)
            / 1e6
    }
}

/// Where the key comes from; it is opened for each question, and kept by nobody.
#[derive(Clone)]
pub struct Keys(Arc<dyn KeySource>);

/// Opens the key: from the environment, or from the vault.
pub trait KeySource: Send + Sync {
    /// The key; empty where none is needed; or why it cannot be had.
    fn key(&self) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>>;
}

impl Keys {
    pub fn new(source: impl KeySource + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// A key that is known already; empty: none.
    pub fn fixed(key: impl Into<String>) -> Self {
        Self::new(Fixed(key.into()))
    }

    pub(super) async fn key(&self) -> Result<String, String> {
        self.0.key().await
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

struct Fixed(String);

impl KeySource for Fixed {
    fn key(&self) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}
