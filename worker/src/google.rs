//! Google's service accounts: a signed claim is exchanged for an access token, or for an ID token when there is an
//! audience. Credentials of users (`refresh_token`) and the machine's own identity give tokens, too.

mod claim;

use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use crate::credential::Credential;
use crate::job::now_ms;
use crate::kept::{Fetched, Kept};
use crate::{ask, fields};

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// What Google gives a claim at most.
const LIFE_SECONDS: i64 = 3600;

/// Whether a credential is Google's and gives tokens only in exchange.
pub(crate) fn is_exchanged(data: &Map) -> bool {
    let has = |key: &str| data.get(key).is_some_and(|value| !value.is_null());
    has("private_key") && has("client_email") || has("refresh_token") && has("client_id")
}

/// The data of the account; some store Google's JSON file as text inside the credential.
pub(crate) fn account(data: &Map) -> Map {
    let places = ["service_account_json", "service_account", "credentials_json", "json", "key_json"];
    for place in places {
        let inner = match data.get(place) {
            Some(Value::Object(inner)) => Some(inner.clone()),
            Some(Value::String(text)) => serde_json::from_str(text).ok(),
            _ => None,
        };
        if let Some(inner) = inner {
            let mut all: Map = data.iter().filter(|(key, _)| *key != place).map(own).collect();
            all.extend(inner);
            return all;
        }
    }
    data.clone()
}

fn own((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

/// The token of a credential: kept until shortly before it ends. With an audience it is an ID token.
pub(crate) async fn token(
    kept: &Kept,
    client: &reqwest::Client,
    credential: &Credential,
    audience: Option<&str>,
) -> Result<String, TaskError> {
    let data = account(&credential.data);
    let text = |key: &str| data.get(key).map(fields::text).filter(|text| !text.is_empty());
    let audience = audience.map(str::to_owned).or_else(|| text("audience"));
    let scopes = scopes(&data);
    let subject = text("subject").or_else(|| text("sub")).unwrap_or_default();
    // The key's own id stands for the key, so that a credential registered anew is exchanged anew.
    let who = text("client_email").or_else(|| text("client_id")).unwrap_or_default();
    let which = text("private_key_id").unwrap_or_else(|| claim::fingerprint(&data));
    let key = format!("google:{who}:{which}:{subject}:{scopes}:{}", audience.as_deref().unwrap_or_default());
    let value =
        kept.get(&key, exchange(client, &data, &credential.name, &scopes, audience.as_deref())).await?;
    Ok(fields::text(&value))
}

async fn exchange(
    client: &reqwest::Client,
    data: &Map,
    name: &str,
    scopes: &str,
    audience: Option<&str>,
) -> Result<Fetched, TaskError> {
    let text = |key: &str| data.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let uri = text("token_uri").unwrap_or(TOKEN_URI);
    let form = if let (Some(refresh), None) = (text("refresh_token"), text("private_key")) {
        let mut form =
            vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh.to_owned())];
        for key in ["client_id", "client_secret"] {
            form.extend(text(key).map(|value| (key, value.to_owned())));
        }
        form.extend(audience.map(|audience| ("audience", audience.to_owned())));
        form
    } else {
        let claim = claim::signed(data, name, uri, scopes, audience, now_ms() / 1000, LIFE_SECONDS)?;
        vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()), ("assertion", claim)]
    };
    let what = format!("a Google token for credential {name:?} from {uri}");
    let answer = ask::json(client.post(uri).form(&form), &what).await.map_err(|error| TaskError {
        // A refused claim is a refused credential, whatever the endpoint's status says.
        code: match error.code.as_deref() {
            Some("TL008") => error.code,
            _ => Some(Code::TokenFailed.as_str().into()),
        },
        ..error
    })?;
    let field = if audience.is_some() { "id_token" } else { "access_token" };
    let token = answer.get(field).and_then(Value::as_str);
    let token = token.ok_or_else(|| failed(format!("{what}: the answer has no {field}")))?;
    let told = answer.get("expires_in").and_then(fields::number);
    let seconds = told.or_else(|| claim::seconds_left(token, now_ms() / 1000)).unwrap_or(LIFE_SECONDS as f64);
    Ok(Fetched { value: token.into(), seconds })
}

/// The token of the machine's own identity: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, else the metadata
/// server of Google's machines.
pub(crate) async fn ambient(kept: &Kept, client: &reqwest::Client) -> Result<String, TaskError> {
    if let Ok(path) = std::env::var("GOOGLE_APPLICATION_CREDENTIALS") {
        let read = tokio::fs::read(&path).await.map_err(|error| error.to_string());
        let data = read.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
        let data = data.map_err(|reason| {
            failed(format!("GOOGLE_APPLICATION_CREDENTIALS names {path}, which cannot be read: {reason}"))
        })?;
        let credential = Credential { name: path, kind: "google_oauth".into(), data };
        return token(kept, client, &credential, None).await;
    }
    let host = std::env::var("GCE_METADATA_HOST").unwrap_or_else(|_| "metadata.google.internal".into());
    let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
    let fetch = async {
        let what = format!(
            "a Google token of this machine from {host}; name a credential under `auth` to use its own"
        );
        let answer = ask::json(client.get(&url).header("Metadata-Flavor", "Google"), &what).await?;
        let token = answer.get("access_token").cloned();
        let value = token.ok_or_else(|| failed(format!("{what}: the answer has no access_token")))?;
        let seconds = answer.get("expires_in").and_then(fields::number).unwrap_or(300.0);
        Ok(Fetched { value, seconds })
    };
    Ok(fields::text(&kept.get(&format!("google:{url}"), fetch).await?))
}

fn scopes(data: &Map) -> String {
    match data.get("scopes").or_else(|| data.get("scope")) {
        Some(Value::Array(scopes)) => scopes.iter().map(fields::text).collect::<Vec<_>>().join(" "),
        Some(Value::String(scopes)) if !scopes.trim().is_empty() => scopes.replace(',', " "),
        _ => SCOPE.to_owned(),
    }
}

fn failed(message: String) -> TaskError {
    ask::coded(Code::TokenFailed, message)
}
