//! Worker pools: who works, and what they can do.

use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PoolRequest {
    pub name: String,
    /// `worker_pool` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[schema(value_type = Object)]
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub labels: Map,
    /// A list or a map, as the pool sends it.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub capabilities: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub runtime: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PoolRegistered {
    pub status: String,
    pub message: String,
    pub name: String,
    pub runtime_id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PoolBody {
    pub runtime_id: String,
    pub name: String,
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// `ready`, or `lost` when no heartbeat came for a minute.
    pub status: String,
    #[schema(value_type = Object)]
    pub labels: Map,
    pub capabilities: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    pub runtime: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// RFC 3339.
    pub registered_at: String,
    pub heartbeat: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PoolList {
    pub items: Vec<PoolBody>,
    pub count: usize,
}
