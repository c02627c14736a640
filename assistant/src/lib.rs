//! Says why an execution failed.
//!
//! [`gather::gather`] collects [`Evidence`] once; [`diagnose`] judges it by rules and holds no state.
//! A model may write the prose (`write`), and decides nothing; [`attend`] does all this by itself on every failure.
//! It proposes and explains; it applies nothing.

mod answer;
mod assistant;
pub mod attend;
mod change;
pub mod chat;
mod check;
mod diagnosis;
pub mod evidence;
mod explain;
pub mod gather;
mod http;
pub mod laboratory;
pub mod llm;
pub mod mcp;
pub mod proposal;
mod rank;
mod recommend;
mod short;
mod statistics;
#[cfg(test)]
mod testing;
pub mod tools;
#[cfg(test)]
mod words;
mod write;

pub use answer::diagnose;
pub use assistant::Assistant;
pub use evidence::Evidence;
pub use gather::Sources;
pub use http::{openapi, router};
pub use rank::CERTAINTY;
