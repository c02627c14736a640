//! Azure Key Vault, with a token or an application's own secret.

use noetl_domain::error::TaskError;

use super::{Question, trimmed};
use crate::kept::Fetched;
use crate::{ask, fields};

const AUTHORITY: &str = "https://login.microsoftonline.com";
const SCOPE: &str = "https://vault.azure.net/.default";

pub(super) async fn fetch(question: Question<'_>) -> Result<String, TaskError> {
    let vault = question.setting(&["vault_url", "endpoint", "url"], &["AZURE_KEY_VAULT_URL"]);
    let named = || {
        let name = question.setting(&["vault_name", "vault"], &[])?;
        Some(if name.contains("://") { name } else { format!("https://{name}.vault.azure.net") })
    };
    let vault = vault.or_else(named).ok_or_else(|| question.lacks("give `vault_url` or `vault_name`"))?;
    let vault = trimmed(&vault);
    let token = match question.held(&["access_token", "token"], &[]) {
        Some(token) => token,
        None => token(question).await?,
    };
    let version = question.setting(&["version"], &[]).filter(|version| version != "latest");
    let version = version.map(|version| format!("/{version}")).unwrap_or_default();
    let url = format!("{vault}/secrets/{}{version}", question.place.path());
    let api = question.setting(&["api_version"], &[]).unwrap_or_else(|| "7.4".into());
    let what = question.place.what(vault);
    let request = question.client.get(url).query(&[("api-version", api)]).bearer_auth(token);
    let answer = ask::json(request, &what).await?;
    let value = answer.get("value").filter(|value| value.is_string()).cloned();
    question.pick(value.ok_or_else(|| ask::refused(&what, "the answer has no value"))?, vault)
}

/// What the application's id and secret are exchanged for.
async fn token(question: Question<'_>) -> Result<String, TaskError> {
    let tenant = question.setting(&["tenant_id"], &["AZURE_TENANT_ID"]);
    let id = question.held(&["client_id"], &["AZURE_CLIENT_ID"]);
    let secret = question.held(&["client_secret"], &["AZURE_CLIENT_SECRET"]);
    let (Some(tenant), Some(id), Some(secret)) = (tenant, id, secret) else {
        let missing = "its credential needs `access_token`, or `tenant_id`, `client_id` and `client_secret`";
        return Err(question.lacks(missing));
    };
    let authority =
        question.setting(&["authority"], &["AZURE_AUTHORITY_HOST"]).unwrap_or_else(|| AUTHORITY.into());
    let url = format!("{}/{tenant}/oauth2/v2.0/token", trimmed(&authority));
    let scope = question.setting(&["scope"], &[]).unwrap_or_else(|| SCOPE.into());
    let exchange = async {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", &secret),
            ("scope", &scope),
        ];
        let answer =
            ask::json(question.client.post(&url).form(&form), &format!("an Azure token from {url}")).await?;
        let token = answer.get("access_token").cloned();
        let value = token.ok_or_else(|| ask::refused(&url, "the answer has no access_token"))?;
        let seconds = answer.get("expires_in").and_then(fields::number).unwrap_or(300.0);
        Ok(Fetched { value, seconds })
    };
    Ok(fields::text(&question.kept.get(&format!("azure:{url}:{id}:{scope}"), exchange).await?))
}
