//! HashiCorp Vault: key-value engines of version 1 and 2, with a token or an AppRole.

use noetl_domain::Value;
use noetl_domain::error::TaskError;
use serde_json::json;

use super::{Question, trimmed};
use crate::kept::Fetched;
use crate::{ask, fields};

pub(super) async fn fetch(question: Question<'_>) -> Result<String, TaskError> {
    let address = question
        .setting(&["vault_addr", "vault_url", "endpoint", "address", "url"], &["VAULT_ADDR"])
        .ok_or_else(|| question.lacks("give `endpoint`, or set VAULT_ADDR on the worker"))?;
    let address = trimmed(&address);
    let namespace = question.setting(&["namespace"], &["VAULT_NAMESPACE"]);
    let token = token(question, address, namespace.as_deref()).await?;
    let is_second =
        question.setting(&["kv_version"], &[]).is_none_or(|version| version.trim_start_matches('v') != "1");
    let path = path(question, is_second);
    let mut request = question.client.get(format!("{address}/v1/{path}")).header("X-Vault-Token", token);
    if let Some(namespace) = namespace {
        request = request.header("X-Vault-Namespace", namespace);
    }
    if let Some(version) =
        question.setting(&["version"], &[]).filter(|version| is_second && version != "latest")
    {
        request = request.query(&[("version", version)]);
    }
    let mut answer = ask::json(request, &question.place.what(address)).await?;
    let mut secret = answer.remove("data").unwrap_or_default();
    if is_second {
        secret = secret.get_mut("data").map(Value::take).unwrap_or_default();
    }
    if secret.is_null() {
        return Err(ask::refused(
            &question.place.what(address),
            "the answer has no data; check `kv_version` and `mount`",
        ));
    }
    question.pick(secret, address)
}

/// `mount/data/name` for version 2 and `mount/name` for version 1; a name may bring its mount along.
fn path(question: Question<'_>, is_second: bool) -> String {
    let mount = question.setting(&["mount"], &[]).unwrap_or_else(|| "secret".into());
    let mount = mount.trim_matches('/');
    let name = question.place.path().trim_matches('/');
    let name = name.strip_prefix(mount).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    let name = if is_second { name.strip_prefix("data/").unwrap_or(name) } else { name };
    if is_second { format!("{mount}/data/{name}") } else { format!("{mount}/{name}") }
}

async fn token(question: Question<'_>, address: &str, namespace: Option<&str>) -> Result<String, TaskError> {
    if let Some(token) = question.held(&["token", "vault_token", "value", "secret"], &[]) {
        return Ok(token);
    }
    let role = question.held(&["role_id"], &["VAULT_ROLE_ID"]);
    let secret = question.held(&["secret_id"], &["VAULT_SECRET_ID"]);
    let (Some(role), Some(secret)) = (role, secret) else {
        let missing =
            "its credential needs `token`, or `role_id` and `secret_id`; or set VAULT_TOKEN on the worker";
        return question.held(&[], &["VAULT_TOKEN"]).ok_or_else(|| question.lacks(missing));
    };
    let login = async {
        let url = format!("{address}/v1/auth/approle/login");
        let mut request = question.client.post(&url).json(&json!({"role_id": role, "secret_id": secret}));
        if let Some(namespace) = namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        let answer = Value::Object(ask::json(request, &format!("a vault token from {url}")).await?);
        let token = answer.pointer("/auth/client_token").cloned();
        let value = token.ok_or_else(|| ask::refused(&url, "the answer has no auth.client_token"))?;
        let seconds = answer.pointer("/auth/lease_duration").and_then(fields::number).unwrap_or(60.0);
        Ok(Fetched { value, seconds })
    };
    Ok(fields::text(&question.kept.get(&format!("vault:{address}:{role}"), login).await?))
}
