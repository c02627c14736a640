//! The HTTP surface of the assistant.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use noetl_api::diagnosis::{DiagnoseRequest, Diagnosis};
use noetl_api::error::ErrorBody;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::assistant::Assistant;
use crate::gather::{GatherError, Options, SourceError, Sources};

/// Answers one request.
type Answering = Pin<Box<dyn Future<Output = Result<Diagnosis, GatherError>> + Send>>;

/// Everything that handlers ask. Clones share it.
#[derive(Clone)]
struct Services {
    answer: Arc<dyn Fn(ExecutionId, Options) -> Answering + Send + Sync>,
}

/// The whole surface, ready to be merged with the control plane's.
pub fn router<S: Sources>(assistant: Assistant<S>) -> Router {
    let answer = move |id: ExecutionId, options: Options| -> Answering {
        let assistant = assistant.clone();
        Box::pin(async move { assistant.diagnose(id, options).await })
    };
    endpoints().split_for_parts().0.with_state(Services { answer: Arc::new(answer) })
}

/// The contract as a document.
pub fn openapi() -> OpenApi {
    let mut document = endpoints().split_for_parts().1;
    document.merge(crate::proposal::openapi());
    document.merge(crate::chat::openapi());
    document
}

/// Every endpoint.
fn endpoints() -> OpenApiRouter<Services> {
    OpenApiRouter::new().routes(routes!(diagnose))
}

/// Why an execution failed, with the evidence; or that it did not fail.
#[utoipa::path(post, path = "/api/executions/{execution_id}/diagnose", tag = "assistant",
    params(("execution_id" = String, Path), DiagnoseRequest),
    responses((status = 200, body = Diagnosis), (status = 404, body = ErrorBody), (status = "default", body = ErrorBody)))]
async fn diagnose(
    State(services): State<Services>,
    Path(id): Path<String>,
    request: Result<Query<DiagnoseRequest>, QueryRejection>,
) -> Result<Json<Diagnosis>, Refusal> {
    let id: ExecutionId = id.parse().map_err(|_| {
        let detail = format!("{:?} is not the id of an execution", id.chars().take(100).collect::<String>());
        Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, detail)
    })?;
    let Query(request) = request
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, error.body_text()))?;
    let DiagnoseRequest { without_history, without_model } = request;
    let options = Options { without_history, without_model };
    Ok(Json((services.answer)(id, options).await?))
}

pub(crate) struct Refusal {
    status: StatusCode,
    body: ErrorBody,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, body: ErrorBody::new(code, detail) }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }
}

impl From<GatherError> for Refusal {
    fn from(error: GatherError) -> Self {
        match error {
            GatherError::Unknown(_) => {
                let mut refusal = Self::new(StatusCode::NOT_FOUND, Code::UnknownExecution, error.to_string());
                refusal.body.hint = Some("`noetl executions` lists them".to_owned());
                refusal
            }
            GatherError::Source(source) => source.into(),
        }
    }
}

impl From<SourceError> for Refusal {
    fn from(source: SourceError) -> Self {
        tracing::warn!(error = %source, cause = %source.source, "evidence could not be gathered");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::StoreFailed, source.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
