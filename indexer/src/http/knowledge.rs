//! Documents that are searched beside what past runs tell.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use chrono::Utc;
use noetl_api::error::ErrorBody;
use noetl_api::knowledge::{
    KnowledgeAdded, KnowledgeList, KnowledgeName, KnowledgeRemoved, KnowledgeRequest, LARGEST,
};
use noetl_domain::code::Code;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Services;
use super::error::Refusal;
use super::insights::{Asked, read};
use crate::vectors::KnowledgeError;

/// Bytes of a request: a document as JSON, in which quotes and line breaks take two.
const LARGEST_BODY: usize = 2 * LARGEST + 64 * 1024;

pub(super) fn endpoints() -> OpenApiRouter<Services> {
    OpenApiRouter::new().routes(routes!(list, add, remove)).layer(DefaultBodyLimit::max(LARGEST_BODY))
}

/// The documents that people brought.
#[utoipa::path(
    get,
    path = "/api/knowledge",
    tag = "knowledge",
    responses((status = 200, body = KnowledgeList), (status = "default", body = ErrorBody))
)]
async fn list(State(services): State<Services>) -> Result<Json<KnowledgeList>, Refusal> {
    let sources = services.semantic.knowledge()?.list().await?;
    Ok(Json(KnowledgeList { sources }))
}

/// Takes in a document, in the place of the one that its source had.
///
/// When it is answered, the document is on disk and can be found.
#[utoipa::path(
    post,
    path = "/api/knowledge",
    tag = "knowledge",
    request_body = KnowledgeRequest,
    responses((status = 200, body = KnowledgeAdded), (status = "default", body = ErrorBody))
)]
async fn add(
    State(services): State<Services>,
    request: Result<Json<KnowledgeRequest>, JsonRejection>,
) -> Result<Json<KnowledgeAdded>, Refusal> {
    let Json(request) = request.map_err(|rejection| unreadable(&rejection))?;
    let (knowledge, vectors) = (services.semantic.knowledge()?, services.semantic.vectors()?);
    let now = Utc::now().timestamp_millis();
    // Apart from the connection: whoever hangs up half-way leaves no half of a document.
    let adding = tokio::spawn(async move { knowledge.add(&vectors, request, now).await });
    Ok(Json(adding.await.unwrap_or(Err(KnowledgeError::Unreadable))?))
}

/// Removes the document of a source.
#[utoipa::path(
    delete,
    path = "/api/knowledge",
    tag = "knowledge",
    params(KnowledgeName),
    responses((status = 200, body = KnowledgeRemoved), (status = "default", body = ErrorBody))
)]
async fn remove(
    State(services): State<Services>,
    name: Asked<KnowledgeName>,
) -> Result<Json<KnowledgeRemoved>, Refusal> {
    let source = read(name)?.source.trim().to_owned();
    if source.is_empty() {
        return Err(Refusal::invalid("name a source: ?source=NAME").hint("noetl knowledge list"));
    }
    let (knowledge, vectors) = (services.semantic.knowledge()?, services.semantic.vectors()?);
    let removed = knowledge.remove(&vectors, &source).await?;
    let unknown = || {
        let detail = format!("there is no knowledge from {source:?}");
        Refusal::new(StatusCode::NOT_FOUND, Code::UnknownSource, detail).hint("noetl knowledge list")
    };
    removed.map(Json).ok_or_else(unknown)
}

fn unreadable(rejection: &JsonRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("the document is too large: at most {LARGEST} bytes are taken");
        return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::DocumentRefused, detail)
            .hint("cut it into several documents");
    }
    Refusal::invalid(rejection.body_text())
        .hint(r#"such as {"source": "docs/ops.md", "content": "…", "format": "markdown"}"#)
}

#[cfg(test)]
mod tests;
