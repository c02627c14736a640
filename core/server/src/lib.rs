//! The control plane.

pub mod catalog;
pub mod error;
pub mod feed;
pub mod http;
pub mod ids;
pub mod orchestrator;
pub mod proposals;
pub mod schedule;
pub mod store;
pub mod vault;
