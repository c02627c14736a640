//! Likeness over the real engines.
