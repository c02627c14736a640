//! Follows the feed of committed Events and makes them answerable: columns in ClickHouse, meanings in Qdrant.
//!
//! It is never in the way of a run: it may be down, slow or absent, and catches up from its place.

mod again;
mod analytics;
mod calls;
mod config;
pub mod embedding;
mod fingerprints;
mod fold;
mod follow;
mod http;
mod insights;
mod place;
mod policy;
mod rows;
mod run;
mod semantic;
mod status;
#[cfg(test)]
mod testing;
pub mod vectors;

pub use analytics::{Analytics, AnalyticsError};
pub use config::{Config, Endpoint, Retention};
pub use fingerprints::Fingerprints;
pub use http::{openapi, router};
pub use policy::{Policy, Text};
pub use run::run;
pub use semantic::{Semantic, Unavailable};
pub use status::{LookedAt, Moving, Part, Progress, Snapshot, Status};

/// Rows as the tables hold them.
pub use rows::{CallRow, EventRow, ExecutionRow, LineRow, Name, PoisonRow, StepRow, TemplateRow};
