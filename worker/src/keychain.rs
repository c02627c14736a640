//! `keychain:` entries (playbooks.md 12.3): resolved when a Command that names them is taken, never stored.

use std::sync::Arc;

use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::KeychainEntry;
use noetl_domain::template::{Scope, View};
use noetl_domain::{Map, Value};

use crate::credential::Credential;
use crate::fields;
use crate::job::Job;
use crate::kept::Fetched;
use crate::provider::Place;
use crate::scope::Base;
use crate::{ask, auth};

/// How long an execution keeps a token that it does not want renewed.
const PINNED_SECONDS: f64 = 86_400.0;

/// Every entry of the Command, by name, in order; later ones may read earlier ones.
pub(crate) async fn resolve(job: &Job, base: &Base) -> Result<Map, TaskError> {
    let mut resolved = Map::new();
    for entry in &job.command.keychain {
        let mut scope = base.scope.child();
        scope.bind("keychain", View::map(Arc::new(resolved.clone())));
        let value = one(job, base, &scope, entry, &resolved).await.map_err(|error| {
            let message = format!("keychain entry {:?}: {}", entry.name, error.message);
            let code = error.code.or_else(|| Some(Code::KeychainFailed.as_str().into()));
            TaskError { message, code, ..error }
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
                let place = match &name {
                    Value::Object(own) => {
                        let mut settings = config.clone();
                        settings.extend(own.clone());
                        let name = ["name", "secret_name", "key", "path"]
                            .iter()
                            .find_map(|key| own.get(*key)?.as_str());
                        Place::new(provider, name.unwrap_or_default(), &settings)
                    }
                    name => Place::new(provider, &fields::text(name), &config),
                };
                let value = auth::secret(job, &place, Some(earlier)).await?;
                data.insert(field, Value::String(value));
            }
            Ok(data)
        }
        "oauth2" | "oauth" => oauth2(job, entry, &config, earlier).await,
        "bearer" | "static" | "basic" | "api_key" if named(&config).is_none() => Ok(written(&config)),
        _ => {
            let name = named(&config).unwrap_or(&entry.name);
            let credential = auth::open(job, name).await?;
            let mut data = google_token(job, entry, &config, credential).await?;
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

/// The credential's data, with the token that it is exchanged for when the entry is of Google's kinds.
async fn google_token(
    job: &Job,
    entry: &KeychainEntry,
    config: &Map,
    mut credential: Credential,
) -> Result<Map, TaskError> {
    let kind = entry.kind.to_ascii_lowercase();
    if kind.contains("google") || kind.contains("service_account") || kind == "gcp" {
        for key in ["scopes", "scope", "audience", "subject"] {
            // `scope` of an entry may as well say who shares it.
            if let Some(value) = config.get(key).filter(|value| !value.is_null()) {
                credential.data.insert(key.into(), value.clone());
            }
        }
        let token = auth::token(job, credential.clone(), None).await?;
        job.learn(&Value::String(token.clone()));
        for name in ["access_token", "token"] {
            credential.data.insert(name.into(), token.clone().into());
        }
    }
    Ok(credential.data)
}

/// Fetches a token, or takes the one that was fetched before.
async fn oauth2(job: &Job, entry: &KeychainEntry, config: &Map, earlier: &Map) -> Result<Map, TaskError> {
    let kept = &job.services.providers.kept;
    let key = format!("keychain:{}", cache_key(job, entry));
    // Without renewal an execution goes on with the token that it began with.
    let is_renewed = !matches!(config.get("auto_renew"), Some(Value::Bool(false)));
    let pinned = format!("{key}:of:{}", job.command.id.execution);
    if let Some(Value::Object(token)) = kept.fresh(&pinned).filter(|_| !is_renewed) {
        return Ok(token);
    }
    let fetch = async {
        let answer = request_token(job, config, earlier).await?;
        let token_field = config.get("token_field").and_then(Value::as_str).unwrap_or("access_token");
        let ttl_field = config.get("ttl_field").and_then(Value::as_str).unwrap_or("expires_in");
        let Some(token) = at(&answer, token_field).cloned() else {
            return Err(wrong(&format!("the token endpoint's answer has no {token_field}")));
        };
        let seconds = at(&answer, ttl_field).and_then(fields::number);
        let seconds = seconds.or_else(|| config.get("ttl").and_then(fields::seconds)).unwrap_or(300.0);
        let mut data = answer;
        data.entry("access_token").or_insert_with(|| token.clone());
        data.insert("token".into(), token);
        Ok(Fetched { value: Value::Object(data), seconds })
    };
    let Value::Object(token) = kept.get(&key, fetch).await? else { return Ok(Map::new()) };
    if !is_renewed {
        kept.put(&pinned, Value::Object(token.clone()), PINNED_SECONDS);
    }
    Ok(token)
}

/// A field of an answer; a dotted path reaches into it.
fn at<'v>(answer: &'v Map, path: &str) -> Option<&'v Value> {
    let direct = answer.get(path);
    direct.or_else(|| {
        let (first, rest) = path.split_once('.')?;
        rest.split('.').try_fold(answer.get(first)?, |value, part| value.get(part))
    })
}

async fn request_token(job: &Job, config: &Map, earlier: &Map) -> Result<Map, TaskError> {
    let endpoint = ["endpoint", "url", "token_url"].iter().find_map(|key| config.get(*key)?.as_str());
    let endpoint = endpoint.ok_or_else(|| wrong("oauth2 needs `endpoint`"))?;
    let method = config.get("method").and_then(Value::as_str).unwrap_or("POST").to_ascii_uppercase();
    let method =
        reqwest::Method::from_bytes(method.as_bytes()).map_err(|_| wrong("its method is not HTTP's"))?;
    let mut request = job.services.providers.clients.plain()?.request(method, endpoint);
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
    ask::json(request, &format!("a token from {endpoint}")).await
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
