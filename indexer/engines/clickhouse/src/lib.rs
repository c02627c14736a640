//! ClickHouse's engine (chDB, by `dlopen`) in this process, behind a front that speaks ClickHouse's HTTP protocol.
//!
//! [`Engine::open`] loads the library and opens a directory, [`Engine::serve`] answers on a listener until
//! [`Front::close`]. Whoever talks to a ClickHouse server over HTTP can talk to the front: the `clickhouse` crate, curl,
//! Grafana's data source. Two users have a key each: the owner may do anything, the reader may only read tables.
//!
//! Left out: what a session keeps from one request to the next (`session_id` is taken; SET, USE and temporary tables are
//! refused with one), external tables, access management in SQL, zstd, and types with a state or without a fixed shape
//! (AggregateFunction, JSON, Dynamic, Variant) in the format `Native` with a `client_protocol_version`; each is refused
//! with a clear error.
//!
//! Results of SELECT are streamed in the formats whose pieces can be put together (RowBinary and its kin, TabSeparated,
//! CSV, JSONEachRow, Native, …). In all others, and for all other statements, the result is held in memory whole, as the
//! library offers nothing else; [`Config::memory`] bounds what the engine itself uses, and the reader has a limit on
//! the size of its results. The data of an INSERT is streamed in, with back-pressure.
//! A query whose client goes away is ended if it is a SELECT; other statements run to their end, as on a server.

#![deny(unsafe_code)]

mod engine;
mod exception;
#[expect(unsafe_code, reason = "the engine is a C library; this module alone calls it")]
mod ffi;
mod front;
mod layout;
mod locate;
mod native;
mod session;
mod sql;

#[cfg(feature = "testing")]
pub mod conformance;
pub mod direct;

pub use engine::{Config, Engine, OpenError, VERSION};
pub use front::{Access, Front, User};
pub use locate::library;
