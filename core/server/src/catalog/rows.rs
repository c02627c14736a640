//! Versions in the store.

use noetl_domain::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite};

use super::{CatalogQuery, Entry};
use crate::proposals::{APPLY, Transition};
use crate::schedule::{REPLACE_DECLARED, Schedule, as_rows};
use crate::store::{SqliteStore, StoreError};

/// Inserts the next version, and with `declared` the path's schedules, at once; returns the version.
pub(super) async fn insert(
    store: &SqliteStore,
    entry: &Entry,
    declared: Option<&[Schedule]>,
    follows: Option<&Transition>,
) -> Result<u32, StoreError> {
    // An archived version keeps its number, so no number ever means two texts.
    // Parameters have no numbers: those of several statements follow each other only without.
    let insert = "INSERT INTO catalog_row \
        (version, catalog_id, path, kind, name, description, content, payload, meta, created_ms) \
        SELECT 1 + coalesce((SELECT max(version) FROM catalog_row WHERE path = ?), 0), ?, ?, ?, ?, ?, ?, ?, ?, ? \
        RETURNING version;";
    let sql = match (declared, follows) {
        (Some(_), Some(_)) => format!("BEGIN IMMEDIATE; {insert} {REPLACE_DECLARED} {APPLY} COMMIT;"),
        (Some(_), None) => format!("BEGIN IMMEDIATE; {insert} {REPLACE_DECLARED} COMMIT;"),
        (None, _) => insert.to_owned(),
    };
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(entry.path.as_str())
        .bind(entry.catalog_id as i64)
        .bind(entry.path.as_str())
        .bind(entry.kind.as_str())
        .bind(entry.name.as_str())
        .bind(entry.description.as_deref())
        .bind(entry.content.as_str())
        .bind((!entry.payload.is_null()).then(|| entry.payload.to_string()))
        .bind(Value::Object(entry.meta.clone()).to_string())
        .bind(entry.created_ms);
    if let Some(declared) = declared {
        query = query.bind(entry.path.as_str()).bind(as_rows(declared));
        if let Some(follows) = follows {
            let [proposals, rollouts, events] = follows.texts();
            query = query.bind(proposals).bind(rollouts).bind(events);
        }
    }
    let rows = store.write("register a resource", query).await?;
    let row =
        rows.first().ok_or_else(|| StoreError::failed("register a resource", sqlx::Error::RowNotFound))?;
    row.try_get(0).map_err(|source| StoreError::failed("register a resource", source))
}

/// The number that the next version of a path gets.
pub(super) async fn next_version(store: &SqliteStore, path: &str) -> Result<u32, StoreError> {
    sqlx::query_scalar("SELECT 1 + coalesce((SELECT max(version) FROM catalog_row WHERE path = ?), 0)")
        .bind(path)
        .fetch_one(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read the catalog", source))
}

pub(super) async fn replace_declared(
    store: &SqliteStore,
    path: &str,
    declared: &[Schedule],
) -> Result<(), StoreError> {
    let sql = format!("BEGIN IMMEDIATE; {REPLACE_DECLARED} COMMIT;");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(path).bind(as_rows(declared));
    store.write("replace the schedules of a playbook", query).await.map(drop)
}

pub(super) async fn set_archived(
    store: &SqliteStore,
    path: &str,
    version: Option<u32>,
    archived_ms: Option<i64>,
) -> Result<Vec<(u64, u32)>, StoreError> {
    let query = sqlx::query(
        "UPDATE catalog_row SET archived_ms = ?1 WHERE path = ?2 AND (?3 IS NULL OR version = ?3) \
         AND (archived_ms IS NULL) <> (?1 IS NULL) RETURNING catalog_id, version",
    )
    .bind(archived_ms)
    .bind(path)
    .bind(version);
    let rows = store.write("archive a resource", query).await?;
    let read = |row: &SqliteRow| Ok((row.try_get::<i64, _>(0)? as u64, row.try_get(1)?));
    let changed: Result<Vec<(u64, u32)>, sqlx::Error> = rows.iter().map(read).collect();
    changed.map_err(|source| StoreError::failed("archive a resource", source))
}

pub(super) async fn list(store: &SqliteStore, query: &CatalogQuery) -> Result<Vec<Entry>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(
        "SELECT catalog_id, path, version, kind, name, description, '' AS content, NULL AS payload, meta, created_ms, \
         archived_ms FROM catalog_row AS entry WHERE 1",
    );
    if let Some(kind) = &query.kind {
        sql.push(" AND kind = ").push_bind(kind);
    }
    if let Some(path) = &query.path {
        sql.push(" AND path = ").push_bind(path);
    }
    let archived = if query.include_archived { "1" } else { "newer.archived_ms IS NULL" };
    if !query.include_archived {
        sql.push(" AND archived_ms IS NULL");
    }
    if !query.all_versions {
        sql.push(format!(
            " AND NOT EXISTS (SELECT 1 FROM catalog_row AS newer WHERE newer.path = entry.path \
             AND newer.version > entry.version AND {archived})"
        ));
    }
    let rows = sql.push(" ORDER BY path, version DESC").build().fetch_all(&store.readers).await;
    rows.map_err(|source| StoreError::failed("list the catalog", source))?.iter().map(from_row).collect()
}

pub(super) async fn by_id(store: &SqliteStore, id: u64) -> Result<Option<Entry>, StoreError> {
    sqlx::query("SELECT * FROM catalog_row WHERE catalog_id = ?")
        .bind(id as i64)
        .fetch_optional(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read the catalog", source))?
        .map(|row| from_row(&row))
        .transpose()
}

/// The newest that is not archived, or the one with a number.
pub(super) async fn by_path(
    store: &SqliteStore,
    path: &str,
    version: Option<u32>,
) -> Result<Option<Entry>, StoreError> {
    sqlx::query(
        "SELECT * FROM catalog_row WHERE path = ?1 AND CASE WHEN ?2 IS NULL THEN archived_ms IS NULL \
         ELSE version = ?2 END ORDER BY version DESC LIMIT 1",
    )
    .bind(path)
    .bind(version)
    .fetch_optional(&store.readers)
    .await
    .map_err(|source| StoreError::failed("read the catalog", source))?
    .map(|row| from_row(&row))
    .transpose()
}

fn from_row(row: &SqliteRow) -> Result<Entry, StoreError> {
    let read = || -> Result<Entry, sqlx::Error> {
        let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
        let payload: Option<&str> = row.try_get("payload")?;
        let meta: Option<&str> = row.try_get("meta")?;
        Ok(Entry {
            catalog_id: row.try_get::<i64, _>("catalog_id")? as u64,
            path: row.try_get("path")?,
            version: row.try_get("version")?,
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            content: row.try_get("content")?,
            payload: payload.map_or(Ok(Value::Null), serde_json::from_str).map_err(decode)?,
            meta: meta.map_or(Ok(Map::new()), serde_json::from_str).map_err(decode)?,
            created_ms: row.try_get("created_ms")?,
            archived_ms: row.try_get("archived_ms")?,
        })
    };
    read().map_err(|source| StoreError::unreadable("a version in the catalog", source))
}
