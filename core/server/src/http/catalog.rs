//! Named, versioned Playbooks, and resources of other kinds.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::catalog::{
    ArchiveRequest, Archived, CatalogEntry, CatalogList, CatalogListRequest, RegisterRequest, Registered,
    ResourceRequest, UiSchema, VersionChoice, VersionName, VersionQuery,
};
use noetl_api::error::{ErrorBody, FindingBody};

use super::request::{Json, Params, Segments};
use super::{Services, show};
use crate::catalog::{CatalogQuery, Entry, NewResource, PLAYBOOK};
use crate::error::ServerError;
use crate::orchestrator::Which;

/// Registers a text as the next version of its path. A playbook with errors is refused with all its findings.
#[utoipa::path(post, path = "/api/catalog/register", tag = "catalog", request_body = RegisterRequest,
    responses((status = 200, body = Registered), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn register(
    State(services): State<Services>,
    Json(request): Json<RegisterRequest>,
) -> Result<Answer<Registered>, ServerError> {
    let RegisterRequest { content, content_base64, resource_type, path } = request;
    let content = content.or(content_base64).filter(|content| !content.trim().is_empty());
    let content = content.ok_or_else(|| {
        ServerError::invalid("there is no `content`: the YAML text, plain or base64")
            .hint("noetl register FILE")
    })?;
    // What was sent is shown in findings; base64 is shown as the text it stands for.
    let registration = services.catalog.register(NewResource { content, kind: resource_type, path }).await?;
    let Entry { catalog_id, path, version, kind, content, .. } = registration.entry;
    Ok(Answer(Registered {
        status: "success".to_owned(),
        message: format!("{path} is registered as version {version}"),
        path,
        version,
        catalog_id: catalog_id.to_string(),
        resource_type: kind.clone(),
        kind,
        findings: registration.findings.iter().map(|finding| FindingBody::new(finding, &content)).collect(),
    }))
}

/// Resources by path: the newest version of each, without its text.
#[utoipa::path(post, path = "/api/catalog/list", tag = "catalog", request_body = CatalogListRequest,
    responses((status = 200, body = CatalogList)))]
pub(super) async fn list(
    State(services): State<Services>,
    Json(request): Json<CatalogListRequest>,
) -> Result<Answer<CatalogList>, ServerError> {
    let query = CatalogQuery {
        kind: request.resource_type,
        path: None,
        include_archived: request.include_archived,
        all_versions: request.all_versions,
    };
    Ok(Answer(CatalogList { entries: entries(&services, query).await? }))
}

/// Every playbook in its newest version.
#[utoipa::path(get, path = "/api/catalog/playbook", tag = "catalog", responses((status = 200, body = Vec<CatalogEntry>)))]
pub(super) async fn playbooks(
    State(services): State<Services>,
) -> Result<Answer<Vec<CatalogEntry>>, ServerError> {
    let query = CatalogQuery { kind: Some(PLAYBOOK.to_owned()), ..CatalogQuery::default() };
    entries(&services, query).await.map(Answer)
}

async fn entries(services: &Services, query: CatalogQuery) -> Result<Vec<CatalogEntry>, ServerError> {
    let entries = services.catalog.list(query).await?;
    Ok(entries.into_iter().map(|entry| CatalogEntry { content: None, ..body(entry) }).collect())
}

