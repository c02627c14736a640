//! AWS Secrets Manager: `GetSecretValue`, signed with version 4.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use noetl_domain::Value;
use noetl_domain::error::TaskError;
use serde_json::json;

use super::signed::{Key, sign};
use super::{Question, trimmed};
use crate::ask;

pub(super) async fn fetch(question: Question<'_>) -> Result<String, TaskError> {
    let name = question.place.path();
    // The region is the fourth part of an ARN.
    let of_arn = name.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)).map(str::to_owned);
    let region = question
        .setting(&["region"], &["AWS_REGION", "AWS_DEFAULT_REGION"])
        .or(of_arn)
        .ok_or_else(|| question.lacks("give `region`, or set AWS_REGION on the worker"))?;
    let endpoint = question
        .setting(&["endpoint", "url"], &["AWS_ENDPOINT_URL_SECRETS_MANAGER"])
        .unwrap_or_else(|| format!("https://secretsmanager.{region}.amazonaws.com"));
    let endpoint = trimmed(&endpoint);
    let id = question.held(&["access_key_id", "aws_access_key_id", "key_id"], &["AWS_ACCESS_KEY_ID"]);
    let secret = question
        .held(&["secret_access_key", "aws_secret_access_key", "secret_key"], &["AWS_SECRET_ACCESS_KEY"]);
    let (Some(id), Some(secret)) = (id, secret) else {
        return Err(question.lacks("its credential needs `access_key_id` and `secret_access_key`"));
    };
    let token = question.held(&["session_token", "aws_session_token"], &["AWS_SESSION_TOKEN"]);

    let mut body = json!({"SecretId": name});
    if let Some(version) = question.setting(&["version"], &[]).filter(|version| version != "latest") {
        body["VersionId"] = version.into();
    }
    if let Some(stage) = question.setting(&["stage"], &[]) {
        body["VersionStage"] = stage.into();
    }
    let body = body.to_string();
    let url: reqwest::Url =
        endpoint.parse().map_err(|error| question.lacks(&format!("{endpoint:?} is not a URL: {error}")))?;
    let mut headers = vec![
        ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
        ("x-amz-target".to_owned(), "secretsmanager.GetSecretValue".to_owned()),
    ];
    headers.extend(token.map(|token| ("x-amz-security-token".to_owned(), token)));
    let key = Key { id: &id, secret: &secret, region: &region, service: "secretsmanager" };
    let headers = sign(&key, "POST", &url, headers, body.as_bytes(), chrono::Utc::now());
    let mut request = question.client.post(url).body(body);
    for (name, value) in headers.iter().filter(|(name, _)| name != "host") {
        request = request.header(name, value);
    }
    let what = question.place.what(endpoint);
    let answer = ask::json(request, &what).await?;
    if let Some(text) = answer.get("SecretString").and_then(Value::as_str) {
        return question.pick(text.into(), endpoint);
    }
    let bytes = answer.get("SecretBinary").and_then(Value::as_str).and_then(|text| BASE64.decode(text).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text
        .ok_or_else(|| ask::refused(&what, "the answer has neither SecretString nor text in SecretBinary"))?;
    question.pick(text.into(), endpoint)
}
