//! Payloads: JSON on both sides.

use std::collections::HashMap;

use ::qdrant_client::{Payload as WirePayload, qdrant};
use qdrant_edge::{JsonPath, Payload};
use serde_json::Value;
use tonic::Status;

use super::error::wrong;

pub(crate) fn parse(payload: HashMap<String, qdrant::Value>) -> Payload {
    Payload(WirePayload::from(payload).into())
}

pub(crate) fn print(payload: Option<Payload>) -> HashMap<String, qdrant::Value> {
    let fields = payload.map(|payload| payload.0).unwrap_or_default();
    fields.into_iter().map(|(key, value)| (key, value.into())).collect()
}

pub(crate) fn parse_values(values: HashMap<String, qdrant::Value>) -> HashMap<String, Value> {
    parse(values).0.into_iter().collect()
}

/// A path into a payload, like `steps[].name`.
pub(crate) fn path(key: &str) -> Result<JsonPath, Status> {
    key.parse().map_err(|()| wrong(format_args!("{key:?} is not a path into a payload")))
}

pub(crate) fn paths(keys: &[String]) -> Result<Vec<JsonPath>, Status> {
    keys.iter().map(|key| path(key)).collect()
}
