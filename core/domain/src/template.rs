//! Grows in its own commit.
