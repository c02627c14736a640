//! Named, versioned Playbooks.

use std::fmt;

use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::FindingBody;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RegisterRequest {
    /// The YAML text, plain or base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The YAML text in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_base64: Option<String>,
    #[schema(example = "Playbook")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Where to register it when the document names no path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Registered {
    #[schema(example = "success")]
    pub status: String,
    pub message: String,
    pub path: String,
    pub version: u32,
    pub catalog_id: String,
    pub kind: String,
    pub resource_type: String,
    /// Warnings: what was accepted and is still worth a look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingBody>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CatalogListRequest {
    #[schema(example = "Playbook")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    pub include_archived: bool,
    /// Every version instead of the newest of each path.
    pub all_versions: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CatalogList {
    pub entries: Vec<CatalogEntry>,
}

/// One version of one Playbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CatalogEntry {
    pub catalog_id: String,
    pub path: String,
    pub name: String,
    /// `Playbook`.
    pub kind: String,
    pub resource_type: String,
    pub version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The YAML text; lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The playbook in its canonical form; lists leave it out.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    #[schema(value_type = Object)]
    pub meta: Map,
    /// Since when it is archived (`POST /api/catalog/delete`); such a version is not started any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}

/// Names one version, or the newest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ResourceRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
}

/// A version as callers write it: `3`, `"3"` or `"latest"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a version is a whole number or `latest`")]
pub enum VersionChoice {
    Number(u32),
    Word(String),
}

impl VersionChoice {
    /// None: the newest.
    pub fn number(&self) -> Result<Option<u32>, NotAVersion> {
        match self {
            Self::Number(number) => Ok(Some(*number)),
            Self::Word(word) => match word.trim().trim_start_matches('v') {
                "" | "latest" => Ok(None),
                digits => digits.parse().map(Some).map_err(|_| NotAVersion(word.clone())),
            },
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version: a number or `latest` expected")]
pub struct NotAVersion(pub String);

impl fmt::Display for VersionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// Archives or restores versions; without `version`, all of the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ArchiveRequest {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Archived {
    pub status: String,
    pub message: String,
    pub path: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deleted: Vec<VersionName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<VersionName>,
    pub count: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VersionName {
    pub catalog_id: String,
    pub version: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct VersionQuery {
    /// A number, or `latest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A form for the workload of a Playbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UiSchema {
    pub path: String,
    pub version: u32,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub fields: Vec<UiField>,
    /// The same as a JSON Schema.
    pub schema: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UiField {
    pub name: String,
    /// `string`, `integer`, `number`, `boolean`, `object` or `array`.
    #[serde(rename = "type")]
    pub kind: String,
    pub label: String,
    pub default: Value,
    /// The name says that it holds a secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}
