//! `auth` in every form of playbooks.md 12.2, resolved to opened credentials.

use std::pin::Pin;

use indexmap::IndexMap;
use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use crate::credential::{Credential, OpenError};
use crate::fields;
use crate::google;
use crate::job::Job;
use crate::provider::Place;
use crate::secret::is_own;

/// What a Task's `auth` resolves to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auth {
    /// The one for tools with a single connection.
    pub(crate) primary: Option<Credential>,
    pub(crate) aliases: IndexMap<String, Credential>,
}

impl Auth {
    /// What templates read as `auth.<alias>.<field>`.
    pub(crate) fn fields(&self) -> Map {
        let mut map = Map::new();
        if let Some(primary) = &self.primary {
            map.extend(primary.data.clone());
        }
        for (alias, credential) in &self.aliases {
            map.insert(alias.clone(), Value::Object(credential.data.clone()));
        }
        map
    }
}

/// Keys that mark a map as one credential rather than a map of aliases.
const SINGLE: &[&str] = &[
    "type",
    "tool",
    "kind",
    "source",
    "credential",
    "key",
    "env",
    "inline",
    "secret",
    "header",
    "token",
    "provider",
];

/// Keys that say where a credential comes from, rather than being part of it.
const SETTINGS: &[&str] =
    &["type", "tool", "kind", "source", "credential", "key", "env", "inline", "provider", "secret"];

/// Resolves a rendered `auth`. `keychain` holds the entries already resolved for this Command.
pub(crate) async fn resolve(
    job: &Job,
    written: &Value,
    keychain: Option<&Map>,
    tool: &str,
    chosen: Option<&str>,
) -> Result<Auth, TaskError> {
    let mut auth = Auth::default();
    match written {
        Value::Null | Value::Bool(_) => return Ok(auth),
        Value::String(name) if name.trim().is_empty() => return Ok(auth),
        Value::String(name) => {
            let credential = named(job, name, keychain).await?;
            auth.aliases.insert(name.clone(), credential);
        }
        Value::Array(items) => {
            for item in items {
                let alias = ["as", "alias", "name", "key", "credential"]
                    .iter()
                    .find_map(|key| item.get(*key)?.as_str());
                let alias = item.as_str().or(alias).unwrap_or("credential").to_owned();
                auth.aliases.insert(alias, entry(job, item, keychain).await?);
            }
        }
        Value::Object(map) if is_single(map) => {
            let credential = entry(job, written, keychain).await?;
            auth.aliases.insert(credential.name.clone(), credential);
        }
        Value::Object(map) => {
            for (alias, item) in map {
                auth.aliases.insert(alias.clone(), entry(job, item, keychain).await?);
            }
        }
        Value::Number(_) => return Err(shape(format!("auth is {written}, neither a name nor a mapping"))),
    }
    if tool != "secrets" {
        // A provider is asked with the credential as it is; everyone else wants the token.
        for credential in auth.aliases.values_mut() {
            Box::pin(exchange(job, credential, None)).await?;
        }
    }
    if let Some(alias) = chosen {
        let known = || auth.aliases.keys().cloned().collect::<Vec<_>>().join(", ");
        let found = auth.aliases.get(alias).cloned();
        auth.primary =
            Some(found.ok_or_else(|| shape(format!("use_auth names {alias:?}, but auth has {}", known())))?);
    } else {
        let of_tool = auth.aliases.values().find(|credential| suits(&credential.kind, tool));
        auth.primary = of_tool.or_else(|| auth.aliases.values().next()).cloned();
    }
    Ok(auth)
}

fn suits(kind: &str, tool: &str) -> bool {
    kind.eq_ignore_ascii_case(tool)
        || (tool == "postgres" && kind.to_ascii_lowercase().starts_with("postgres"))
}

/// A map with a scalar under one of the telling keys is one credential; alias maps hold maps.
fn is_single(map: &Map) -> bool {
    let telling = |key: &str| SINGLE.contains(&key) || fields_of_a_credential(key);
    map.iter().any(|(key, value)| telling(key) && !value.is_object())
        || map.keys().any(|key| key == "inline")
        || map.values().all(|value| !value.is_object() && !value.is_string())
}

fn fields_of_a_credential(key: &str) -> bool {
    matches!(key, "username" | "password" | "user" | "access_token" | "api_key" | "value" | "client_id")
        || key.starts_with("db_")
}

