//! HTTP contract of the control plane: what crosses the wire, and a typed client.
//!
//! Types build for wasm32; the client needs sockets and is left out there.
//! Ids are strings everywhere: 64-bit numbers break JavaScript.

pub mod error;
