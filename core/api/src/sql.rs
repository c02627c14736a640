//! Reading databases over HTTP: our own tables, or a Postgres behind a credential.

use std::fmt;

use noetl_domain::Value;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Without `credential` and `connection_string`, the query reads our own store (`noetl.event`, `noetl.catalog`, …).
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SqlRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_base64: Option<String>,
    /// `CALL` text for a stored procedure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// `$1`, `$2`, … in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Name of a postgres credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Only where the server's settings allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_string: Option<String>,
    /// Rows as maps (default) or, false, as lists of values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_objects: Option<bool>,
}

impl fmt::Debug for SqlRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlRequest")
            .field("query", &self.query)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SqlResult {
    /// `ok` or `error`.
    pub status: String,
    pub result: Vec<Value>,
    pub columns: Vec<String>,
    pub row_count: usize,
    /// There were more rows than the server hands out.
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affected_rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
