//! HTTP contract of the control plane: what crosses the wire, and a typed client.
//!
//! Types build for wasm32; the client needs sockets and is left out there.
//! Ids are strings everywhere: 64-bit numbers break JavaScript.

pub mod catalog;
pub mod chat;
#[cfg(not(target_arch = "wasm32"))]
pub mod client;
pub mod credential;
pub mod diagnosis;
pub mod error;
pub mod event;
pub mod execute;
pub mod execution;
pub mod health;
pub mod insight;
pub mod knowledge;
pub mod log;
pub mod policy;
pub mod pool;
pub mod proposal;
pub mod render;
pub mod result;
pub mod rollout;
pub mod schedule;
pub mod search;
pub mod show;
pub mod sql;
pub mod text_id;
pub mod variable;
pub mod what_if;
