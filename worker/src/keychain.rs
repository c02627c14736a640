//! `keychain:` entries (playbooks.md 12.3): resolved when a Command that names them is taken, never stored.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::KeychainEntry;
use noetl_domain::template::{Scope, View};
use noetl_domain::{Map, Value};
use tokio::sync::Mutex;

use crate::credential::Cached;
use crate::fields;
use crate::job::{Job, now_ms};
use crate::scope::Base;
use crate::tools::http::Clients;
use crate::{auth, secret};

/// A token this close to its end is fetched anew.
const MARGIN_MS: i64 = 30_000;

/// Tokens that cost a request, kept until they expire. One fetch at a time, so that none is fetched twice.
#[derive(Debug, Default)]
pub(crate) struct Keychain {
    cached: Mutex<HashMap<String, Cached>>,
    clients: Clients,
}

impl Keychain {
    /// A client for requests on the worker's own behalf.
    pub(crate) fn client(&self) -> Result<reqwest::Client, TaskError> {
        self.clients.plain()
    }
}

/// Every entry of the Command, by name, in order; later ones may read earlier ones.
pub(crate) async fn resolve(job: &Job, base: &Base) -> Result<Map, TaskError> {
    let mut resolved = Map::new();
    for entry in &job.command.keychain {
        let mut scope = base.scope.child();
        scope.bind("keychain", View::map(Arc::new(resolved.clone())));
        let value = one(job, base, &scope, entry, &resolved).await.map_err(|error| {
            let message = format!("keychain entry {:?}: {}", entry.name, error.message);
            TaskError { message, code: Some(Code::KeychainFailed.as_str().into()), ..error }
        })?;
        job.learn_credential(&value);
        resolved.insert(entry.name.clone(), Value::Object(value));
    }
    Ok(resolved)
}

async fn one(
    job: &Job,
    base: &Base,
    scope: &Scope,
    entry: &KeychainEntry,
    earlier: &Map,
) -> Result<Map, TaskError> {
    let config = base.map(job, scope, &entry.config).await?;
    let text = |key: &str| config.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match entry.kind.to_ascii_lowercase().as_str() {
        "secret_manager" | "secrets" | "secret" => {
            let provider = text("provider").unwrap_or("env");
            let mut data = Map::new();
            let names = config.get("map").and_then(Value::as_object).cloned();
            let names = names.or_else(|| {
                let name = text("name").or(text("secret_name")).or(text("key"))?;
                Some(Map::from_iter([("value".to_owned(), Value::from(name))]))
            });
            for (field, name) in names.ok_or_else(|| wrong("it needs `map`, field to secret name"))? {
                let value = secret::fetch(&provider.to_ascii_lowercase(), &fields::text(&name))
                    .map_err(|error| wrong(&error.to_string()))?;
                job.learn(&Value::String(value.clone()));
                data.insert(field, Value::String(value));
            }
            Ok(data)
        }
        "oauth2" | "oauth" => oauth2(job, entry, &config, earlier).await,
        "bearer" | "static" | "basic" | "api_key" if named(&config).is_none() => Ok(written(&config)),
        _ => {
            let name = named(&config).unwrap_or(&entry.name);
            let credential = auth::open(job, name).await?;
            let mut data = credential.data;
            if let Some(names) = config.get("map").and_then(Value::as_object) {
                for (field, from) in names {
                    if let Some(value) = data.get(&fields::text(from)).cloned() {
                        data.insert(field.clone(), value);
                    }
                }
            }
            Ok(data)
        }
    }
}

fn named(config: &Map) -> Option<&str> {
    ["credential", "key", "auth", "credential_name", "ref"].iter().find_map(|key| config.get(*key)?.as_str())
}

/// The values that stand in the entry itself.
fn written(config: &Map) -> Map {
    for key in ["data", "map", "value", "values"] {
        if let Some(Value::Object(map)) = config.get(key) {
            return map.clone();
        }
    }
    let mut data = config.clone();
    data.retain(|key, _| !matches!(key.as_str(), "auto_renew" | "ttl" | "scope" | "description"));
    data
}

