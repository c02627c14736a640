//! How much of what people wrote and tools said may lie outside the log.
//!
//! Secrets are masked long before; this is about everything else. Fingerprints are stored always.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Text {
    /// The message as it was, bounded in length.
    Full,
    /// Its template: particulars are replaced by their types.
    Template,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Messages of errors.
    pub errors: Text,
    /// Lines that tools printed.
    pub logs: Text,
    /// Lines of one run of a step that are indexed whatever they say; beyond them only lines of a new shape and one of a
    /// hundred. 0: all.
    pub lines: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { errors: Text::Full, logs: Text::Template, lines: 10_000 }
    }
}

/// Bytes of a message that are stored.
pub(crate) const MOST_TEXT: usize = 2048;

/// The beginning of a text, cut between characters.
pub(crate) fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_TEXT)]
}
