//! The control plane.

pub mod error;