/// One credential: a name, or a map that says where its fields come from.
async fn entry(job: &Job, written: &Value, keychain: Option<&Map>) -> Result<Credential, TaskError> {
    let map = match written {
        Value::String(name) => return named(job, name, keychain).await,
        Value::Object(map) => map,
        other => return Err(shape(format!("auth holds {other}, neither a name nor a mapping"))),
    };
    let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = text("type").or(text("tool")).or(text("kind"));
    let source = text("source").unwrap_or_default().to_ascii_lowercase();
    let reference = reference(map);
    let mut credential = if let Some(environment) = map.get("env").filter(|value| !value.is_null()) {
        Credential { name: "env".into(), kind: String::new(), data: from_env(environment, kind)? }
    } else if source == "env" {
        let name = text("key").or(text("name")).ok_or_else(|| shape("auth from env needs `key`".into()))?;
        Credential { name: name.to_owned(), kind: String::new(), data: one(kind, environment(name)?) }
    } else if let Some(inline) = map.get("inline") {
        let data = match inline {
            Value::Object(data) => data.clone(),
            other => one(kind, fields::text(other)),
        };
        Credential { name: "inline".into(), kind: String::new(), data }
    } else if matches!(source.as_str(), "secret_manager" | "secrets") || text("provider").is_some() {
        let provider =
            text("provider").ok_or_else(|| shape("auth from a secret manager needs `provider`".into()))?;
        let name = text("key").or(text("secret_name")).or(text("name")).unwrap_or_default();
        let value = secret(job, &Place::new(provider, name, map), keychain).await?;
        Credential { name: name.to_owned(), kind: String::new(), data: one(kind, value) }
    } else if let Some(name) = reference {
        named(job, name, keychain).await?
    } else if let Some(value) = map.get("secret") {
        Credential { name: "secret".into(), kind: "secret".into(), data: one(kind, fields::text(value)) }
    } else {
        Credential { name: kind.unwrap_or("inline").to_owned(), kind: String::new(), data: Map::new() }
    };
    // Everything else that is written beside it belongs to the credential: header, in, scope, username, …
    for (key, value) in map {
        let is_address = SETTINGS.contains(&key.as_str()) || (key == "name" && reference.is_some());
        if !is_address && !value.is_null() {
            credential.data.insert(key.clone(), value.clone());
        }
    }
    if let Some(kind) = kind {
        kind.clone_into(&mut credential.kind);
    } else if credential.kind.is_empty() {
        guess(&credential.data).clone_into(&mut credential.kind);
    }
    job.learn_credential(&credential.data);
    Ok(credential)
}

/// The credential of the vault or the keychain that a mapping names, unless it brings its own fields.
pub(crate) fn reference(map: &Map) -> Option<&str> {
    let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = text("type").or(text("tool")).or(text("kind"));
    let is_header = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("header"));
    let is_env = text("source").is_some_and(|source| source.eq_ignore_ascii_case("env"));
    text("credential")
        .or_else(|| text("key").filter(|_| !has_own_fields(map)))
        .or_else(|| text("name").filter(|_| !is_header && !has_own_fields(map) && !is_env))
}

fn has_own_fields(map: &Map) -> bool {
    map.keys().any(|key| {
        matches!(key.as_str(), "token" | "value" | "username" | "password" | "access_token" | "inline")
            || key.starts_with("db_")
    })
}

fn guess(data: &Map) -> &'static str {
    let has = |key: &str| data.contains_key(key);
    if has("db_host") || has("db_name") {
        "postgres"
    } else if has("token") || has("access_token") {
        "bearer"
    } else if has("username") || has("user") {
        "basic"
    } else if has("header") || has("api_key") {
        "api_key"
    } else {
        "secret"
    }
}

/// One secret value under the name that its kind reads.
fn one(kind: Option<&str>, value: String) -> Map {
    let mut data = Map::new();
    match kind.unwrap_or_default().to_ascii_lowercase().as_str() {
        "api_key" | "apikey" | "header" => data.insert("value".into(), value.into()),
        "basic" => {
            let (user, password) = value.split_once(':').unwrap_or((value.as_str(), ""));
            data.insert("username".into(), user.into());
            data.insert("password".into(), password.into())
        }
        "postgres" => data.insert("dsn".into(), value.into()),
        _ => data.insert("token".into(), value.into()),
    };
    data
}

