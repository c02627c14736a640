//! Shared clients: one per combination of settings that reqwest fixes when a client is built.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use noetl_domain::Value;
use noetl_domain::error::TaskError;

use super::Input;
use crate::fields;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_CONNECT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(Arc<Mutex<HashMap<Settings, reqwest::Client>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Settings {
    verify: bool,
    redirects: bool,
    connect: Duration,
    read: Option<Duration>,
}

impl Clients {
    pub(super) fn get(&self, input: &Input) -> Result<reqwest::Client, TaskError> {
        let (connect, read) = apart(timeout(input));
        self.with(Settings {
            verify: flag(input.verify.as_ref().or(input.verify_ssl.as_ref()), true),
            redirects: flag(input.follow_redirects.as_ref(), true),
            connect: connect.unwrap_or(DEFAULT_CONNECT),
            read,
        })
    }

    /// A client with the default settings.
    pub(crate) fn plain(&self) -> Result<reqwest::Client, TaskError> {
        self.with(Settings { verify: true, redirects: true, connect: DEFAULT_CONNECT, read: None })
    }

    /// A client that trusts this authority, too. Not shared: such endpoints are asked rarely.
    pub(crate) fn trusting(pem: &str) -> Result<reqwest::Client, TaskError> {
        let failed = |error: reqwest::Error| {
            TaskError::new("config", format!("the certificate authority cannot be used: {error}"))
                .with_code("CR002")
        };
        let authorities = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(failed)?;
        let builder =
            builder(Settings { verify: true, redirects: true, connect: DEFAULT_CONNECT, read: None });
        builder.tls_certs_merge(authorities).build().map_err(failed)
    }

    fn with(&self, settings: Settings) -> Result<reqwest::Client, TaskError> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&settings) {
            return Ok(client.clone());
        }
        let client = builder(settings)
            .build()
            .map_err(|error| TaskError::new("config", format!("cannot set up an HTTP client: {error}")))?;
        clients.insert(settings, client.clone());
        Ok(client)
    }
}

fn builder(settings: Settings) -> reqwest::ClientBuilder {
    // The provider is process-wide; whoever came first is as good as this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = if settings.redirects {
        reqwest::redirect::Policy::limited(10)
    } else {
        reqwest::redirect::Policy::none()
    };
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("noetl/", env!("CARGO_PKG_VERSION")))
        .redirect(redirects)
        .connect_timeout(settings.connect)
        .pool_max_idle_per_host(64)
        .tls_danger_accept_invalid_certs(!settings.verify);
    if let Some(read) = settings.read {
        builder = builder.read_timeout(read);
    }
    builder
}

fn timeout(input: &Input) -> Option<&Value> {
    input.timeout.as_ref().or(input.timeout_seconds.as_ref())
}

/// The time the whole request may take; `{connect, read}` has no such limit.
pub(super) fn total(input: &Input) -> Option<Duration> {
    match timeout(input) {
        None | Some(Value::Null) => Some(DEFAULT_TIMEOUT),
        Some(Value::Object(_)) => None,
        Some(value) => Some(fields::seconds(value).map_or(DEFAULT_TIMEOUT, duration)),
    }
}

fn apart(timeout: Option<&Value>) -> (Option<Duration>, Option<Duration>) {
    let Some(Value::Object(parts)) = timeout else { return (None, None) };
    let part = |name: &str| parts.get(name).and_then(fields::seconds).map(duration);
    (part("connect"), part("read").or(Some(DEFAULT_TIMEOUT)))
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(DEFAULT_TIMEOUT)
}

fn flag(value: Option<&Value>, otherwise: bool) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => {
            !matches!(text.trim().to_ascii_lowercase().as_str(), "false" | "no" | "0" | "off")
        }
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        _ => otherwise,
    }
}
