//! Large results, by reference.

use noetl_domain::Value;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ResolveQuery {
    /// `noetl://execution/<id>/result/<step>/<sha256>`.
    #[serde(rename = "ref")]
    pub uri: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Resolved {
    pub status: String,
    #[serde(rename = "ref")]
    pub uri: String,
    pub data: Value,
    pub content_type: String,
    pub size_bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PutResult {
    /// The step it belongs to.
    #[serde(alias = "name", alias = "node_name")]
    pub step: String,
    pub data: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ResultPut {
    pub status: String,
    #[serde(rename = "ref")]
    pub uri: String,
    /// The whole reference, as steps keep it.
    pub reference: Value,
}
