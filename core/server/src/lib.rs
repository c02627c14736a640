//! The control plane.

pub mod error;
pub mod ids;
pub mod store;
pub mod vault;
