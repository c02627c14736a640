//! Reading tables over HTTP: our own store, or a Postgres behind a named credential.

mod own;
mod statement;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use base64::Engine;
use noetl_api::error::ErrorBody;
use noetl_api::sql::{SqlRequest, SqlResult};
use noetl_domain::{Map, Value};

use super::request::Json;
use super::{Services, show};
use crate::error::ServerError;

/// Runs SQL on a Postgres. The binary hands one in, because this room acts on nothing outside.
pub type SqlRunner = Arc<
    dyn Fn(SqlCall) -> Pin<Box<dyn Future<Output = Result<SqlResult, ServerError>> + Send>> + Send + Sync,
>;

/// One call to a Postgres.
#[derive(Clone)]
pub struct SqlCall {
    pub query: String,
    pub parameters: Vec<Value>,
    /// Fields of the opened credential, or `connection_string` alone.
    pub connection: Map,
    pub database: Option<String>,
    pub schema: Option<String>,
    pub as_objects: bool,
}

impl std::fmt::Debug for SqlCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlCall").field("query", &self.query).finish_non_exhaustive()
    }
}

/// Runs a query. Without a credential it reads the server's own tables (`noetl.event`, `noetl.execution`, …).
#[utoipa::path(post, path = "/api/postgres/execute", tag = "sql", request_body = SqlRequest,
    responses((status = 200, body = SqlResult), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(super) async fn execute(
    State(services): State<Services>,
    Json(request): Json<SqlRequest>,
) -> Result<Answer<SqlResult>, ServerError> {
    let query = text_of(&request)?;
    let as_objects = request.as_objects.unwrap_or(true);
    if request.connection_string.is_some() && !services.config.allow_connection_strings {
        return Err(ServerError::not_allowed("this server takes no connection strings over HTTP").hint(
            "register a postgres credential and name it (noetl credential register FILE), \
                 or set allow_raw_connections = true in [server] of noetl.toml",
        ));
    }
    let connection = match (request.connection_string, &request.credential) {
        (Some(text), _) => [("connection_string".to_owned(), Value::String(text))].into_iter().collect(),
        (None, Some(name)) => services.open_credential(name, "postgres").await?,
        (None, None) => {
            let file = services.store.file();
            let limits = own::Limits::default();
            let mut answer = own::read(file, &query, &request.parameters, as_objects, limits).await?;
            for row in &mut answer.result {
                *row = show::masked(row.take());
            }
            return Ok(Answer(answer));
        }
    };
    let Some(run) = &services.sql else {
        return Err(ServerError::not_allowed("this server has no Postgres client")
            .hint("use a playbook with a postgres step"));
    };
    let call = SqlCall {
        query,
        parameters: request.parameters,
        connection,
        database: request.database,
        schema: request.schema.or(request.db_schema),
        as_objects,
    };
    run(call).await.map(Answer)
}

fn text_of(request: &SqlRequest) -> Result<String, ServerError> {
    if let Some(text) = &request.query_base64 {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim());
        return bytes
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| ServerError::invalid("`query_base64` is not base64 of UTF-8 text"));
    }
    match (&request.query, &request.procedure) {
        (Some(query), _) => Ok(query.clone()),
        (None, Some(procedure)) if procedure.trim_start().to_ascii_lowercase().starts_with("call") => {
            Ok(procedure.clone())
        }
        (None, Some(procedure)) => Ok(format!("CALL {procedure}")),
        (None, None) => Err(ServerError::invalid("there is no `query`")),
    }
}

/// Tables and views of the store that readers may ask for.
pub(super) async fn table_names(file: &std::path::Path) -> Result<Vec<String>, ServerError> {
    let sql = "SELECT name FROM noetl.sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let answer = own::read(file, sql, &[], false, own::Limits::default()).await?;
    Ok(answer.result.iter().filter_map(|row| Some(row.get(0)?.as_str()?.to_owned())).collect())
}
