//! Sealed credentials in the store.

use noetl_domain::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::CredentialRecord;
use crate::store::{SqliteStore, StoreError};

type Found = (CredentialRecord, Vec<u8>);

/// Any one sealed record, to try a key on.
pub(super) async fn sample(store: &SqliteStore) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    sqlx::query_as("SELECT name, data FROM credential_row ORDER BY updated_ms DESC LIMIT 1")
        .fetch_optional(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read a credential", source))
}

/// Returns the record as it now stands: a replaced one keeps its id and its moment of creation.
pub(super) async fn upsert(
    store: &SqliteStore,
    record: CredentialRecord,
    sealed: Vec<u8>,
) -> Result<CredentialRecord, StoreError> {
    let text = |value: &Value| (!value.is_null()).then(|| value.to_string());
    let query = sqlx::query(
        "INSERT INTO credential_row (name, id, type, data, meta, tags, description, schema, created_ms, updated_ms) \
         VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET type = excluded.type, data = excluded.data, \
         meta = excluded.meta, tags = excluded.tags, description = excluded.description, \
         schema = excluded.schema, updated_ms = excluded.updated_ms RETURNING *",
    )
    .bind(record.name)
    .bind(record.id as i64)
    .bind(record.kind)
    .bind(sealed)
    .bind(text(&record.meta))
    .bind(Value::from(record.tags).to_string())
    .bind(record.description)
    .bind(text(&record.schema))
    .bind(record.created_ms)
    .bind(record.updated_ms);
    let rows = store.write("keep a credential", query).await?;
    let row =
        rows.first().ok_or_else(|| StoreError::failed("keep a credential", sqlx::Error::RowNotFound))?;
    Ok(from_row(row)?.0)
}

pub(super) async fn find(store: &SqliteStore, name_or_id: &str) -> Result<Option<Found>, StoreError> {
    // A name wins over an id that reads the same.
    sqlx::query("SELECT * FROM credential_row WHERE name = ? OR id = ? ORDER BY name = ? DESC LIMIT 1")
        .bind(name_or_id)
        .bind(name_or_id.parse::<i64>().ok())
        .bind(name_or_id)
        .fetch_optional(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read a credential", source))?
        .map(|row| from_row(&row))
        .transpose()
}

pub(super) async fn list(
    store: &SqliteStore,
    kind: Option<&str>,
    text: Option<&str>,
) -> Result<Vec<CredentialRecord>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM credential_row WHERE 1");
    if let Some(kind) = kind {
        sql.push(" AND type = ").push_bind(kind).push(" COLLATE NOCASE");
    }
    if let Some(text) = text {
        sql.push(" AND instr(lower(name || ' ' || coalesce(description, '') || ' ' || tags), lower(");
        sql.push_bind(text).push(")) > 0");
    }
    let rows = sql.push(" ORDER BY name").build().fetch_all(&store.readers).await;
    let rows = rows.map_err(|source| StoreError::failed("list credentials", source))?;
    rows.iter().map(|row| Ok(from_row(row)?.0)).collect()
}

pub(super) async fn delete(store: &SqliteStore, name: &str) -> Result<(), StoreError> {
    let query = sqlx::query("DELETE FROM credential_row WHERE name = ?").bind(name.to_owned());
    store.write("delete a credential", query).await.map(drop)
}

fn from_row(row: &SqliteRow) -> Result<Found, StoreError> {
    let read = || -> Result<Found, sqlx::Error> {
        let json = |column: &str| -> Result<Value, sqlx::Error> {
            let text: Option<&str> = row.try_get(column)?;
            let parsed = text.map_or(Ok(Value::Null), serde_json::from_str);
            parsed.map_err(|error| sqlx::Error::Decode(error.into()))
        };
        let tags =
            serde_json::from_value(json("tags")?).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let record = CredentialRecord {
            id: row.try_get::<i64, _>("id")? as u64,
            name: row.try_get("name")?,
            kind: row.try_get("type")?,
            meta: json("meta")?,
            tags,
            description: row.try_get("description")?,
            schema: json("schema")?,
            created_ms: row.try_get("created_ms")?,
            updated_ms: row.try_get("updated_ms")?,
        };
        Ok((record, row.try_get("data")?))
    };
    read().map_err(|source| StoreError::unreadable("a credential", source))
}
