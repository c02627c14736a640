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

/// How many tries after an error hosts and credentials may still get from the workers of this server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RetryBudgets {
    /// Retries per request.
    pub share: f64,
    /// Retries per second that are allowed however few the requests are.
    pub floor_per_second: f64,
    /// Retries saved up at most, and what a budget starts with.
    pub burst: f64,
    /// Seconds a retry waits for the budget at most.
    pub longest_wait_seconds: f64,
    /// Those with the least left first; full ones that nobody asks may be forgotten.
    pub items: Vec<RetryBudget>,
    pub count: usize,
}

/// What one host or one credential has used and has left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RetryBudget {
    /// `host` or `credential`.
    pub kind: String,
    /// A host with its port, or the name of a credential.
    pub name: String,
    /// Retries that may go out at once; below zero when some wait already.
    pub left: f64,
    /// Retries that went out since the budget was made, those that had to wait among them.
    pub retries: u64,
    pub delayed: u64,
    pub refused: u64,
}
