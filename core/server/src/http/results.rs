//! Large results by reference.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::result::{PutResult, ResolveQuery, Resolved, ResultPut};

use super::request::{Json, Params, Segments, execution_id};
use super::{Services, show};
use crate::error::ServerError;
use crate::http::show::event::stored;
use noetl_domain::result::Stored;

/// What lies behind a `noetl://…` reference.
#[utoipa::path(get, path = "/api/result/resolve", tag = "results", params(ResolveQuery),
    responses((status = 200, body = Resolved), (status = 404, body = ErrorBody)))]
pub(super) async fn resolve(
    State(services): State<Services>,
    Params(query): Params<ResolveQuery>,
) -> Result<Answer<Resolved>, ServerError> {
    let value = services.results.resolve(&query.uri).await?;
    // The size of the JSON text, counted without building it.
    let mut size = Counter(0);
    serde_json::to_writer(&mut size, &*value)
        .map_err(|error| ServerError::internal("a result is not JSON").because(error))?;
    Ok(Answer(Resolved {
        status: "ok".to_owned(),
        uri: query.uri,
        data: show::masked((*value).clone()),
        content_type: "application/json".to_owned(),
        size_bytes: size.0,
    }))
}

struct Counter(u64);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps a result of an Execution outside the log and answers with its reference.
#[utoipa::path(put, path = "/api/result/{execution_id}", tag = "results", params(("execution_id" = String, Path)),
    request_body = PutResult,
    responses((status = 200, body = ResultPut), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn put(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(request): Json<PutResult>,
) -> Result<Answer<ResultPut>, ServerError> {
    let id = execution_id(&id)?;
    services.known(id).await?;
    if request.step.trim().is_empty() {
        return Err(ServerError::invalid("the result names no `step`"));
    }
    let reference = services.results.put(id, &request.step, &request.data).await?;
    Ok(Answer(ResultPut {
        status: "ok".to_owned(),
        uri: reference.uri.clone(),
        reference: stored(&Stored::Ref(reference)),
    }))
}
