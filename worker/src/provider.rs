//! Secret providers: where secrets lie outside of the vault, and how each is asked for one.
//!
//! A secret travels as its [`Place`]; the value is fetched on the worker that needs it and kept in memory for a while.

mod aws;
mod azure;
mod gcp;
mod k8s;
mod signed;
mod vault;

use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use crate::credential::Credential;
use crate::kept::{Fetched, Kept};
use crate::tools::http::Clients;
use crate::{ask, fields};

/// Long enough for an execution's steps, short enough for a rotation to be noticed.
const KEEP_SECONDS: f64 = 300.0;

/// Settings of a place, in the words of every provider; anything else beside a secret's name is not for us.
const SETTINGS: &[&str] = &[
    "address",
    "api_version",
    "auth",
    "authority",
    "endpoint",
    "field",
    "kv_version",
    "mount",
    "namespace",
    "project",
    "project_id",
    "region",
    "role_id",
    "scope",
    "stage",
    "tenant_id",
    "url",
    "vault",
    "vault_addr",
    "vault_name",
    "vault_url",
    "version",
];

/// Where one secret lies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) provider: String,
    pub(crate) name: String,
    pub(crate) settings: Map,
}

impl Place {
    /// `written`: the fields around the name, of a task, a keychain entry or an `auth`.
    pub(crate) fn new(provider: &str, name: &str, written: &Map) -> Self {
        let is_setting =
            |(key, value): &(&String, &Value)| SETTINGS.contains(&key.as_str()) && !value.is_null();
        let settings =
            written.iter().filter(is_setting).map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { provider: provider.trim().to_ascii_lowercase(), name: name.trim().to_owned(), settings }
    }

    fn key(&self) -> String {
        format!("secret:{}:{}:{}", self.provider, self.name, Value::Object(self.settings.clone()))
    }

    /// The name without the field that may follow it: `app/db#password`.
    fn path(&self) -> &str {
        self.name.split_once('#').map_or(self.name.as_str(), |(path, _)| path)
    }

    fn field(&self) -> Option<String> {
        let written = self.settings.get("field").map(fields::text);
        written
            .or_else(|| self.name.split_once('#').map(|(_, field)| field.to_owned()))
            .filter(|field| !field.is_empty())
    }

    fn what(&self, at: &str) -> String {
        format!("secret {:?} of {} at {at}", self.path(), self.provider)
    }
}

/// One question to a provider.
#[derive(Clone, Copy)]
struct Question<'a> {
    place: &'a Place,
    credential: Option<&'a Credential>,
    client: &'a reqwest::Client,
    kept: &'a Kept,
}

impl Question<'_> {
    /// A setting: beside the name, in the credential, or in the worker's environment.
    fn setting(&self, names: &[&str], environment: &[&str]) -> Option<String> {
        let written = names.iter().find_map(|name| self.place.settings.get(*name));
        let held = || names.iter().find_map(|name| self.credential?.data.get(*name));
        let written = written.or_else(held).map(fields::text).filter(|text| !text.is_empty());
        written.or_else(|| {
            environment.iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
        })
    }

    /// A field of the credential alone.
    fn held(&self, names: &[&str], environment: &[&str]) -> Option<String> {
        let held = names.iter().find_map(|name| self.credential?.data.get(*name)).map(fields::text);
        held.filter(|text| !text.is_empty()).or_else(|| {
            environment.iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
        })
    }

    fn lacks(&self, what: &str) -> TaskError {
        let Place { provider, name, .. } = self.place;
        ask::coded(
            Code::CredentialShape,
            format!("secret {name:?} of {provider} cannot be asked for: {what}"),
        )
    }

    /// The part of a secret that was asked for: a field of an object, else the object's only value, else all of it.
    fn pick(&self, secret: Value, at: &str) -> Result<String, TaskError> {
        let opened = match &secret {
            Value::String(text) if self.place.field().is_some() => serde_json::from_str(text).ok(),
            _ => None,
        };
        let secret = opened.unwrap_or(secret);
        match (self.place.field(), &secret) {
            (Some(field), Value::Object(map)) => map.get(&field).map(fields::text).ok_or_else(|| {
                let known = map.keys().cloned().collect::<Vec<_>>().join(", ");
                let message = format!("{}: it has no field {field:?}, only {known}", self.place.what(at));
                ask::coded(Code::SecretNotFound, message)
            }),
            (Some(field), _) => {
                let message =
                    format!("{}: it is no object that could have a field {field:?}", self.place.what(at));
                Err(ask::coded(Code::SecretNotFound, message))
            }
            (None, Value::Object(map)) => {
                let only = if map.len() == 1 { map.values().next() } else { map.get("value") };
                Ok(only.map_or_else(|| secret.to_string(), fields::text))
            }
            (None, other) => Ok(fields::text(other)),
        }
    }
}

/// Fetches secrets, and keeps them for a while.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(crate) clients: Clients,
    pub(crate) kept: Kept,
}

impl Providers {
    pub(crate) async fn fetch(
        &self,
        place: &Place,
        credential: Option<&Credential>,
    ) -> Result<String, TaskError> {
        let client = &self.clients.plain()?;
        let question = Question { place, credential, client, kept: &self.kept };
        let fetch = async {
            let value = match place.provider.as_str() {
                "env" | "environment" => return Err(not_set(&place.name)),
                "vault" | "hashicorp" | "hashicorp_vault" | "hcp" => vault::fetch(question).await?,
                "gcp" | "google" | "gcp_secret_manager" | "google_secret_manager" => {
                    gcp::fetch(question).await?
                }
                "aws" | "aws_secrets_manager" | "secretsmanager" => aws::fetch(question).await?,
                "azure" | "azure_key_vault" | "keyvault" => azure::fetch(question).await?,
                "k8s" | "kubernetes" | "k8s_secret" => k8s::fetch(question).await?,
                other => {
                    let message = format!(
                        "secret {:?}: there is no provider {other:?}; there are env, vault, gcp, aws, azure and k8s",
                        place.name
                    );
                    return Err(ask::coded(Code::ToolInput, message));
                }
            };
            Ok(Fetched { value: value.into(), seconds: KEEP_SECONDS })
        };
        match environment(place) {
            Some(value) => Ok(value),
            None => Ok(fields::text(&self.kept.get(&place.key(), fetch).await?)),
        }
    }

    /// The value when it is at hand.
    pub(crate) fn known(&self, place: &Place) -> Option<String> {
        environment(place).or_else(|| Some(fields::text(&self.kept.known(&place.key())?)))
    }

    pub(crate) fn is_fresh(&self, place: &Place) -> bool {
        environment(place).is_some() || self.kept.fresh(&place.key()).is_some()
    }
}

fn environment(place: &Place) -> Option<String> {
    if !matches!(place.provider.as_str(), "env" | "environment") || crate::secret::is_own(&place.name) {
        return None;
    }
    std::env::var(&place.name).ok()
}

fn not_set(name: &str) -> TaskError {
    ask::coded(Code::SecretNotFound, format!("the environment variable {name} is not set on the worker"))
}

/// An address without the slash at its end.
fn trimmed(address: &str) -> &str {
    address.trim().trim_end_matches('/')
}
