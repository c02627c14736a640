//! Where a task connects: a credential's fields, with the task's own fields over them.

use std::path::PathBuf;
use std::time::Duration;

use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::credential::Credential;
use crate::fields;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connection fields, in a task or in a credential; what is left out comes from the credential.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Fields {
    /// Server name or address, or the folder of its socket.
    #[serde(alias = "host")]
    pub db_host: Option<Value>,
    /// Port (default 5432).
    #[serde(alias = "port")]
    pub db_port: Option<Value>,
    #[serde(alias = "user", alias = "username")]
    pub db_user: Option<Value>,
    #[serde(alias = "password")]
    pub db_password: Option<Value>,
    /// Database (default: the user's name).
    #[serde(alias = "database", alias = "dbname")]
    pub db_name: Option<Value>,
    /// `disable`, `prefer` (default), `require`, `verify-ca`, `verify-full`.
    #[serde(alias = "ssl_mode")]
    pub sslmode: Option<Value>,
    /// PEM file of the authorities to trust, for the verifying modes.
    pub sslrootcert: Option<Value>,
    /// `postgresql://…` or `host=… user=…`; a map of these fields is accepted too.
    #[serde(alias = "connection", alias = "dsn", alias = "db_url", alias = "uri", alias = "url")]
    pub connection_string: Option<Value>,
}

pub(super) const SPELLINGS: &[(&str, &str)] = &[
    ("host", "db_host"),
    ("port", "db_port"),
    ("user", "db_user"),
    ("username", "db_user"),
    ("password", "db_password"),
    ("database", "db_name"),
    ("dbname", "db_name"),
    ("ssl_mode", "sslmode"),
    ("connection", "connection_string"),
    ("dsn", "connection_string"),
    ("db_url", "connection_string"),
    ("uri", "connection_string"),
    ("url", "connection_string"),
];

/// How much of the server's certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verify {
    /// Encrypt only, as other clients do for `prefer` and `require`.
    Nothing,
    /// Chain and host name, against these authorities or the system's.
    Full(Option<PathBuf>),
}

#[derive(Clone)]
pub(super) struct Target {
    pub config: Config,
    pub verify: Verify,
    /// `host:port/database`, for messages.
    pub place: String,
    /// Tells connections apart that must not be shared. Holds the password: never shown.
    pub key: String,
}

impl Target {
    pub(super) fn new(own: &Fields, credential: Option<&Credential>) -> Result<Self, TaskError> {
        let from_credential = match credential {
            Some(credential) => Fields::from_map(&credential.data)?,
            None => Fields::default(),
        };
        let mut config = Config::new();
        let mut sslmode = None;
        let mut rootcert = None;
        let mut given = false;
        for fields in [&from_credential, own] {
            given |= fields.apply(&mut config, &mut sslmode, &mut rootcert)?;
        }
        if !given {
            if let Some(credential) = credential.filter(|credential| !credential.data.is_empty()) {
                let message = format!(
                    "credential {:?} of type {} holds no connection to a database: it has none of db_host, db_user, … \
                     or connection_string",
                    credential.name, credential.kind
                );
                return Err(wrong(&message, "CR002"));
            }
            let message = "a postgres task needs a connection: `auth` with a credential of type postgres, \
                           `db_host`, `db_user`, … or `connection_string`";
            return Err(wrong(message, "TL002"));
        }
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_user().is_none() {
            return Err(wrong("the postgres connection names no user: db_user is missing", "CR002"));
        }
        let verify = apply_sslmode(&mut config, sslmode.as_deref(), rootcert)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("noetl");
        }
        let place = place(&config);
        let key = format!(
            "{place} {:?} {:?} {:?} {:?} {verify:?}",
            config.get_user(),
            config.get_password(),
            config.get_ssl_mode(),
            config.get_options()
        );
        Ok(Self { config, verify, place, key })
    }
}

