//! The contract as a document, and pages that show it without anything from outside.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use noetl_domain::code::Code;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use super::Services;
use super::request::Segments;
use crate::error::ServerError;

pub(super) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("NoETL")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The control plane of NoETL. Ids are strings. Every refusal is an ErrorBody: a stable code, what \
             happened, what to try next, and the page of the code.",
        ))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// The document as it is served; built once.
#[derive(Clone, Debug)]
pub(super) struct Document(Arc<str>);

impl Document {
    pub(super) fn new(document: &OpenApi) -> Self {
        Self(document.to_pretty_json().unwrap_or_default().into())
    }
}

pub(super) async fn json(State(document): State<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document.0.to_string())
}

pub(super) async fn docs() -> Html<&'static str> {
    Html(include_str!("openapi/docs.html"))
}

/// The page of a Code.
#[utoipa::path(get, path = "/docs/codes/{code}", tag = "docs", params(("code" = String, Path)),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 404, body = noetl_api::error::ErrorBody)))]
pub(super) async fn code_page(
    State(services): State<Services>,
    Segments(text): Segments<String>,
) -> Result<Html<String>, ServerError> {
    let code: Code = text
        .trim_end_matches(".md")
        .parse()
        .map_err(|_| ServerError::not_found(format!("{text:?} is not a code")).hint("noetl explain PB001"))?;
    let page = services.config.code_page.and_then(|page| page(code)).unwrap_or_default();
    Ok(Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{code}: {title}</title>\
         <style>body{{font:16px/1.5 system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}}\
         pre{{white-space:pre-wrap;font:inherit}}</style><h1>{code}</h1><p><b>{title}</b></p><pre>{page}</pre>",
        title = escape(code.title()),
        page = escape(page),
    )))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
