//! Google Secret Manager: `projects/P/secrets/N/versions/V:access`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use noetl_domain::Value;
use noetl_domain::error::TaskError;

use super::{Question, trimmed};
use crate::{ask, google};

const ENDPOINT: &str = "https://secretmanager.googleapis.com";

pub(super) async fn fetch(question: Question<'_>) -> Result<String, TaskError> {
    let endpoint = question.setting(&["endpoint", "url"], &[]).unwrap_or_else(|| ENDPOINT.into());
    let endpoint = trimmed(&endpoint);
    let name = question.place.path().trim_matches('/');
    let mut path = if name.starts_with("projects/") {
        name.to_owned()
    } else {
        let project = question
            .setting(&["project", "project_id"], &["GOOGLE_CLOUD_PROJECT", "GCP_PROJECT"])
            .ok_or_else(|| question.lacks("give `project`, or set GOOGLE_CLOUD_PROJECT on the worker"))?;
        format!("projects/{project}/secrets/{name}")
    };
    if !path.contains("/versions/") {
        let version = question.setting(&["version"], &[]).unwrap_or_else(|| "latest".into());
        path = format!("{path}/versions/{version}");
    }
    let token = match (question.held(&["access_token", "token"], &[]), question.credential) {
        (Some(token), _) => token,
        (None, Some(credential)) => google::token(question.kept, question.client, credential, None).await?,
        (None, None) => google::ambient(question.kept, question.client).await?,
    };
    let what = question.place.what(endpoint);
    let request = question.client.get(format!("{endpoint}/v1/{path}:access")).bearer_auth(token);
    let answer = Value::Object(ask::json(request, &what).await?);
    let data =
        answer.pointer("/payload/data").and_then(Value::as_str).and_then(|data| BASE64.decode(data).ok());
    let text = data.and_then(|data| String::from_utf8(data).ok());
    let text = text.ok_or_else(|| ask::refused(&what, "the answer has no text in payload.data"))?;
    question.pick(Value::String(text), endpoint)
}
