//! The worker: the only room that acts on the outside world, and keeps nothing durable.

mod ask;
mod auth;
pub mod budgets;
pub mod config;
pub mod credential;
pub mod fields;
mod google;
mod job;
mod kept;
mod keychain;
pub mod meter;
mod pipeline;
mod policy;
mod provider;
pub mod registry;
mod retry;
mod run;
#[cfg(test)]
mod sample;
mod save;
mod scope;
mod script;
mod secret;
mod slot;
mod spellings;
pub mod sql;
mod stop;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tool;
pub mod tools;
mod work;

pub use config::Config;
pub use job::{LogSink, Services};
pub use run::{run, serve};
pub use work::execute;
