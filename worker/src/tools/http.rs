//! `http`: one request with everything playbooks.md 14.1 allows, over pooled connections.

mod body;
mod client;
mod failure;

use noetl_domain::error::TaskError;
use noetl_domain::playbook::Dialect;
use noetl_domain::result::ResultKind;
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use reqwest::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

pub(crate) use client::Clients;

use crate::credential::Credential;
use crate::fields;
use crate::tool::{Failure, Output, TaskContext, Tool};

/// Bytes of an answer that are kept; a larger one is an error rather than a full memory.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

#[derive(Clone, Debug, Default)]
pub struct Http {
    clients: Clients,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Input {
    /// GET unless said otherwise.
    pub method: Option<String>,
    /// Where to send the request.
    pub url: Option<String>,
    /// Another name for `url`.
    pub endpoint: Option<String>,
    pub headers: Option<Map>,
    /// Query parameters; numbers and booleans become text, nulls are left out, lists repeat the name.
    pub params: Option<Map>,
    /// Sent as JSON.
    pub json: Option<Value>,
    /// Text is sent as it is, everything else as JSON.
    pub body: Option<Value>,
    /// Another name for `body`.
    pub payload: Option<Value>,
    /// Sent as a form.
    pub form: Option<Value>,
    /// `{query, body}`, or a map: the query of GET and DELETE, the JSON body of others.
    pub data: Option<Value>,
    /// Seconds (default 30), or `{connect, read}`.
    pub timeout: Option<Value>,
    /// The same as `timeout`.
    pub timeout_seconds: Option<Value>,
    /// Check the server's certificate (default true).
    pub verify: Option<Value>,
    /// The same as `verify`.
    pub verify_ssl: Option<Value>,
    /// Follow redirects (default true).
    pub follow_redirects: Option<Value>,
    /// `json`, `text` or `binary` (base64); without it the answer's own type decides.
    pub response_type: Option<String>,
}

impl Tool for Http {
    const KIND: &'static str = "http";
    const ABOUT: &'static str = "Sends an HTTP request; an answer outside 200..299 is an error.";
    const TEXT: &'static [&'static str] = &["url", "endpoint", "method"];
    type Input = Input;

    async fn run(&self, input: Input, ctx: &TaskContext) -> Result<Output, Failure> {
        let method = method(input.method.as_deref())?;
        let Some(url) = input.url.as_deref().or(input.endpoint.as_deref()).filter(|url| !url.is_empty())
        else {
            return Err(wrong("an http task needs `url`").into());
        };
        let url = address(url)?;
        let client = self.clients.get(&input)?;
        let mut request = client.request(method.clone(), url.clone());
        request = body::headers(request, input.headers.as_ref())?;
        request = body::query(request, &input, &method);
        request = body::body(request, &input, &method);
        if let Some(credential) = &ctx.credential {
            request = authorise(request, credential)?;
        }
        if let Some(limit) = client::total(&input) {
            request = request.timeout(limit);
        }
        let started = std::time::Instant::now();
        let request = request.build().map_err(|error| failure::sending(&error, &method, &url))?;
        let body = request.body().and_then(reqwest::Body::as_bytes).map_or(0, <[u8]>::len);
        ctx.meter.add(Usage::given(request.url().as_str().len() + body));
        let answer =
            client.execute(request).await.map_err(|error| failure::sending(&error, &method, &url))?;
        let status = answer.status();
        let final_url = answer.url().to_string();
        let headers = body::read_headers(answer.headers());
        let bytes = body::read(answer, LARGEST_ANSWER).await.map_err(|error| match error {
            body::ReadError::TooLarge => {
                let message = format!("{method} {url} answered more than {LARGEST_ANSWER} bytes");
                TaskError::new("client_error", message)
            }
            body::ReadError::Transport(error) => failure::sending(&error, &method, &url),
        })?;
        let data = body::decode(&bytes, input.response_type.as_deref(), headers.get("content-type"));
        let mut result = json!({
            "status": if status.is_success() { "success" } else { "error" },
            "status_code": status.as_u16(),
            "headers": headers,
            "url": final_url,
            "elapsed": started.elapsed().as_secs_f64(),
            "data": data,
        });
        if ctx.dialect == Dialect::First {
            // The first generation reads every plugin's outcome as a process's.
            let exit_code = i32::from(!status.is_success());
            let text = fields::text(&result["data"]);
            result["output"] = json!({"exitCode": exit_code, "stdout": text, "stderr": ""});
        }
        if status.is_success() {
            return Ok(Output::Done { kind: ResultKind::Http, value: result });
        }
        let error = failure::status(status, &method, &url, &result["headers"], &result["data"]);
        Err(Failure { error, kind: ResultKind::Http, value: result })
    }
}

fn wrong(message: impl Into<String>) -> TaskError {
    TaskError::new("config", message).with_code("TL002")
}

fn method(written: Option<&str>) -> Result<Method, TaskError> {
    let written = written.unwrap_or("GET").trim().to_ascii_uppercase();
    Method::from_bytes(written.as_bytes()).map_err(|_| wrong(format!("{written:?} is not an HTTP method")))
}

fn address(written: &str) -> Result<reqwest::Url, TaskError> {
    let url = reqwest::Url::parse(written.trim())
        .map_err(|error| wrong(format!("{written:?} is not a URL: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(wrong(format!("{written:?}: the scheme {other} is not http or https"))),
    }
}

/// Puts a credential into the request, in the way its kind asks for.
pub(crate) fn authorise(
    request: reqwest::RequestBuilder,
    credential: &Credential,
) -> Result<reqwest::RequestBuilder, TaskError> {
    let field = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| credential.data.get(*name))
            .map(fields::text)
            .filter(|text| !text.is_empty())
    };
    let missing = |what: &str| {
        let message = format!("credential {:?} ({}) has no {what}", credential.name, credential.kind);
        TaskError::new("auth", message).with_code("CR002")
    };
    let token = || field(&["token", "access_token", "bearer_token", "value", "secret", "secret_value"]);
    Ok(match credential.kind.to_ascii_lowercase().replace('-', "_").as_str() {
        "basic" | "http_basic" => {
            let user = field(&["username", "user", "login"]).ok_or_else(|| missing("username"))?;
            request.basic_auth(user, field(&["password", "pass"]))
        }
        "api_key" | "apikey" => {
            let value = field(&["value", "api_key", "apikey", "key", "token", "secret", "secret_value"])
                .ok_or_else(|| missing("value"))?;
            let place = field(&["in", "location"]).unwrap_or_default();
            if place == "query" {
                let name = field(&["param", "name", "header"]).unwrap_or_else(|| "api_key".into());
                return Ok(request.query(&[(name, value)]));
            }
            let name = field(&["header", "header_name", "name"]).unwrap_or_else(|| "X-API-Key".into());
            body::header(request, &name, &value)?
        }
        "header" => {
            let name = field(&["name", "header"]).ok_or_else(|| missing("name"))?;
            let value = field(&["value", "token", "secret"]).ok_or_else(|| missing("value"))?;
            body::header(request, &name, &value)?
        }
        kind => match token() {
            Some(token) => body::header(request, "Authorization", &format!("Bearer {token}"))?,
            None if kind == "bearer" || kind == "oauth2" => return Err(missing("token")),
            None => match (field(&["username", "user"]), field(&["password"])) {
                (Some(user), password) => request.basic_auth(user, password),
                (None, _) => return Err(missing("token, nor a username")),
            },
        },
    })
}
