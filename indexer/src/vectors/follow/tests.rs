//! The follower over the real engine.
