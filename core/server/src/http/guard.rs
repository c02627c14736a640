//! What stands before every handler: foreign web pages are kept out, panics become answers.

use std::any::Any;
use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Services;
use crate::error::ServerError;

/// Refuses requests that a browser sends for a page of another origin.
///
/// Without it, any web page could start playbooks on the reader's own machine:
/// directly (the `Origin` header gives it away), or under a name of its own that resolves to 127.0.0.1
/// (the `Host` header does).
pub(super) async fn foreign_pages(
    State(services): State<Services>,
    request: Request,
    next: Next,
) -> Result<Response, ServerError> {
    let headers = request.headers();
    if services.config.local_only
        && let Some(host) = host_of(headers)
        && !is_local(host)
    {
        return Err(ServerError::not_allowed(format!("this server serves this machine only, not {host:?}"))
            .hint("noetl up --host 0.0.0.0 serves others too"));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads
        && let Some(origin) = headers.get(header::ORIGIN)
        && !same_origin(origin.as_bytes(), headers)
    {
        return Err(ServerError::not_allowed("a page of another origin may not change anything here"));
    }
    Ok(next.run(request).await)
}

fn host_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

fn same_origin(origin: &[u8], headers: &HeaderMap) -> bool {
    let Some(host) = host_of(headers) else { return false };
    let Ok(origin) = std::str::from_utf8(origin) else { return false };
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    // An address cannot be rebound by somebody's name server.
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// Answers for a handler that panicked.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer calls")]
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    ServerError::internal("the server met a bug of its own; its log says more").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_s_own_names_are_local() {
        for host in
            ["localhost", "localhost:8082", "127.0.0.1:8082", "[::1]:8082", "192.168.1.7", "[fe80::1]"]
        {
            assert!(is_local(host), "{host}");
        }
        for host in
            ["evil.example", "evil.example:8082", "localhost.evil.example:80", "", "127.0.0.1.evil.example"]
        {
            assert!(!is_local(host), "{host}");
        }
    }
}