fn from_env(written: &Value, kind: Option<&str>) -> Result<Map, TaskError> {
    match written {
        Value::Object(names) => names
            .iter()
            .map(|(field, name)| Ok((field.clone(), Value::String(environment(&fields::text(name))?))))
            .collect(),
        other => Ok(one(kind, environment(&fields::text(other))?)),
    }
}

fn environment(name: &str) -> Result<String, TaskError> {
    std::env::var(name).ok().filter(|_| !is_own(name)).ok_or_else(|| {
        let message = format!("the environment variable {name} is not set on the worker");
        coded(Code::CredentialShape, format!("a credential cannot be resolved: {message}"))
    })
}

/// A credential by name: a keychain entry that this Command brought along, or one of the vault.
async fn named(job: &Job, name: &str, keychain: Option<&Map>) -> Result<Credential, TaskError> {
    let name = name.trim();
    let entry = name.strip_prefix("keychain.").unwrap_or(name);
    if let Some(Value::Object(data)) = keychain.and_then(|entries| entries.get(entry)) {
        let kind =
            job.command.keychain.iter().find(|known| known.name == entry).map_or("", |known| &known.kind);
        let kind = match kind {
            "postgres_credential" => "postgres",
            "credential" | "secret_manager" | "secrets" | "static" | "" => guess(data),
            "oauth2" => "bearer",
            other => other,
        };
        return Ok(Credential { name: entry.to_owned(), kind: kind.to_owned(), data: data.clone() });
    }
    open(job, name).await
}

/// Opens a credential of the vault; what is secret in it is masked from here on.
pub(crate) async fn open(job: &Job, name: &str) -> Result<Credential, TaskError> {
    let opened = job.services.credentials.open(name, job.command.id.execution).await;
    let credential = opened.map_err(|error| match error {
        OpenError::Unknown(name) => {
            let message = format!(
                "there is no credential named {name:?}; register it with `noetl credential register` and try again"
            );
            coded(Code::UnknownCredential, message)
        }
        failed @ OpenError::Failed { .. } => coded(Code::CredentialShape, failed.to_string()),
    })?;
    job.learn_credential(&credential.data);
    Ok(credential)
}

/// The secret at a place, fetched with the credential that the place names; masked from here on.
pub(crate) fn secret<'a>(
    job: &'a Job,
    place: &'a Place,
    keychain: Option<&'a Map>,
) -> Pin<Box<dyn Future<Output = Result<String, TaskError>> + Send + 'a>> {
    Box::pin(async move {
        let providers = &job.services.providers;
        let kept = if providers.is_fresh(place) { providers.known(place) } else { None };
        let value = match (kept, place.settings.get("auth")) {
            (Some(value), _) => value,
            (None, None) => providers.fetch(place, None).await?,
            (None, Some(written)) => {
                let auth = resolve(job, written, keychain, "secrets", None).await?;
                providers.fetch(place, auth.primary.as_ref()).await?
            }
        };
        job.learn(&Value::String(value.clone()));
        Ok(value)
    })
}

/// Puts the token that Google gives in exchange into a credential of such a kind.
async fn exchange(job: &Job, credential: &mut Credential, audience: Option<&str>) -> Result<(), TaskError> {
    if google::is_exchanged(&google::account(&credential.data)) {
        let providers = &job.services.providers;
        let client = providers.clients.plain()?;
        let token = google::token(&providers.kept, &client, credential, audience).await?;
        job.learn(&Value::String(token.clone()));
        for name in ["access_token", "token"] {
            credential.data.insert(name.into(), token.clone().into());
        }
    }
    Ok(())
}

/// The token that a credential holds or is exchanged for, for `token('name')` and `secret.NAME`.
pub(crate) async fn token(
    job: &Job,
    mut credential: Credential,
    audience: Option<&str>,
) -> Result<String, TaskError> {
    exchange(job, &mut credential, audience).await?;
    let names =
        ["access_token", "token", "bearer_token", "secret", "secret_value", "value", "api_key", "password"];
    if let Some(value) = names.iter().find_map(|name| credential.data.get(*name)) {
        return Ok(fields::text(value));
    }
    let reason = if credential.data.contains_key("private_key") {
        "it has a private_key but no client_email, so it is no service account"
    } else {
        "it has neither access_token nor token"
    };
    Err(shape(format!("credential {:?} gives no token: {reason}", credential.name)))
}

fn shape(message: String) -> TaskError {
    coded(Code::CredentialShape, message)
}

fn coded(code: Code, message: String) -> TaskError {
    TaskError::new("auth", message).with_code(code.as_str())
}
