//! Answers: headers, content types, refusals.

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::encoding::Encoding;
use crate::exception::Exception;
use crate::ffi::Piece;

/// What is known when an answer begins.
#[derive(Debug)]
pub(crate) struct Begin {
    pub(crate) format: String,
    /// `None` while the query goes on.
    pub(crate) summary: Option<Summary>,
}

#[derive(Debug, Default)]
pub(crate) struct Summary {
    rows: u64,
    bytes: u64,
    rows_read: u64,
    bytes_read: u64,
    rows_written: u64,
    bytes_written: u64,
    pub(crate) nanoseconds: u128,
}

impl Summary {
    pub(crate) fn add(&mut self, piece: &Piece) {
        self.rows += piece.rows;
        self.bytes += piece.data.len() as u64;
        self.rows_read += piece.rows_read;
        self.bytes_read += piece.bytes_read;
        self.rows_written += piece.rows_written;
        self.bytes_written += piece.bytes_written;
    }

    /// Numbers are strings there.
    fn text(&self) -> String {
        let pairs: [(&str, u128); 7] = [
            ("read_rows", self.rows_read.into()),
            ("read_bytes", self.bytes_read.into()),
            ("written_rows", self.rows_written.into()),
            ("written_bytes", self.bytes_written.into()),
            ("result_rows", self.rows.into()),
            ("result_bytes", self.bytes.into()),
            ("elapsed_ns", self.nanoseconds),
        ];
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        format!("{{{}}}", pairs.join(","))
    }
}

/// Names that every answer carries.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) id: String,
    pub(crate) timezone: String,
    /// Marks an error behind the beginning of an answer.
    pub(crate) mark: String,
}

pub(crate) fn began(begin: &Begin, names: &Names, encoding: Encoding, body: Body) -> Response {
    let mut response = Response::new(body);
    put(&mut response, CONTENT_TYPE, content_type(&begin.format));
    put(&mut response, HeaderName::from_static("x-clickhouse-format"), &begin.format);
    put(&mut response, HeaderName::from_static("x-clickhouse-exception-tag"), &names.mark);
    if let Some(summary) = &begin.summary {
        put(&mut response, HeaderName::from_static("x-clickhouse-summary"), &summary.text());
    }
    if let Some(name) = encoding.name() {
        put(&mut response, CONTENT_ENCODING, name);
    }
    named(response, names)
}

pub(crate) fn refused(exception: &Exception, names: &Names, encoding: Encoding) -> Response {
    let text = format!("{}\n", exception.message).into_bytes();
    // Who asked for blocks reads nothing else; every other client reads plain text.
    let body = match encoding {
        Encoding::Blocks => encoding.packer().pack(text).map_or_else(|_| Body::empty(), Body::from),
        _ => Body::from(text),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(exception.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    put(&mut response, CONTENT_TYPE, "text/plain; charset=UTF-8");
    put(&mut response, HeaderName::from_static("x-clickhouse-exception-code"), &exception.code.to_string());
    if response.status() == StatusCode::UNAUTHORIZED {
        put(&mut response, axum::http::header::WWW_AUTHENTICATE, "Basic realm=\"ClickHouse\"");
    }
    named(response, names)
}

/// An error in the middle of a body, as ClickHouse writes it since 25.11.
pub(crate) fn marked(exception: &Exception, mark: &str) -> Vec<u8> {
    let message = format!("{}\n", exception.message);
    let length = message.len();
    format!("\r\n__exception__\r\n{mark}\r\n{message}{length} {mark}\r\n__exception__\r\n").into_bytes()
}

fn named(mut response: Response, names: &Names) -> Response {
    put(&mut response, HeaderName::from_static("x-clickhouse-query-id"), &names.id);
    put(&mut response, HeaderName::from_static("x-clickhouse-timezone"), &names.timezone);
    put(&mut response, HeaderName::from_static("x-clickhouse-server-display-name"), "noetl");
    response
}

/// What cannot stand in a header is left out.
fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn content_type(format: &str) -> &'static str {
    let is = |start: &str| format.starts_with(start);
    match format {
        "JSONEachRow" | "JSONCompactEachRow" | "JSONStringsEachRow" => "application/x-ndjson; charset=UTF-8",
        _ if is("JSON") => "application/json; charset=UTF-8",
        _ if is("CSV") => "text/csv; charset=UTF-8; header=absent",
        _ if is("TabSeparated") || is("TSV") => "text/tab-separated-values; charset=UTF-8",
        "XML" => "application/xml; charset=UTF-8",
        "Native" | "Parquet" | "Arrow" | "ArrowStream" | "ORC" | "Avro" | "MsgPack" | "Npy" => {
            "application/octet-stream"
        }
        _ if is("RowBinary") => "application/octet-stream",
        _ => "text/plain; charset=UTF-8",
    }
}
