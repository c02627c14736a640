//! What somebody would say who believes the last error in the log: its step, and what its own words mean.
//!
//! It is the baseline that causal reasoning must beat.

use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use serde_json::{Value, json};

use crate::app::App;

/// Step and cause of the newest error that a step left; nulls where none did.
pub(super) async fn read(app: &App, id: &str) -> Value {
    let events = app.events(id).await;
    let failed = |event: &&Value| event["node_name"].is_string() && event["meta"]["error"].is_object();
    let Some(last) = events.iter().rev().find(failed) else {
        return json!({"step": null, "cause": null});
    };
    let error: TaskError =
        serde_json::from_value(last["meta"]["error"].clone()).expect("an error as it is kept");
    let tool = (!error.source.is_empty()).then_some(error.source.as_str());
    json!({"step": last["node_name"], "cause": Cause::of(&error, tool).code()})
}
