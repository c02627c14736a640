//! The Tools: one file per kind of work. A new one is a file, a `mod` line here, and a line in [`crate::registry`].

pub mod http;
pub mod noop;
pub mod playbook;
pub mod playbooks;
pub mod postgres;
pub mod python;
pub mod secrets;
pub mod shell;
pub mod sleep;
pub mod sqlite;
