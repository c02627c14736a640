//! Between Qdrant's protocol and the engine's own types: parse once at the door, trust afterwards.
//!
//! What the protocol knows and this engine does not (prefix and substring matches, slices, inference of vectors from
//! text, BM25 scoring inside the store) is refused by name.

pub(crate) mod collection;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod formula;
pub(crate) mod id;
pub(crate) mod index;
pub(crate) mod payload;
pub(crate) mod point;
pub(crate) mod selector;
pub(crate) mod vector;
