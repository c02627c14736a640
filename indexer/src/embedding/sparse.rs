//! BM25 as sparse vectors: the part of the score that one text decides.
//!
//! The store multiplies each number of a query by the inverse document frequency of its term (its IDF modifier),
//! which only it can know, and sums up.

use std::collections::BTreeMap;

use super::normalise::in_words;
use super::words::{hash, is_common, stem};

/// How soon repetition stops to count, and how much longer texts are held back.
const K1: f32 = 1.2;
const B: f32 = 0.6;
/// Terms of a usual failure. A running mean would make vectors depend on when they were made.
const USUAL_LENGTH: f32 = 24.0;

/// Indexes are ascending and distinct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector {
    pub indices: Vec<u32>,
    pub values: Vec<f32>,
}

impl SparseVector {
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    fn new(terms: impl IntoIterator<Item = (u32, f32)>) -> Self {
        let (indices, values) = terms.into_iter().unzip();
        Self { indices, values }
    }
}

/// The vector of a text that is to be found.
pub fn document(text: &str) -> SparseVector {
    let terms = terms(text);
    let length: u32 = terms.values().sum();
    let held_back = K1 * (1.0 - B + B * length as f32 / USUAL_LENGTH);
    SparseVector::new(terms.into_iter().map(|(term, count)| {
        let count = count as f32;
        (term, count * (K1 + 1.0) / (count + held_back))
    }))
}

/// The vector of a text that is looked for.
pub fn query(text: &str) -> SparseVector {
    SparseVector::new(terms(text).into_keys().map(|term| (term, 1.0)))
}

/// Stems of the normalised text, and the words of the text as it stands, so that codes and names can be found exactly.
fn terms(text: &str) -> BTreeMap<u32, u32> {
    let mut terms = BTreeMap::new();
    let mut add = |word: &str| *terms.entry(hash(word)).or_insert(0) += 1;
    let mut seen = in_words(text);
    seen.retain(|word| !is_common(word));
    for word in &seen {
        add(stem(word));
    }
    seen.sort_unstable();
    for word in exact(text) {
        if seen.binary_search(&word).is_err() {
            add(&word);
        }
    }
    terms
}

/// Names and codes that were taken apart, expanded or left out.
fn exact(text: &str) -> impl Iterator<Item = String> {
    const MOST: usize = 64;
    let part = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    text.split(part)
        .map(|word| word.trim_matches(['-', '.', '_']))
        .filter(|word| (3..=64).contains(&word.len()))
        .filter(|word| {
            let letters = word.bytes().any(|byte| byte.is_ascii_alphabetic());
            let digits = word.bytes().any(|byte| byte.is_ascii_digit());
            let joined = word.contains(['_', '-', '.']);
            let camel = word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
            digits || (letters && (joined || camel))
        })
        .map(str::to_lowercase)
        .take(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: &str, b: &str) -> usize {
        let (a, b) = (query(a), document(b));
        a.indices.iter().filter(|index| b.indices.contains(index)).count()
    }

    #[test]
    fn codes_and_names_are_found_exactly_and_by_their_words() {
        assert!(shared("ECONNREFUSED", "connect ECONNREFUSED 10.0.0.1:5432") >= 2);
        assert!(shared("connection refused", "connect ECONNREFUSED 10.0.0.1:5432") == 2);
        assert!(shared("load_orders", "step load_orders failed") >= 3);
        assert_eq!(shared("sku-4711", "no stock for SKU-4711"), shared("SKU-4711", "no stock for sku-4711"));
        assert!(shared("sku-4711", "no stock for SKU-4711") > shared("sku-4712", "no stock for SKU-4711"));
    }

    #[test]
    fn repetition_saturates_and_length_holds_back() {
        let weight = |text: &str| {
            let vector = document(text);
            let at = vector.indices.iter().position(|index| *index == hash("timeout")).unwrap();
            vector.values[at]
        };
        let (once, twice) = (weight("timeout after lock"), weight("timeout after timeout"));
        assert!(twice > once && twice < 2.0 * once, "{once} {twice}");
        let long = format!("timeout {}", "something else happened here ".repeat(20));
        assert!(weight(&long) < weight("timeout"));
    }

    #[test]
    fn indexes_ascend() {
        let vector = document("one two three four five six seven eight nine ten");
        assert!(vector.indices.is_sorted() && vector.indices.len() == vector.values.len());
    }
}
