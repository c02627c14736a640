//! `secrets`: fetches one secret.
//!
//! The result carries a marker, `{"$secret": {"provider": "env", "name": "X"}}`, not the value: the marker is what
//! the log, events and results keep. `crate::secret` opens it on the worker whenever a template reads it.

use noetl_domain::Value;
use noetl_domain::error::TaskError;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::secret;
use crate::tool::{Failure, Output, TaskContext, Tool};

#[derive(Clone, Copy, Debug, Default)]
pub struct Secrets;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// `env` reads the worker's environment; gcp, aws, azure, vault and k8s are not part of this build.
    #[serde(default)]
    provider: Option<String>,
    /// Name of the secret.
    #[serde(default)]
    name: Option<String>,
    /// Another name for `name`.
    #[serde(default)]
    secret_name: Option<String>,
    /// Project of the secret manager.
    #[serde(default)]
    #[expect(dead_code, reason = "read by cloud providers only; the schema names it")]
    project: Option<Value>,
    /// Project of the secret manager.
    #[serde(default)]
    #[expect(dead_code, reason = "read by cloud providers only; the schema names it")]
    project_id: Option<Value>,
    /// Version of the secret.
    #[serde(default)]
    #[expect(dead_code, reason = "read by cloud providers only; the schema names it")]
    version: Option<Value>,
    /// Field of the result that holds the secret (default `secret_value`).
    #[serde(default)]
    result_key: Option<String>,
    /// The same as `result_key`.
    #[serde(default, rename = "as")]
    named: Option<String>,
}

impl Tool for Secrets {
    const KIND: &'static str = "secrets";
    const ABOUT: &'static str = "Fetches a secret; logs and events show [REDACTED] in its place.";
    type Input = Input;

    async fn run(&self, input: Input, _ctx: &TaskContext) -> Result<Output, Failure> {
        let provider = input.provider.unwrap_or_else(|| "env".into()).to_ascii_lowercase();
        let Some(name) = input.name.or(input.secret_name) else {
            let message = "a secrets task needs `name`, the name of the secret";
            return Err(TaskError::new("config", message).with_code("TL002").into());
        };
        secret::fetch(&provider, &name)
            .map_err(|reason| TaskError::new("auth", reason.to_string()).with_code("CR004"))?;
        let marker = secret::marker(&provider, &name);
        let key = input.result_key.or(input.named).unwrap_or_else(|| "secret_value".into());
        let mut result = noetl_domain::Map::new();
        result.insert("status".into(), "success".into());
        result.insert("value".into(), marker.clone());
        result.insert(key, marker);
        Ok(Output::plain(Value::Object(result)))
    }
}
