//! Rendering a template against the state of an Execution.

use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RenderRequest {
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    /// Any JSON; strings inside are templates.
    pub template: Value,
    #[schema(value_type = Object)]
    pub extra_context: Map,
    /// A name that nothing provides is an error instead of null.
    pub strict: bool,
}

impl Default for RenderRequest {
    fn default() -> Self {
        Self { execution_id: None, template: Value::Null, extra_context: Map::new(), strict: true }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Rendered {
    pub status: String,
    pub rendered: Value,
    pub context_keys: Vec<String>,
}
