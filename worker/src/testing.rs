//! What tests of tools share, here and in other rooms: a real PostgreSQL, and a task's context.

#[cfg(test)]
mod context;
pub mod postgres;

#[cfg(test)]
pub(crate) use self::context::context;
pub use self::postgres::Postgres;
