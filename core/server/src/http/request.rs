//! Reading requests: whatever a caller sends, a refusal is AP003 with the reason, never a crash.

use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use noetl_domain::id::ExecutionId;
use serde::de::DeserializeOwned;

use crate::error::ServerError;

/// A JSON body. An empty one reads as `{}`, and the content type is not looked at: `curl -d` is enough.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ServerError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ServerError> {
        let bytes =
            axum::body::Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
        // Nesting is bounded by serde_json itself (128 levels).
        serde_json::from_slice(text).map(Self).map_err(|error| {
            ServerError::invalid(format!("the body cannot be read: {error}"))
                .hint("see /docs for what this endpoint takes")
        })
    }
}

fn unread(rejection: &BytesRejection) -> ServerError {
    let status = rejection.status();
    let error = ServerError::invalid(rejection.body_text());
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        ServerError::invalid("the body is larger than this server takes")
            .hint("send large data as a file or a table that the playbook reads itself")
            .with_status(status)
    } else {
        error
    }
}

/// Query parameters.
#[derive(Debug)]
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ServerError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ServerError> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(value)| Self(value)).map_err(|rejection: QueryRejection| {
            let text = rejection.body_text();
            let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            ServerError::invalid(format!("the query cannot be read: {reason}"))
                .hint("see /docs for the parameters that this endpoint takes")
        })
    }
}

/// Parts of the path, as text.
#[derive(Debug)]
pub(super) struct Segments<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segments<T> {
    type Rejection = ServerError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ServerError> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|rejection: PathRejection| {
            let text = rejection.body_text();
            let reason = text.strip_prefix("Invalid URL: ").unwrap_or(&text);
            ServerError::invalid(format!("the address cannot be read: {reason}"))
                .with_status(StatusCode::BAD_REQUEST)
        })
    }
}

/// Reads the id of an Execution as callers write it.
pub(super) fn execution_id(text: &str) -> Result<ExecutionId, ServerError> {
    match text.trim().parse::<ExecutionId>() {
        // Databases keep ids in signed columns.
        Ok(id) if i64::try_from(id.0).is_ok() => Ok(id),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(ServerError::invalid(format!(
                "{shown:?} is not the id of an execution: decimal digits expected"
            ))
            .hint("noetl executions"))
        }
    }
}

/// The number of entries to answer with.
pub(super) fn limit(asked: Option<u32>, usual: usize, most: usize) -> usize {
    asked.map_or(usual, |asked| (asked as usize).clamp(1, most))
}
