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

/// What is like an execution, or like one failure of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Similar {
    /// What was asked about.
    pub of: SimilarTo,
    /// Failures like it, the likest first: one for each shape of message, playbook and step.
    pub failures: Vec<SimilarFailure>,
    /// Executions of the same playbook that ended and behaved like it, the likest first.
    pub executions: Vec<SimilarExecution>,
    /// What could not be looked at, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What others are compared with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarTo {
    /// `execution` or `failure`: what the id that was asked about names.
    pub kind: String,
    /// How the execution ended, or how it is at the moment.
    pub execution: Facts,
    /// Its failure that others are compared with; none when nothing failed in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Facts>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarFailure {
    /// The same shape of message in the same step of the same playbook.
    pub is_same: bool,
    pub score: f32,
    /// Likeness of meaning, from -1 to 1; none where the words alone found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<f32>,
    #[serde(flatten)]
    pub facts: Facts,
    pub ended: Ended,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarExecution {
    /// From 0 to 1: likeness of behaviour and of meaning together.
    pub score: f32,
    /// Likeness of how it ended, from -1 to 1; none without an embedder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<f32>,
    /// Likeness of durations, attempts, sizes and endings of its steps, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<f32>,
    #[serde(flatten)]
    pub facts: Facts,
    /// What ended the failing; none when it completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// Whether a failure goes on, and what ended it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ended {
    /// `happening`: nothing went well since. `quiet`: something did, but by chance that could be. `gone`: more went well
    /// than chance explains. `unknown`: see the reason.
    pub state: String,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failed_at: Option<String>,
    /// The first run after it that went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// From the last failure to that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// What came in between: `version`, a new version of the playbook; `retry`, a retry of the execution; `itself`,
    /// nothing that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Version of the playbook that failed last, and that went well first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_version: Option<u64>,
    /// The execution that went well first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// Runs since the last failure that went well.
    pub good_runs: u64,
}
