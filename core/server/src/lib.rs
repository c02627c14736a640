//! The control plane.

pub mod error;
pub mod store;
