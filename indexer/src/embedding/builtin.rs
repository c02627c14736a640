//! An embedder without files: words, concepts and letters hashed into a vector.
//!
//! It knows which words of the trade mean nearly the same (`lexicon`), sees forms and misspellings of words through
//! their letters, and nothing else; a model understands more.
//! It is there when no model is, and it is deterministic.

mod lexicon;

use std::collections::HashSet;

use super::embedder::unit;
use super::identity::Identity;
use super::normalise::in_words;
use super::words::{hash, is_common, stem};

const DIMENSION: usize = 384;
/// Places of the vector that one feature changes: fewer collide more, more blur.
const PLACES: u32 = 6;

const WORD: f32 = 1.0;
const PAIR: f32 = 0.4;
const CONCEPT: f32 = 1.2;
const LETTERS: f32 = 0.6;
/// Words that most failures have.
const PALE: f32 = 0.25;

/// The number changes with every change of the vectors.
pub(super) fn identity() -> Identity {
    Identity::new("builtin-1", "f32", DIMENSION)
}

/// The vector of a text, at length one.
pub(super) fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSION];
    let words = in_words(text);
    // A normalised text says most things twice.
    let mut seen = HashSet::new();
    let mut words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !is_common(word)).collect();
    words.retain(|word| seen.insert(*word));
    let mut before: Option<&str> = None;
    for word in &words {
        let stem = stem(word);
        let weight = if lexicon::is_pale(stem) { PALE } else { 1.0 };
        add(&mut vector, &["w", stem], WORD * weight);
        let letters = trigrams(stem);
        let share = LETTERS * weight / (letters.len() as f32).sqrt();
        for trigram in &letters {
            add(&mut vector, &["l", trigram], share);
        }
        if let Some(before) = before {
            add(&mut vector, &["p", before, stem], PAIR * weight);
        }
        before = Some(stem);
    }
    for concept in lexicon::concepts(&words) {
        add(&mut vector, &["c", concept], CONCEPT);
    }
    if vector.iter().all(|x| *x == 0.0) {
        // A text without words is like another one, and stores refuse vectors of length zero.
        add(&mut vector, &["nothing"], 1.0);
    }
    unit(vector)
}

fn add(vector: &mut [f32], feature: &[&str], weight: f32) {
    let mut seed = feature.iter().fold(0_u32, |seed, part| seed.rotate_left(5).wrapping_mul(31) ^ hash(part));
    for _ in 0..PLACES {
        seed = mix(seed);
        let sign = if seed & 1 == 0 { 1.0 } else { -1.0 };
        vector[(seed >> 1) as usize % DIMENSION] += sign * weight;
    }
}

fn mix(seed: u32) -> u32 {
    let mut x = seed.wrapping_add(0x9e37_79b9);
    x = (x ^ (x >> 16)).wrapping_mul(0x21f0_aaad);
    x = (x ^ (x >> 15)).wrapping_mul(0x735a_2d97);
    x ^ (x >> 15)
}

fn trigrams(word: &str) -> Vec<String> {
    let chars: Vec<char> = std::iter::once('<').chain(word.chars()).chain(std::iter::once('>')).collect();
    chars.windows(3).map(|window| window.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(a: &str, b: &str) -> f32 {
        embed(a).iter().zip(embed(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn what_means_the_same_is_closer_than_what_shares_a_word() {
        let text = "connection refused";
        assert!(like(text, "server rejects connections") > like(text, "connection pool size configured"));
        assert!(
            like("query was too slow", "statement timeout")
                > like("query was too slow", "query syntax error")
        );
        assert!(like("certificat expred", "certificate expired") > 0.5);
    }

    #[test]
    fn vectors_have_length_one_and_never_vanish() {
        for text in ["", "the of", "connection refused"] {
            let length: f32 = embed(text).iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-4, "{text}: {length}");
        }
    }
}
