//! What is found by meaning and by words: failures, executions, playbooks, knowledge.
//!
//! Moments are RFC 3339 in UTC, ids strings of decimal digits, fingerprints sixteen hexadecimal digits.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A question to the vector store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct SearchQuestion {
    /// What is looked for, in anybody's words.
    pub q: String,
    /// `failure`, `execution`, `playbook` or `knowledge`; none: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How far back: `30m`, `24h`, `7d`, `4w`, or a moment in RFC 3339. Knowledge and playbooks have no age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Path of a playbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// Conditions on fields of the results, joined by commas: `cause=dependency.unavailable,count>=3,tool!=http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// What is known of one thing that can be found. Which fields are filled depends on its kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Facts {
    /// The message of a failure, how an execution ended, what a playbook does, a passage of knowledge.
    pub text: String,
    /// The heading above a passage, the name of a playbook.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub playbook: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub version: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub step: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tool: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cause: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// The newest execution it was seen in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub execution_id: String,
    /// The newest event that tells of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub event_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub first_at: String,
    /// When it was seen last.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// How often it was seen.
    #[serde(skip_serializing_if = "is_zero")]
    pub count: u64,
    /// How many of these an arc, a case or a rule answered.
    #[serde(skip_serializing_if = "is_zero")]
    pub handled: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub duration_ms: u64,
    /// File, address or Code that a passage of knowledge comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// `failure`, `execution`, `playbook` or `knowledge`.
    pub kind: String,
    pub score: f32,
    /// Likeness of meaning, from -1 to 1; none where the words alone found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<f32>,
    /// BM25; none where the meaning alone found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<f32>,
    #[serde(flatten)]
    pub facts: Facts,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchAnswer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// What made the vectors of meaning.
    pub embedder: String,
    /// Why not a better one, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
