//! The engine as a whole: stories, properties, and logs of the past that must replay.

#![expect(clippy::disallowed_methods, reason = "tests read their files and their settings")]

#[path = "suite/driver.rs"]
mod driver;
#[path = "suite/properties.rs"]
mod properties;
#[path = "suite/stories.rs"]
mod stories;
