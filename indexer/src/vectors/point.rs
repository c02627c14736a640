//! Points as the store holds them.

use noetl_api::search::Facts;
use serde::{Deserialize, Serialize};

use crate::insights::moment_of_ms;

/// The payload of a point: what people are told, and what we need to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stored {
    #[serde(flatten)]
    pub facts: Facts,
    /// Unix milliseconds of `at`, to filter by.
    pub at_ms: i64,
    /// Position in the feed up to which its counts go: what is read again is not counted again.
    #[serde(skip_serializing_if = "is_zero")]
    pub position: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One thing that can be found.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub id: u64,
    pub stored: Stored,
    /// How an Execution behaved.
    pub behaviour: Option<Vec<f32>>,
}

impl Stored {
    /// Sets when it was seen last.
    pub fn seen_at(&mut self, at_ms: i64) {
        self.at_ms = at_ms;
        self.facts.at = moment_of_ms(at_ms);
    }
}

/// A stable id for what these parts name together.
pub(crate) fn id(parts: &[&str]) -> u64 {
    let mut hasher = twox_hash::XxHash64::with_seed(0);
    for part in parts {
        std::hash::Hasher::write(&mut hasher, part.as_bytes());
        // So that the parts of two names do not run together.
        std::hash::Hasher::write(&mut hasher, &[0]);
    }
    std::hash::Hasher::finish(&hasher)
}