/// One version with its text.
#[utoipa::path(post, path = "/api/catalog/resource", tag = "catalog", request_body = ResourceRequest,
    responses((status = 200, body = CatalogEntry), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn resource(
    State(services): State<Services>,
    Json(request): Json<ResourceRequest>,
) -> Result<Answer<CatalogEntry>, ServerError> {
    let which = match (request.catalog_id, request.path) {
        (Some(id), _) => Which::CatalogId(id),
        (None, Some(path)) => Which::Path(path, number(request.version.as_ref())?),
        (None, None) => return Err(ServerError::invalid("name a resource by `path` or `catalog_id`")),
    };
    Ok(Answer(body(services.catalog.get(&which).await?)))
}

pub(super) fn number(version: Option<&VersionChoice>) -> Result<Option<u32>, ServerError> {
    version
        .map_or(Ok(None), |version| version.number().map_err(|error| ServerError::invalid(error.to_string())))
}

/// Addresses with a catalog path in the middle, which may hold slashes.
pub(super) async fn under_path(
    services: State<Services>,
    Segments(rest): Segments<String>,
    query: Params<VersionQuery>,
) -> Result<Answer<UiSchema>, ServerError> {
    match rest.strip_suffix("/ui_schema") {
        Some(path) => ui_schema(services, Segments(path.to_owned()), query).await,
        None => Err(ServerError::not_found(format!("there is nothing at /api/catalog/{rest}"))
            .hint("POST /api/catalog/resource {\"path\": …} gets a playbook")),
    }
}

/// A form for the workload of a playbook. The path may hold slashes.
#[utoipa::path(get, path = "/api/catalog/{path}/ui_schema", tag = "catalog",
    params(("path" = String, Path), VersionQuery),
    responses((status = 200, body = UiSchema), (status = 404, body = ErrorBody)))]
pub(super) async fn ui_schema(
    State(services): State<Services>,
    Segments(path): Segments<String>,
    Params(query): Params<VersionQuery>,
) -> Result<Answer<UiSchema>, ServerError> {
    let version = number(query.version.map(VersionChoice::Word).as_ref())?;
    Ok(Answer(services.catalog.form(&Which::Path(path, version)).await?))
}

/// Archives a version, or all of a path: it starts no more, what runs goes on.
#[utoipa::path(post, path = "/api/catalog/delete", tag = "catalog", request_body = ArchiveRequest,
    responses((status = 200, body = Archived), (status = 404, body = ErrorBody)))]
pub(super) async fn archive(
    State(services): State<Services>,
    Json(request): Json<ArchiveRequest>,
) -> Result<Answer<Archived>, ServerError> {
    let deleted = names(services.catalog.archive(&request.path, request.version).await?);
    let count = deleted.len();
    let message = format!("archived {} of {}", show::count(count, "version"), request.path);
    let status = "success".to_owned();
    Ok(Answer(Archived { status, message, path: request.path, deleted, restored: Vec::new(), count }))
}

/// Takes versions back out of the archive.
#[utoipa::path(post, path = "/api/catalog/restore", tag = "catalog", request_body = ArchiveRequest,
    responses((status = 200, body = Archived), (status = 404, body = ErrorBody)))]
pub(super) async fn restore(
    State(services): State<Services>,
    Json(request): Json<ArchiveRequest>,
) -> Result<Answer<Archived>, ServerError> {
    let restored = names(services.catalog.restore(&request.path, request.version).await?);
    let count = restored.len();
    let message = format!("restored {} of {}", show::count(count, "version"), request.path);
    let status = "success".to_owned();
    Ok(Answer(Archived { status, message, path: request.path, deleted: Vec::new(), restored, count }))
}

fn names(changed: Vec<(u64, u32)>) -> Vec<VersionName> {
    let name = |(id, version): (u64, u32)| VersionName { catalog_id: id.to_string(), version };
    changed.into_iter().map(name).collect()
}

fn body(entry: Entry) -> CatalogEntry {
    CatalogEntry {
        catalog_id: entry.catalog_id.to_string(),
        path: entry.path,
        name: entry.name,
        resource_type: entry.kind.clone(),
        kind: entry.kind,
        version: entry.version,
        description: entry.description,
        content: Some(entry.content).filter(|content| !content.is_empty()),
        payload: entry.payload,
        meta: entry.meta,
        archived_at: entry.archived_ms.map(show::time),
        created_at: show::time(entry.created_ms),
    }
}
