//! The Tools: one file per kind of work.

pub mod python;