/// Fetches a token, or takes the one that was fetched before.
async fn oauth2(job: &Job, entry: &KeychainEntry, config: &Map, earlier: &Map) -> Result<Map, TaskError> {
    let keychain = &job.services.keychain;
    let key = cache_key(job, entry);
    let mut cached = keychain.cached.lock().await;
    if let Some(Cached { value: Value::Object(value), expires_ms }) = cached.get(&key)
        && expires_ms.is_none_or(|expires| expires - MARGIN_MS > now_ms())
    {
        return Ok(value.clone());
    }
    let answer = request_token(job, keychain, config, earlier).await?;
    let token_field = config.get("token_field").and_then(Value::as_str).unwrap_or("access_token");
    let ttl_field = config.get("ttl_field").and_then(Value::as_str).unwrap_or("expires_in");
    let Some(token) = answer.get(token_field).cloned() else {
        return Err(wrong(&format!("the token endpoint's answer has no {token_field}")));
    };
    let seconds = answer.get(ttl_field).and_then(fields::number);
    let seconds = seconds.or_else(|| config.get("ttl").and_then(fields::seconds)).unwrap_or(300.0);
    let mut data = answer;
    data.entry("access_token").or_insert_with(|| token.clone());
    data.insert("token".into(), token);
    let expires_ms = Some(now_ms() + (seconds * 1000.0) as i64);
    cached.retain(|_, kept| kept.expires_ms.is_none_or(|expires| expires > now_ms()));
    cached.insert(key, Cached { value: Value::Object(data.clone()), expires_ms });
    Ok(data)
}

async fn request_token(
    job: &Job,
    keychain: &Keychain,
    config: &Map,
    earlier: &Map,
) -> Result<Map, TaskError> {
    let endpoint = ["endpoint", "url", "token_url"].iter().find_map(|key| config.get(*key)?.as_str());
    let endpoint = endpoint.ok_or_else(|| wrong("oauth2 needs `endpoint`"))?;
    let method = config.get("method").and_then(Value::as_str).unwrap_or("POST").to_ascii_uppercase();
    let method =
        reqwest::Method::from_bytes(method.as_bytes()).map_err(|_| wrong("its method is not HTTP's"))?;
    let mut request = keychain.clients.plain()?.request(method, endpoint).timeout(Duration::from_secs(30));
    let mut is_json = config.contains_key("json");
    for (name, value) in config.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = fields::text(value);
        if name.eq_ignore_ascii_case("content-type") {
            is_json = value.contains("json");
            continue;
        }
        request = request.header(name.as_str(), value);
    }
    if let Some(written) = config.get("auth") {
        let auth = auth::resolve(job, written, Some(earlier), "http", None).await?;
        let field = |names: &[&str]| {
            let data = auth.primary.as_ref().map(|credential| &credential.data)?;
            names.iter().find_map(|name| data.get(*name)).map(fields::text)
        };
        if let Some(user) = field(&["client_id", "username", "user"]) {
            request = request.basic_auth(user, field(&["client_secret", "password"]));
        } else if let Some(token) = field(&["token", "access_token"]) {
            request = request.bearer_auth(token);
        }
    }
    let body = ["data", "json", "form", "body", "payload"].iter().find_map(|key| config.get(*key));
    request = match body {
        Some(Value::Object(map)) if is_json => request.json(map),
        Some(Value::Object(map)) => {
            let pairs: Vec<_> = map.iter().map(|(name, value)| (name, fields::text(value))).collect();
            request.form(&pairs)
        }
        Some(other) => request.body(fields::text(other)),
        None => request,
    };
    let unreachable =
        |error: reqwest::Error| wrong(&format!("{endpoint} gave no token: {}", error.without_url()));
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(wrong(&format!("{endpoint} answered {status}")));
    }
    match answer.json().await.map_err(unreachable)? {
        Value::Object(map) => Ok(map),
        _ => Err(wrong(&format!("{endpoint} did not answer with a JSON object"))),
    }
}

/// Who shares the token: all executions of the playbook, this one, or this one and its descendants.
fn cache_key(job: &Job, entry: &KeychainEntry) -> String {
    let command = &job.command;
    let playbook = format!("{}:{}@{}", entry.name, command.path, command.version);
    match entry.scope.as_deref() {
        Some("global" | "catalog") => format!("{playbook}:global"),
        Some("shared") => {
            let root = command.scope.system.get("root_execution_id").map(fields::text);
            let root = root.or_else(|| command.parent.map(|parent| parent.to_string()));
            format!("{}:shared:{}", entry.name, root.unwrap_or_else(|| command.id.execution.to_string()))
        }
        _ => format!("{playbook}:{}", command.id.execution),
    }
}

fn wrong(message: &str) -> TaskError {
    TaskError::new("auth", message)
}
