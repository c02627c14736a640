//! `secrets`: fetches one secret.
//!
//! The result carries a marker, `{"$secret": {"provider": "env", "name": "X"}}`, not the value: the marker is what
//! the log, events and results keep. `crate::secret` opens it on the worker whenever a template reads it.

use std::sync::Arc;

use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::provider::{Place, Providers};
use crate::secret;
use crate::tool::{Failure, Output, TaskContext, Tool};

#[derive(Debug)]
pub struct Secrets(pub(crate) Arc<Providers>);

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// `env` (the worker's environment), `vault`, `gcp`, `aws`, `azure` or `k8s`.
    #[serde(default)]
    provider: Option<String>,
    /// Name of the secret; `name#field` picks a field of it.
    #[serde(default)]
    name: Option<String>,
    /// Another name for `name`.
    #[serde(default)]
    secret_name: Option<String>,
    /// Field of the result that holds the secret (default `secret_value`).
    #[serde(default)]
    result_key: Option<String>,
    /// The same as `result_key`.
    #[serde(default, rename = "as")]
    named: Option<String>,
    /// The task's `auth`, as it was written: it is kept with the secret's place, so it names a credential.
    #[serde(default)]
    #[schemars(skip)]
    auth: Option<Value>,
    #[serde(flatten)]
    settings: Settings,
}

/// What providers need to know beside the name.
#[derive(Debug, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(default)]
struct Settings {
    /// Version of the secret (default: the latest).
    version: Option<Value>,
    /// Field of a secret that is an object.
    field: Option<String>,
    /// Address of the provider, where it is not the usual one.
    endpoint: Option<String>,
    /// gcp: project of the secret.
    project: Option<Value>,
    /// gcp: the same as `project`.
    project_id: Option<Value>,
    /// aws: region of the secret.
    region: Option<String>,
    /// aws: stage of the version, such as AWSPREVIOUS.
    stage: Option<String>,
    /// azure: address of the vault.
    vault_url: Option<String>,
    /// azure: name of the vault.
    vault_name: Option<String>,
    /// vault: address of the server.
    vault_addr: Option<String>,
    /// vault: path of the key-value engine (default `secret`).
    mount: Option<String>,
    /// vault: version of the key-value engine, 1 or 2 (default 2).
    kv_version: Option<Value>,
    /// k8s and vault: namespace of the secret.
    namespace: Option<String>,
}

impl Tool for Secrets {
    const KIND: &'static str = "secrets";
    const ABOUT: &'static str = "Fetches a secret; logs and events show [REDACTED] in its place.";
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let provider = input.provider.unwrap_or_else(|| "env".into());
        let Some(name) = input.name.or(input.secret_name) else {
            return Err(wrong("a secrets task needs `name`, the name of the secret").into());
        };
        let mut settings = match serde_json::to_value(input.settings) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        if let Some(auth) = input.auth {
            if holds_secrets(&auth) {
                let message = "`auth` of a secrets task names a registered credential: the secret is fetched again \
                               wherever it is read, and what stands in the playbook itself cannot be kept for that";
                return Err(wrong(message).into());
            }
            settings.insert("auth".into(), auth);
        }
        let place = Place::new(&provider, &name, &settings);
        self.0.fetch(&place, ctx.credential.as_ref()).await?;
        let marker = secret::marker(&place);
        let key = input.result_key.or(input.named).unwrap_or_else(|| "secret_value".into());
        let mut result = Map::new();
        result.insert("status".into(), "success".into());
        result.insert("value".into(), marker.clone());
        result.insert(key, marker);
        Ok(Output::plain(Value::Object(result)))
    }
}

/// Whether a written `auth` is more than names of credentials and of environment variables.
fn holds_secrets(auth: &Value) -> bool {
    match auth {
        Value::Object(map) => map.iter().any(|(key, value)| match value {
            Value::Object(_) | Value::Array(_) => key == "inline" || holds_secrets(value),
            _ => {
                noetl_domain::mask::is_secret_key(key)
                    && !matches!(key.as_str(), "auth" | "credential" | "key")
            }
        }),
        Value::Array(items) => items.iter().any(holds_secrets),
        _ => false,
    }
}

fn wrong(message: &str) -> TaskError {
    TaskError::new("config", message).with_code(Code::ToolInput.as_str())
}
