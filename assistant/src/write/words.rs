//! The words that may leave this machine as they are: those that speak of failures, and no others.
//!
//! A message of a foreign system is a text that anybody may have written, and every other word of it is masked.
//! Languages other than English, names and numbers with meaning are masked with it: what they say is in the typed
//! fields, where we know it.

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("words.txt").split_whitespace().collect());

/// Whether this word, in whatever case, may be shown.
pub(super) fn is_known(word: &str) -> bool {
    word.len() <= 32 && WORDS.contains(word.to_ascii_lowercase().as_str())
}
