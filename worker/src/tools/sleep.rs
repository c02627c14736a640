//! `sleep`: waits without holding a worker.

use noetl_domain::Value;
use noetl_domain::error::TaskError;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::fields;
use crate::tool::{Failure, Output, TaskContext, Tool};

#[derive(Clone, Copy, Debug, Default)]
pub struct Sleep;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// Seconds, such as 1.5.
    #[serde(default)]
    seconds: Option<Value>,
    /// A duration in words: `500ms`, `30s`, `5m`, `2h`.
    #[serde(default)]
    duration: Option<Value>,
}

impl Tool for Sleep {
    const KIND: &'static str = "sleep";
    const ABOUT: &'static str = "Waits for a while without holding a worker.";
    type Input = Input;

    async fn run(&self, input: Input, _ctx: &TaskContext) -> Result<Output, Failure> {
        let Some(written) = input.seconds.or(input.duration) else {
            let message = "sleep needs `seconds` or `duration`";
            return Err(TaskError::new("config", message).with_code("TL002").into());
        };
        let Some(seconds) = fields::seconds(&written) else {
            let message = format!("{written} is not a duration; write for example 1.5, \"30s\" or \"5m\"");
            return Err(TaskError::new("config", message).with_code("TL002").into());
        };
        Ok(Output::Sleep { seconds })
    }
}
