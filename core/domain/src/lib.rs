//! The meaning of NoETL: playbooks, events, and the pure function that decides what happens next.
//!
//! Nothing in this crate observes the world.
//! Time, ids and randomness arrive inside the values that are passed in, so every decision can be replayed.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests read their files and time themselves"))]

pub mod budget;
pub mod cause;
pub mod code;
pub mod command;
pub mod dialect;
pub mod error;
pub mod event;
pub mod execution;
pub mod finding;
pub mod fingerprint;
pub mod id;
pub mod lint;
pub mod mask;
pub mod playbook;
pub mod report;
pub mod result;
pub mod rollout;
pub mod template;
pub mod tuning;
pub mod usage;
pub mod yaml;

/// Any JSON value: what playbooks, templates, tools and results exchange.
pub type Value = serde_json::Value;
/// A JSON object whose keys keep their order.
pub type Map = serde_json::Map<String, Value>;
