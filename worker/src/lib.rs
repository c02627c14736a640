//! The worker: the only room that acts on the outside world, and keeps nothing durable.

pub mod credential;
pub mod fields;
pub mod registry;
#[cfg(test)]
mod sample;
mod secret;
pub mod sql;
mod stop;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tool;
pub mod tools;
