//! SQL text and SQL results, alike for every database a tool talks to. Opens no connection.

mod scan;

pub mod bind;
pub mod insert;
pub mod literal;
pub mod script;
pub mod shape;
pub mod split;
pub mod together;

/// Where databases read the same text differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Postgres,
    Sqlite,
}
