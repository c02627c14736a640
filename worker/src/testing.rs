//! What tests of tools share, here and in other rooms: a real PostgreSQL.

pub mod postgres;

pub use self::postgres::Postgres;
