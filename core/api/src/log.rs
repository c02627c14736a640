//! What tools printed.

use noetl_domain::Value;
use noetl_domain::id::ExecutionId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogBody {
    /// Place among the lines of the Execution, for paging and following.
    pub id: u64,
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    pub step: String,
    #[serde(default)]
    pub run: u32,
    /// Iteration, inside a loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// RFC 3339.
    pub created_at: String,
    /// `stdout`, `stderr` or `noetl`.
    pub stream: String,
    /// `debug`, `info`, `warn`, `error`.
    pub level: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub fields: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct LogFilter {
    /// Only lines after this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// 1,000 unless given, 10,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// `stdout`, `stderr` or `noetl`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Answer with server-sent events until the Execution ends.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    #[schema(value_type = String)]
    pub execution_id: ExecutionId,
    pub status: String,
    pub lines: Vec<LogBody>,
    /// Give it as `after` for the next page; absent when there was nothing more at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}
