//! Meaning: text becomes vectors that lie close when texts say the same thing, and results of two searches become one.
//!
//! A text goes through [`normalise()`] once; the result is what an [`Embedder`] is asked for.
//! [`sparse`] makes BM25 vectors out of the text as it is, so that exact words and codes can be found.
//! [`fuse()`] joins the hits of both searches.
//! What is kept in a vector store, and under which names, is decided elsewhere; [`Identity::key`] is what must be part
//! of such a name, because vectors of two models never lie in one space.

mod builtin;
mod cache;
mod config;
mod embedder;
mod endpoint;
mod fuse;
mod identity;
mod normalise;
mod onnx;
mod open;
mod sparse;
mod words;

#[cfg(test)]
mod retrieval;

pub use config::{Choice, Config, Endpoint};
pub use embedder::{Counters, EmbedError, Embedder};
pub use fuse::{Decay, Fused, Fusion, Hit, fuse};
pub use identity::Identity;
pub use normalise::normalise;
pub use open::{Opened, open};
pub use sparse::{SparseVector, document, query};