impl Fields {
    fn from_map(map: &Map) -> Result<Self, TaskError> {
        // Two spellings of one field are no contradiction: the db_ one counts.
        let mut map = map.clone();
        for (alias, name) in SPELLINGS {
            if let Some(value) = map.remove(*alias) {
                map.entry(*name).or_insert(value);
            }
        }
        serde_json::from_value(Value::Object(map))
            .map_err(|error| wrong(&format!("the postgres connection fields are wrong: {error}"), "CR002"))
    }

    /// Puts what is given over what is there; returns whether anything was.
    fn apply(
        &self,
        config: &mut Config,
        sslmode: &mut Option<String>,
        rootcert: &mut Option<PathBuf>,
    ) -> Result<bool, TaskError> {
        let mut given = false;
        match &self.connection_string {
            Some(Value::Object(map)) => given |= Self::from_map(map)?.apply(config, sslmode, rootcert)?,
            Some(Value::String(text)) if !text.trim().is_empty() => {
                *config = parse(text.trim(), sslmode, rootcert)?;
                given = true;
            }
            _ => {}
        }
        let text = |value: &Option<Value>| value.as_ref().map(fields::text).filter(|text| !text.is_empty());
        if let Some(host) = text(&self.db_host) {
            let (ports, user, password) = (
                config.get_ports().to_vec(),
                config.get_user().map(str::to_owned),
                config.get_password().map(<[u8]>::to_vec),
            );
            // A host cannot be taken out of a Config again: begin anew with the rest.
            if !config.get_hosts().is_empty() {
                let mut fresh = Config::new();
                ports.first().map(|port| fresh.port(*port));
                user.map(|user| fresh.user(user));
                password.map(|password| fresh.password(password));
                config.get_dbname().map(|name| fresh.dbname(name));
                config.get_options().map(|options| fresh.options(options));
                *config = fresh;
            }
            config.host(host);
            given = true;
        }
        if let Some(port) = self.db_port.as_ref().filter(|port| !port.is_null() && *port != "") {
            let number = fields::integer(port).and_then(|number| u16::try_from(number).ok());
            let number = number
                .ok_or_else(|| wrong(&format!("the postgres port {port} is not a port number"), "CR002"))?;
            if config.get_ports().is_empty() {
                config.port(number);
            } else if config.get_ports() != [number] {
                *config = with_port(config, number);
            }
            given = true;
        }
        if let Some(user) = text(&self.db_user) {
            config.user(user);
            given = true;
        }
        if let Some(password) = text(&self.db_password) {
            config.password(password);
        }
        if let Some(name) = text(&self.db_name) {
            config.dbname(name);
        }
        if let Some(mode) = text(&self.sslmode) {
            *sslmode = Some(mode);
        }
        if let Some(path) = text(&self.sslrootcert) {
            *rootcert = Some(path.into());
        }
        Ok(given)
    }
}

fn with_port(config: &Config, port: u16) -> Config {
    let mut fresh = Config::new();
    for host in config.get_hosts() {
        match host {
            Host::Tcp(name) => fresh.host(name),
            Host::Unix(path) => fresh.host_path(path),
        };
    }
    fresh.port(port);
    config.get_user().map(|user| fresh.user(user));
    config.get_password().map(|password| fresh.password(password));
    config.get_dbname().map(|name| fresh.dbname(name));
    config.get_options().map(|options| fresh.options(options));
    fresh
}

/// Reads a connection string, lenient about what other libraries put into it.
fn parse(
    text: &str,
    sslmode: &mut Option<String>,
    rootcert: &mut Option<PathBuf>,
) -> Result<Config, TaskError> {
    // SQLAlchemy names its driver: postgresql+psycopg2://
    let text = match text.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("postgres") => format!("postgresql://{rest}"),
        _ => text.to_owned(),
    };
    let mut take = |name: &str, value: &str| match name {
        "sslmode" => {
            *sslmode = Some(value.to_owned());
            true
        }
        "sslrootcert" => {
            *rootcert = Some(value.into());
            true
        }
        _ => false,
    };
    let rest = match text.split_once('?') {
        Some((head, query)) if text.contains("://") => {
            let kept: Vec<&str> = query
                .split('&')
                .filter(|pair| pair.split_once('=').is_none_or(|(name, value)| !take(name, value)))
                .collect();
            if kept.is_empty() { head.to_owned() } else { format!("{head}?{}", kept.join("&")) }
        }
        None if !text.contains("://") => {
            let kept: Vec<&str> = text
                .split(' ')
                .filter(|pair| pair.split_once('=').is_none_or(|(name, value)| !take(name, value)))
                .collect();
            kept.join(" ")
        }
        _ => text,
    };
    // The text may hold a password: the message must not repeat it.
    rest.parse().map_err(|error: tokio_postgres::Error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        wrong(&format!("the postgres connection string cannot be read: {cause}"), "CR002")
    })
}

