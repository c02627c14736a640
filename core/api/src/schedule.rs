//! Schedules: when to start a Playbook by itself.

use noetl_domain::Map;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One of `cron` and `interval_seconds`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ScheduleRequest {
    pub path: String,
    /// None: the newest at the time of firing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    #[schema(example = "0 6 * * MON-FRI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<f64>,
    /// Such as `Europe/Berlin`; UTC unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    #[schema(value_type = Object)]
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub payload: Map,
    /// What to do about missed firings: `skip`, `latest` or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ScheduleBody {
    pub id: String,
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    #[schema(value_type = Object)]
    pub payload: Map,
    pub catch_up: String,
    pub enabled: bool,
    /// `playbook` when it comes from the playbook's text, `api` when it was added.
    pub source: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_execution_id: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ScheduleList {
    pub items: Vec<ScheduleBody>,
}
