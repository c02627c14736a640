//! Says why an execution failed.
//!
//! [`gather::gather`] collects [`Evidence`] once; [`diagnose`] judges it by rules and holds no state.
//! It proposes and explains; it applies nothing.

mod answer;
mod change;
pub mod chat;
mod check;
mod diagnosis;
pub mod evidence;
mod explain;
pub mod gather;
mod http;
pub mod mcp;
mod rank;
mod recommend;
#[cfg(test)]
mod testing;
pub mod tools;

pub use answer::diagnose;
pub use evidence::Evidence;
pub use gather::Sources;
pub use http::{openapi, router};