fn apply_sslmode(
    config: &mut Config,
    mode: Option<&str>,
    rootcert: Option<PathBuf>,
) -> Result<Verify, TaskError> {
    let (mode, verify) = match mode.unwrap_or("prefer").trim().to_ascii_lowercase().replace('_', "-").as_str()
    {
        "disable" | "false" => (SslMode::Disable, Verify::Nothing),
        "prefer" | "allow" => (SslMode::Prefer, Verify::Nothing),
        // Other clients check the chain as soon as they are given an authority.
        "require" | "true" if rootcert.is_none() => (SslMode::Require, Verify::Nothing),
        "require" | "true" | "verify-ca" | "verify-full" => (SslMode::Require, Verify::Full(rootcert)),
        other => {
            let message = format!(
                "sslmode {other:?} is not known; use disable, prefer, require, verify-ca or verify-full"
            );
            return Err(wrong(&message, "CR002"));
        }
    };
    config.ssl_mode(mode);
    Ok(verify)
}

fn place(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().or(config.get_user()).unwrap_or("?");
    format!("{host}:{port}/{database}")
}

fn wrong(message: &str, code: &str) -> TaskError {
    TaskError::new("config", message).with_code(code)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(own: Value, credential: &Value) -> Result<Target, TaskError> {
        let data = credential.as_object().cloned();
        let credential = data.map(|data| Credential { name: "pg".into(), kind: "postgres".into(), data });
        let own: Fields = serde_json::from_value(own).unwrap();
        Target::new(&own, credential.as_ref())
    }

    #[test]
    fn fields_of_every_spelling_name_a_place() {
        let credential =
            json!({ "db_host": "h", "db_port": "5433", "db_user": "u", "db_password": "p", "db_name": "d" });
        for (own, credential, place, user) in [
            (json!({}), credential.clone(), "h:5433/d", "u"),
            (json!({ "host": "other", "port": 1 }), credential.clone(), "other:1/d", "u"),
            (
                json!({ "database": "e" }),
                json!({ "host": "h", "username": "v", "password": "p", "dbname": "d" }),
                "h:5432/e",
                "v",
            ),
            (
                json!({ "connection_string": "postgresql+psycopg2://a:b@c:7/d?sslmode=verify-full" }),
                Value::Null,
                "c:7/d",
                "a",
            ),
            (json!({ "dsn": "host=c port=7 user=a sslmode=disable" }), Value::Null, "c:7/a", "a"),
            (json!({ "connection": { "host": "c", "user": "a" } }), Value::Null, "c:5432/a", "a"),
            (json!({ "db_user": "a" }), Value::Null, "localhost:5432/a", "a"),
        ] {
            let target = target(own.clone(), &credential).unwrap();
            assert_eq!((target.place.as_str(), target.config.get_user()), (place, Some(user)), "{own}");
        }
        for (own, message) in [
            (json!({}), "needs a connection"),
            (json!({ "host": "h" }), "db_user is missing"),
            (json!({ "host": "h", "user": "u", "port": "many" }), "port"),
            (json!({ "host": "h", "user": "u", "sslmode": "perhaps" }), "verify-full"),
            (json!({ "dsn": "postgres://u:secret@h:x/d" }), "cannot be read"),
        ] {
            let error = target(own, &Value::Null).err().unwrap();
            assert!(
                error.message.contains(message) && !error.message.contains("secret"),
                "{}",
                error.message
            );
        }
    }
}
