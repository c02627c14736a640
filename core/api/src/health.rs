//! Is it up, and how is it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Health {
    /// `ok`, or `degraded` when the store does not answer.
    #[schema(example = "ok")]
    pub status: String,
    /// `ok` or what is wrong with the store.
    pub database: String,
    /// What carries the Commands: `local` inside one process.
    pub bus: String,
    /// Kept for older readers: `none` when no NATS server is used.
    pub nats: String,
    pub uptime_seconds: f64,
    pub version: String,
}

/// What a liveness probe reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alive {
    #[schema(example = "ok")]
    pub status: String,
}

/// Answers a call that only has to say that it worked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Done {
    #[schema(example = "success")]
    pub status: String,
    pub message: String,
}

impl Done {
    pub fn new(message: impl Into<String>) -> Self {
        Self { status: "success".to_owned(), message: message.into() }
    }
}

/// The store's tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DatabaseState {
    pub status: String,
    pub message: String,
    pub valid: bool,
    pub tables: Vec<String>,
    pub missing: Vec<String>,
}
