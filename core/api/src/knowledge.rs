//! Documents that are searched beside what past runs tell.
//!
//! Moments are RFC 3339 in UTC.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Bytes of a document, at most.
pub const LARGEST: usize = 8 * 1024 * 1024;

/// How a document is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Markdown,
    Text,
    Html,
}

/// A document to take in, in the place of the one that the source had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnowledgeRequest {
    /// What it is known by: a file, an address, any name.
    pub source: String,
    /// What people call it; none: what the document calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub content: String,
    #[serde(default)]
    pub format: Format,
}

/// A document that is searched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct KnowledgeSource {
    pub source: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    pub format: Format,
    /// Pieces that are found each for itself.
    pub passages: u64,
    /// Size of the document.
    pub bytes: u64,
    pub added_at: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnowledgeList {
    /// By name.
    pub sources: Vec<KnowledgeSource>,
}

/// What taking in a document came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnowledgeAdded {
    #[serde(flatten)]
    pub source: KnowledgeSource,
    /// Passages that were not there before.
    pub new: u64,
    /// Passages of the document before it that are gone.
    pub gone: u64,
}

/// Names one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct KnowledgeName {
    pub source: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnowledgeRemoved {
    pub source: String,
    pub passages: u64,
}
