//! Who may ask: an owner and a reader, with a key each.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use subtle::{Choice, ConstantTimeEq as _};

use crate::exception::{Code, Exception};

#[derive(Clone)]
pub struct User {
    pub name: String,
    pub key: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The two users of a front.
#[derive(Clone, Debug)]
pub struct Access {
    /// May do anything the engine can, files of this machine included.
    pub owner: User,
    /// May read tables, within limits it cannot lift.
    pub reader: User,
}

impl Access {
    /// Keys that nobody can guess.
    pub fn random() -> Self {
        let user = |name: &str| User {
            name: name.to_owned(),
            key: format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()),
        };
        Self { owner: user("noetl"), reader: user("reader") }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Owner,
    Reader,
}

impl Access {
    /// Looks for a name and a key in the headers, then in the URL, as ClickHouse does.
    pub(crate) fn check(&self, headers: &HeaderMap, pairs: &[(String, String)]) -> Result<Who, Exception> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let pair = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let (name, key) = match (header("x-clickhouse-user"), header("x-clickhouse-key"), basic(headers)) {
            (None, None, Some(basic)) => basic,
            (None, None, None) => (pair("user").unwrap_or_default(), pair("password").unwrap_or_default()),
            (name, key, _) => (name.unwrap_or_default(), key.unwrap_or_default()),
        };
        if key.is_empty() {
            return Err(Exception::new(
                Code::RequiredPassword,
                "A user and a key are needed: X-ClickHouse-User and X-ClickHouse-Key, Basic authorisation, or user and password in the URL",
            ));
        }
        // Both are compared whole, so that time tells nothing.
        let fits = |user: &User| -> Choice {
            user.name.as_bytes().ct_eq(name.as_bytes()) & user.key.as_bytes().ct_eq(key.as_bytes())
        };
        let (owner, reader) = (fits(&self.owner), fits(&self.reader));
        match (bool::from(owner), bool::from(reader)) {
            (true, _) => Ok(Who::Owner),
            (false, true) => Ok(Who::Reader),
            (false, false) => Err(Exception::new(
                Code::AuthenticationFailed,
                format_args!(
                    "{name}: Authentication failed: password is incorrect, or there is no user with such name"
                ),
            )),
        }
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, key) = text.split_once(':')?;
    Some((name.to_owned(), key.to_owned()))
}
