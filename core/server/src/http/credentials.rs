//! Named secrets. Their data leaves the vault only where the settings say so.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::credential::{
    CredentialBody, CredentialFilter, CredentialList, CredentialQuery, CredentialRequest,
};
use noetl_api::error::ErrorBody;
use noetl_api::health::Done;
use noetl_domain::{Map, Value};

use super::request::{Json, Params, Segments};
use super::{Services, show};
use crate::error::ServerError;
use crate::vault::{CredentialRecord, NewCredential};

/// Keeps a credential; one of the same name is replaced.
#[utoipa::path(post, path = "/api/credentials", tag = "credentials", request_body = CredentialRequest,
    responses((status = 200, body = CredentialBody), (status = 422, body = ErrorBody)))]
pub(super) async fn put(
    State(services): State<Services>,
    Json(request): Json<CredentialRequest>,
) -> Result<Answer<CredentialBody>, ServerError> {
    let CredentialRequest { name, kind, data, meta, tags, description, schema } = request;
    let meta = Value::Object(meta);
    let schema = Value::Object(schema);
    let credential = NewCredential { name, kind, data, meta, tags, description, schema };
    Ok(Answer(body(services.vault.put(credential).await?)))
}

/// Credentials by type and by a piece of their name, without their data.
#[utoipa::path(get, path = "/api/credentials", tag = "credentials", params(CredentialFilter),
    responses((status = 200, body = CredentialList)))]
pub(super) async fn list(
    State(services): State<Services>,
    Params(filter): Params<CredentialFilter>,
) -> Result<Answer<CredentialList>, ServerError> {
    let records = services.vault.list(filter.kind.as_deref(), filter.q.as_deref()).await?;
    Ok(Answer(CredentialList { items: records.into_iter().map(body).collect(), filter }))
}

/// One credential by name or id.
#[utoipa::path(get, path = "/api/credentials/{name}", tag = "credentials",
    params(("name" = String, Path, description = "Name or id"), CredentialQuery),
    responses((status = 200, body = CredentialBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn one(
    State(services): State<Services>,
    Segments(name): Segments<String>,
    Params(query): Params<CredentialQuery>,
) -> Result<Answer<CredentialBody>, ServerError> {
    if !query.include_data {
        return Ok(Answer(body(services.vault.get(&name).await?)));
    }
    if !services.config.allow_credential_data {
        return Err(ServerError::not_allowed("this server does not hand out the data of credentials")
            .hint("leave out include_data, or set allow_credential_data = true in [server] of noetl.toml"));
    }
    let opened = services.vault.open_credential(&name).await?;
    tracing::info!(credential.name = %opened.record.name, "the data of a credential was read over HTTP");
    Ok(Answer(CredentialBody { data: Some(opened.data), ..body(opened.record) }))
}

/// Forgets a credential.
#[utoipa::path(delete, path = "/api/credentials/{name}", tag = "credentials", params(("name" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = ErrorBody)))]
pub(super) async fn remove(
    State(services): State<Services>,
    Segments(name): Segments<String>,
) -> Result<Answer<Done>, ServerError> {
    services.vault.delete(&name).await?;
    Ok(Answer(Done::new(format!("credential {name} is deleted"))))
}

fn body(record: CredentialRecord) -> CredentialBody {
    let meta = match record.meta {
        Value::Object(meta) => meta,
        _ => Map::new(),
    };
    CredentialBody {
        id: record.id.to_string(),
        name: record.name,
        kind: record.kind,
        meta,
        tags: record.tags,
        description: record.description,
        created_at: show::time(record.created_ms),
        updated_at: show::time(record.updated_ms),
        data: None,
    }
}
