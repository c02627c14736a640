//! `noop`: does nothing and says so, or returns what it is given.

use noetl_domain::Value;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::tool::{Failure, Output, TaskContext, Tool};

#[derive(Clone, Copy, Debug, Default)]
pub struct Noop;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The result to return; without it `{status: ok}`.
    #[serde(default)]
    result: Option<Value>,
    /// Text to return as `message`.
    #[serde(default)]
    message: Option<Value>,
}

impl Tool for Noop {
    const KIND: &'static str = "noop";
    const ABOUT: &'static str = "Does nothing; returns `result` when it is given.";
    type Input = Input;

    async fn run(&self, input: Input, _ctx: &TaskContext) -> Result<Output, Failure> {
        Ok(Output::plain(match (input.result, input.message) {
            (Some(result), _) => result,
            (None, Some(message)) => json!({"status": "ok", "message": message}),
            (None, None) => json!({"status": "ok"}),
        }))
    }
}
