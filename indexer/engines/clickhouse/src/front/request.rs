//! What a request says: everything but its body.

use std::str::FromStr as _;

use axum::http::{HeaderMap, Method, Uri, header};

use super::access::{Access, Who};
use super::encoding::Encoding;
use crate::exception::{Code, Exception};
use crate::session::Terms;
use crate::sql::reader;

/// How large a result may grow when the client wants it whole before the answer begins.
pub(crate) const WHOLE_LIMIT: usize = 32 << 20;

#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) who: Who,
    pub(crate) id: String,
    /// From the URL; the body may go on with it.
    pub(crate) query: Vec<u8>,
    /// Used where the statement names none.
    pub(crate) format: Option<String>,
    pub(crate) terms: Terms,
    /// The body is in blocks of ClickHouse's own.
    pub(crate) blocks: bool,
    /// The body's Content-Encoding.
    pub(crate) packed: Option<Encoding>,
    /// Of the answer.
    pub(crate) encoding: Encoding,
    /// The answer begins when the query has ended.
    pub(crate) whole: bool,
    /// What the client knows of the format Native; 0 for one that says nothing of it.
    pub(crate) revision: u64,
    /// The client believes that requests of a session share settings and temporary tables.
    pub(crate) in_session: bool,
}

/// What the protocol needs before anything else is understood, so that errors are packed as the client reads them.
pub(crate) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Exception> {
    serde_urlencoded::from_str(uri.query().unwrap_or_default())
        .map_err(|error| Exception::new(Code::BadArguments, format_args!("The URL cannot be read: {error}")))
}

impl Asked {
    pub(crate) fn read(
        method: &Method,
        headers: &HeaderMap,
        pairs: Vec<(String, String)>,
        access: &Access,
        tag: String,
    ) -> Result<Self, Exception> {
        let who = access.check(headers, &pairs)?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let reader = who == Who::Reader;
        let mut asked = Self {
            who,
            id: tag.clone(),
            query: Vec::new(),
            format: header("x-clickhouse-format"),
            terms: Terms {
                tag,
                database: header("x-clickhouse-database"),
                reader,
                // A GET reads; it may set, as on a server.
                readonly: if method == Method::POST { 0 } else { 2 },
                settings: if reader { reader::defaults() } else { Vec::new() },
                ..Terms::default()
            },
            blocks: false,
            packed: match header(header::CONTENT_ENCODING.as_str()) {
                None => None,
                Some(name) => Some(Encoding::named(&name).ok_or_else(|| {
                    Exception::new(
                        Code::NotImplemented,
                        format_args!("Content-Encoding {name} is not supported"),
                    )
                })?),
            },
            encoding: Encoding::accepted(headers, &pairs),
            whole: false,
            revision: 0,
            in_session: false,
        };
        for (name, value) in pairs {
            match name.as_str() {
                "query" => asked.query = value.into_bytes(),
                "database" => asked.terms.database = Some(value),
                "default_format" => asked.format = Some(value),
                "query_id" => asked.id = value,
                "decompress" => asked.blocks = is_on(&value),
                "wait_end_of_query" => asked.whole = is_on(&value),
                "role" if !reader => asked.terms.roles.push(value),
                "client_protocol_version" => asked.revision = revision(&value)?,
                "session_id" => asked.in_session = !value.is_empty(),
                "session_check" if is_on(&value) => return Err(no_session()),
                "user"
                | "password"
                | "compress"
                | "buffer_size"
                | "quota_key"
                | "stacktrace"
                | "session_timeout"
                | "session_check"
                | "close_session"
                | "enable_http_compression"
                | "http_zlib_compression_level" => {}
                "readonly" => asked.terms.readonly = asked.terms.readonly.max(readonly(&value)?),
                _ => asked.assign(name, value)?,
            }
        }
        asked.terms.database = asked.terms.database.filter(|database| !database.is_empty());
        Ok(asked)
    }

    fn assign(&mut self, name: String, value: String) -> Result<(), Exception> {
        if let Some(parameter) = name.strip_prefix("param_") {
            self.terms.parameters.push((parameter.to_owned(), value));
            return Ok(());
        }
        let value = if self.who == Who::Reader {
            // What only concerns how a server works is passed over.
            let Some(value) = reader::setting(&name, value)? else { return Ok(()) };
            value
        } else {
            value
        };
        self.terms.settings.retain(|(known, _)| *known != name);
        self.terms.settings.push((name, value));
        Ok(())
    }
}

fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

fn revision(value: &str) -> Result<u64, Exception> {
    value.trim().parse().map_err(|_| {
        Exception::new(
            Code::BadArguments,
            format_args!("client_protocol_version is the number of a revision, not '{value}'"),
        )
    })
}

/// Nothing is kept from one request to the next, so no session is there before it is named.
fn no_session() -> Exception {
    Exception::new(
        Code::SessionNotFound,
        "Session not found: nothing is kept between requests, so leave session_check out",
    )
}

fn readonly(value: &str) -> Result<u8, Exception> {
    match u8::from_str(value) {
        Ok(value @ 0..=2) => Ok(value),
        _ => Err(Exception::new(Code::BadArguments, format_args!("readonly is 0, 1 or 2, not '{value}'"))),
    }
}
