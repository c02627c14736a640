//! Qdrant's engine in this process, behind a front that speaks Qdrant's gRPC protocol.
//!
//! [`Engine::open`] takes a directory, [`Engine::serve`] a listener on loopback; from there on any Qdrant client is at
//! home, with the URL and the key of the [`Front`]. Each collection is a directory of its own with one shard.
//!
//! What the engine alone does not promise, this crate adds: an answered write that waited survives `kill -9` and the
//! loss of power ([`journal`]), a damaged collection is set aside and the others open ([`catalog`]), a request that makes
//! the engine panic ends alone ([`engine_call`]), and segments are rebuilt in the background ([`upkeep`]).
//!
//! Left out: clusters, snapshots, inference, strict mode.

mod catalog;
mod check;
mod collection;
mod directory;
mod engine;
mod engine_call;
mod front;
mod journal;
mod query;
mod room;
mod upkeep;
mod wire;

pub use catalog::SetAside;
pub use engine::{Config, Engine, Front, OpenError};
