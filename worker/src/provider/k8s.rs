//! Secrets of Kubernetes, from inside of a cluster or from outside with a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use super::{Question, trimmed};
use crate::ask;
use crate::tools::http::Clients;

/// Where a pod finds who it is.
const IDENTITY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) async fn fetch(question: Question<'_>) -> Result<String, TaskError> {
    let endpoint = question.setting(&["endpoint", "address", "url"], &[]).or_else(in_cluster);
    let endpoint =
        endpoint.ok_or_else(|| question.lacks("give `endpoint`; this worker runs outside of a cluster"))?;
    let endpoint = trimmed(&endpoint);
    let token = question.held(&["token", "access_token", "bearer_token"], &[]);
    let token = token.or_else(|| identity("token"));
    let token = token.ok_or_else(|| question.lacks("its credential needs `token`"))?;
    let path = question.place.path().trim_matches('/');
    let (namespace, name) =
        path.split_once('/').map_or((None, path), |(namespace, name)| (Some(namespace), name));
    let namespace = namespace.map(str::to_owned).or_else(|| question.setting(&["namespace"], &[]));
    let namespace = namespace.or_else(|| identity("namespace")).unwrap_or_else(|| "default".into());
    // A cluster signs its own certificate.
    let authority =
        question.held(&["ca_cert", "certificate_authority", "ca"], &[]).or_else(|| identity("ca.crt"));
    let client = match authority.filter(|_| endpoint.starts_with("https://")) {
        Some(pem) => Clients::trusting(&pem)?,
        None => question.client.clone(),
    };
    let what = question.place.what(endpoint);
    let url = format!("{endpoint}/api/v1/namespaces/{namespace}/secrets/{name}");
    let answer = ask::json(client.get(url).bearer_auth(token), &what).await?;
    let Some(Value::Object(data)) = answer.get("data") else {
        return Err(ask::refused(&what, "the secret has no data"));
    };
    let opened: Option<Map> =
        data.iter().map(|(key, value)| Some((key.clone(), opened(value)?.into()))).collect();
    let opened = opened.ok_or_else(|| ask::refused(&what, "its data is not text in base64"))?;
    question.pick(Value::Object(opened), endpoint)
}

fn opened(value: &Value) -> Option<String> {
    String::from_utf8(BASE64.decode(value.as_str()?).ok()?).ok()
}

fn in_cluster() -> Option<String> {
    let host = std::env::var("KUBERNETES_SERVICE_HOST").ok()?;
    let port = std::env::var("KUBERNETES_SERVICE_PORT").unwrap_or_else(|_| "443".into());
    Some(format!("https://{host}:{port}"))
}

fn identity(file: &str) -> Option<String> {
    let text = std::fs::read_to_string(std::path::Path::new(IDENTITY).join(file)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
