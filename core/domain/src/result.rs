//! Results: where they lie and which shape they answer to.

use serde::{Deserialize, Serialize};

use crate::Value;

/// The shape of a result, which decides how templates may read it (playbooks.md section 13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// User data: unknown names fall through to `.data` when it is an object.
    #[default]
    Plain,
    /// `{status, status_code, headers, data, url, elapsed}`; unknown names fall through to the body.
    Http,
    /// `{status, rows, row_count, columns, affected_rows?, command_0…}`; index, iteration and length go to `rows`.
    Sql,
    /// A list of per-item results plus `stats`; answers `results`, `data`, `result`, `stats`, `count`.
    Loop,
    /// A loop whose body is a pipeline: every element answers as a pipeline does.
    LoopOfPipelines,
    /// Map of label to result; unknown names are looked up in the results, last task first.
    Pipeline,
}

/// A result, inline or by reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Stored {
    Ref(ResultRef),
    Inline(Value),
}

impl Default for Stored {
    fn default() -> Self {
        Self::Inline(Value::Null)
    }
}

/// Points at a large result outside the log; content-addressed, so reading it is repeatable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRef {
    /// Always `result_ref`.
    pub kind: RefKind,
    /// `noetl://execution/<id>/result/<step>/<sha256>`.
    #[serde(rename = "ref")]
    pub uri: String,
    /// Path inside the object store.
    pub key: String,
    pub bytes: u64,
    pub sha256: String,
    pub content_type: String,
    /// First elements or fields, for people and for routing without loading.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub preview: Value,
    /// Fields named by `output_select`, inline.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub extracted: Value,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefKind {
    #[default]
    ResultRef,
}
