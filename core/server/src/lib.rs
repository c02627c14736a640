//! The control plane.

pub mod error;
pub mod ids;
pub mod orchestrator;
pub mod store;
pub mod vault;
