//! What the indexer is told: where its engines are, how long rows stay, and what may be stored.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// An engine's address. Both engines ask for a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub url: String,
    pub user: String,
    pub key: String,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).field("user", &self.user).finish_non_exhaustive()
    }
}

/// Days that rows stay before the engine drops them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    pub events: u32,
    pub steps: u32,
    pub executions: u32,
    pub logs: u32,
    pub llm_calls: u32,
    pub hourly: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { events: 30, steps: 180, executions: 365, logs: 30, llm_calls: 90, hourly: 730 }
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    /// Database of the analytic tables.
    pub database: String,
    /// Where the follower keeps its place.
    pub directory: PathBuf,
    pub retention: Retention,
    pub policy: Policy,
    /// Rows after which a batch is sent, whatever else there is.
    pub batch_rows: usize,
    /// Bytes of Events read at once.
    pub read_bytes: usize,
}

impl Config {
    pub fn new(directory: PathBuf) -> Self {
        Self {
            database: "observability".to_owned(),
            directory,
            retention: Retention::default(),
            policy: Policy::default(),
            batch_rows: 200_000,
            read_bytes: 16 * 1024 * 1024,
        }
    }
}
