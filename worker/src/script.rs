//! External code (playbooks.md 11): `script` from a file or over HTTP, and code in base64.

use std::time::Duration;

use base64::Engine as _;
use noetl_domain::code::Code;
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use crate::auth::{self, Auth};
use crate::fields;
use crate::job::Job;

const TIMEOUT: f64 = 30.0;

/// The script that a task names, when it takes one from elsewhere.
pub(crate) fn wanted(config: &Map) -> Option<&Value> {
    config.get("script").filter(|script| match script {
        Value::Object(map) => {
            map.contains_key("uri") || map.contains_key("source") || map.contains_key("url")
        }
        Value::String(text) => is_place(text),
        _ => false,
    })
}

/// Plain text under `script` is a place when it looks like one, and code otherwise.
fn is_place(text: &str) -> bool {
    let text = text.trim();
    !text.contains('\n')
        && (text.contains("://") || [".py", ".sql", ".sh", ".txt"].iter().any(|end| text.ends_with(end)))
}

/// Loads the text of a rendered `script`.
pub(crate) async fn load(job: &Job, script: &Value, auth: &Auth) -> Result<String, TaskError> {
    let source = script.get("source").filter(|source| source.is_object());
    let text = |from: Option<&Value>, key: &str| from?.get(key)?.as_str().map(str::to_owned);
    let kind = text(source, "type").or_else(|| text(Some(script), "type")).unwrap_or_default();
    if kind == "inline" {
        return text(source, "code").ok_or_else(|| unavailable("source.type inline needs source.code"));
    }
    let uri = script.as_str().map(str::to_owned);
    let uri =
        uri.or_else(|| text(Some(script), "uri")).or_else(|| text(Some(script), "url")).unwrap_or_default();
    let endpoint = text(source, "endpoint").unwrap_or_default();
    if uri.is_empty() && endpoint.is_empty() {
        return Err(unavailable("`script` needs `uri`"));
    }
    match (uri.split_once("://").map(|(scheme, _)| scheme), kind.as_str()) {
        (Some("http" | "https"), _) | (None, "http" | "https") => {
            if !uri.contains("://") && endpoint.is_empty() {
                return Err(unavailable(&format!(
                    "{uri} is relative; give the rest of it as source.endpoint"
                )));
            }
            let url = if uri.contains("://") { uri } else { join(&endpoint, &uri) };
            over_http(job, &url, source, auth).await
        }
        (Some("file"), _) => file(job, uri.trim_start_matches("file://")).await,
        (None, "file" | "") if !uri.is_empty() => file(job, &uri).await,
        (Some("gs"), _) | (None, "gcs") => Err(elsewhere(&uri, "Google Cloud Storage")),
        (Some("s3"), _) | (None, "s3") => Err(elsewhere(&uri, "S3")),
        (Some(scheme), _) => {
            Err(unavailable(&format!("{uri}: the scheme {scheme} is not known; use file or http(s)")))
        }
        (None, kind) => Err(unavailable(&format!("source.type {kind:?} is not known; use file or http"))),
    }
}

/// The task's fields with the loaded text in the place of `script`, which comes before every other source.
pub(crate) fn replace(config: &Map, tool: &str, text: String) -> Map {
    let mut config = config.clone();
    let field = match tool {
        "python" => "code",
        "http" => "body",
        _ => "command",
    };
    for key in
        ["script", "code", "code_b64", "code_base64", "command", "command_b64", "commands", "commands_b64"]
    {
        config.remove(key);
    }
    config.insert(field.into(), Value::String(text));
    config
}

/// Opens `command_b64` and `commands_b64`; python opens `code_b64` by itself.
pub(crate) fn decode(config: &Map, tool: &str) -> Result<Map, TaskError> {
    let mut config = config.clone();
    for (packed, plain) in [("command_b64", "command"), ("commands_b64", "commands")] {
        let Some(value) = config.remove(packed) else { continue };
        let text: String = fields::text(&value).chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text);
        let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
            TaskError::new("config", format!("{packed} is not UTF-8 text in base64"))
                .with_code(Code::ToolInput.as_str())
        })?;
        config.insert(plain.into(), Value::String(text));
    }
    if tool == "shell"
        && let Some(Value::String(text)) = config.get("script").cloned()
    {
        config.remove("script");
        config.entry("code").or_insert(Value::String(text));
    }
    Ok(config)
}

async fn file(job: &Job, path: &str) -> Result<String, TaskError> {
    let full = job.services.config.work_dir.join(path);
    tokio::fs::read_to_string(&full).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            unavailable(&format!("there is no file {}", full.display())).with_code("TL005")
        }
        _ => unavailable(&format!("{} cannot be read: {error}", full.display())),
    })
}

async fn over_http(job: &Job, url: &str, source: Option<&Value>, auth: &Auth) -> Result<String, TaskError> {
    let field = |key: &str| source.and_then(|source| source.get(key));
    let method = field("method").map_or_else(|| "GET".into(), fields::text).to_ascii_uppercase();
    let method = reqwest::Method::from_bytes(method.as_bytes())
        .map_err(|_| unavailable(&format!("{method:?} is not an HTTP method")))?;
    let seconds = field("timeout").and_then(fields::seconds).unwrap_or(TIMEOUT);
    let client = job.services.providers.clients.plain()?;
    let mut request = client.request(method, url);
    if let Ok(limit) = Duration::try_from_secs_f64(seconds) {
        request = request.timeout(limit);
    }
    for (name, value) in field("headers").and_then(Value::as_object).into_iter().flatten() {
        request = request.header(name.as_str(), fields::text(value));
    }
    let credential = match field("auth").filter(|auth| !auth.is_null()) {
        Some(written) => {
            auth::resolve(job, written, None, "http", None)
                .await
                .map_err(|error| TaskError { message: format!("script {url}: {}", error.message), ..error })?
                .primary
        }
        None => auth.primary.clone().filter(|_| field("auth").is_some()),
    };
    if let Some(credential) = credential {
        request = crate::tools::http::authorise(request, &credential)?;
    }
    let answer = request.send().await.map_err(|error| {
        let how = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
        let mut failed = unavailable(&format!("{url} {how}: {}", error.without_url()));
        failed.retryable = true;
        failed
    })?;
    let status = answer.status();
    if !status.is_success() {
        let mut failed = unavailable(&format!("{url} answered HTTP {}", status.as_u16()));
        failed.status_code = Some(status.as_u16());
        failed.retryable = status.is_server_error() || status.as_u16() == 429;
        return Err(failed);
    }
    answer.text().await.map_err(|error| unavailable(&format!("{url} broke off: {}", error.without_url())))
}

fn join(endpoint: &str, uri: &str) -> String {
    format!("{}/{}", endpoint.trim_end_matches('/'), uri.trim_start_matches('/'))
}

fn elsewhere(uri: &str, store: &str) -> TaskError {
    unavailable(&format!(
        "{uri} lies in {store}, which this build cannot read; serve the script over http(s) or put it in a file"
    ))
}

fn unavailable(message: &str) -> TaskError {
    TaskError::new("script", format!("the script could not be loaded: {message}"))
        .with_code(Code::ScriptUnavailable.as_str())
}
