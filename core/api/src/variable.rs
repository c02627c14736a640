//! Variables of an Execution (`ctx`), read and written from outside the flow.

use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SetVariables {
    #[schema(value_type = Object)]
    pub variables: VariableSet,
    /// `user_defined` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub var_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_step: Option<String>,
}

/// A map of names to values, or the older list of records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VariableSet {
    Map(Map),
    List(Vec<VariableRecord>),
}

impl Default for VariableSet {
    fn default() -> Self {
        Self::Map(Map::new())
    }
}

impl VariableSet {
    pub fn into_map(self) -> Map {
        match self {
            Self::Map(map) => map,
            Self::List(records) => {
                records.into_iter().map(|record| (record.var_name, record.var_value)).collect()
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VariableRecord {
    pub var_name: String,
    #[serde(default)]
    pub var_value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub var_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_step: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VariableBody {
    pub name: String,
    pub value: Value,
    /// `step_result` when a step wrote it, `user_defined` when it was set from outside the flow.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who wrote it last: a step, or what a writer from outside called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_step: Option<String>,
    /// RFC 3339: when it was written last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VariableList {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    #[schema(value_type = Object)]
    pub variables: std::collections::BTreeMap<String, VariableBody>,
    pub count: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VariablesSet {
    pub status: String,
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    pub variables_set: usize,
    pub count: usize,
    pub message: String,
}
