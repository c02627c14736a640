//! The engine as a whole: stories, properties, and logs of the past that must replay; and the template miner.

#![expect(clippy::disallowed_methods, reason = "tests read their files and their settings")]

#[path = "suite/corpus.rs"]
mod corpus;
#[path = "suite/driver.rs"]
mod driver;
#[path = "suite/fingerprints.rs"]
mod fingerprints;
#[path = "suite/grouping.rs"]
mod grouping;
#[path = "suite/properties.rs"]
mod properties;
#[path = "suite/stories.rs"]
mod stories;
