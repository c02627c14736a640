//! Documents to take into the knowledge, and some that cannot be.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use crate::state::State;

const PAGE: &str = "<!doctype html><title>Operations</title><nav>Home</nav><h1>Certificates</h1>\
    <p>Renew the certificate of the ledger before it expires.</p><script>tracked()</script>";

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/documents/page", get(async || ([(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE)))
        .route("/documents/notes.md", get(async || "# Quotas\nAsk the platform team for a larger quota.\n"))
        .route(
            "/documents/latin",
            get(async || {
                ([(CONTENT_TYPE, "text/plain; charset=ISO-8859-1")], &b"Der Schl\xfcssel ist abgelaufen."[..])
            }),
        )
        .route("/documents/picture", get(async || ([(CONTENT_TYPE, "image/png")], "\u{89}PNG")))
        .route("/documents/large", get(async || "x ".repeat(5 * 1024 * 1024)))
}
