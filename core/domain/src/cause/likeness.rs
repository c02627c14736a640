//! What a text is likest to, among texts whose cause is known.
//!
//! Rules know phrases and sentences that somebody thought of; systems say the same in words that nobody did.
//! `likeness/texts.tsv` holds texts of many systems with their causes. Each word, and each pair of neighbours, speaks
//! for a cause as much as it is commoner in its texts than in all others (naive Bayes over the words that are there).
//! An answer counts only where it stands clear of the second best.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::Cause;

/// In columns: who wrote it down (`f` to `i` had not seen the rules, `s` is from the rules' own tests), the causes it may
/// have, the first one the likelier, how it was told, and the text with `\n` for line ends.
const TEXTS: &str = include_str!("likeness/texts.tsv");

/// Bytes of a text that are looked at.
const READ: usize = 4 * 1024;
/// Letters of a word that count: endings say little.
const STEM: usize = 7;
/// Words, and pairs of them, that have to be known before a text is like any other.
const KNOWN: usize = 4;
/// Words in more texts than this share say nothing.
const COMMON: f64 = 0.25;
/// What a word that was never seen in a cause's texts is counted as.
const SMALL: f64 = 0.05;
/// How little a word speaks against a cause that it was never seen with.
const AGAINST: f64 = -0.05;
/// Texts that a cause needs before anything is like it.
const FEWEST: f64 = 4.0;
/// Weight of how many texts a cause has.
const PRIOR: f64 = 0.3;

/// How far the best has to stand clear of the second best.
const CLEAR: f64 = 3.0;

/// The same where other words stand beside it that may mean something else.
const PLAIN: f64 = 10.0;

/// The cause that a text is likest to, where that is clear; `Unknown` where it is likest to texts that say nothing.
pub(super) fn cause(text: &str) -> Option<Cause> {
    clearer_than(CLEAR, text)
}

/// The same where it stands clear by far.
pub(super) fn surely(text: &str) -> Option<Cause> {
    clearer_than(PLAIN, text)
}

fn clearer_than(margin: f64, text: &str) -> Option<Cause> {
    static MODEL: LazyLock<Model> =
        LazyLock::new(|| Model::of(texts().map(|(_, cause, text)| (cause, text))));
    let (cause, clear) = MODEL.likest(last_words(text)?)?;
    (clear > margin).then_some(cause)
}

/// What a program said, without what we put before it; none when it said nothing.
fn last_words(text: &str) -> Option<&str> {
    match text.strip_prefix("the command ended with exit status ") {
        Some(ended) => ended.split_once(": ").map(|(_, words)| words),
        None => Some(text),
    }
}

fn texts() -> impl Iterator<Item = (&'static str, Cause, String)> {
    TEXTS.lines().filter_map(|line| {
        let mut parts = line.splitn(4, '\t');
        let (from, causes, _via, text) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some((from, causes.split('|').next()?.parse().ok()?, text.replace("\\n", "\n")))
    })
}

struct Model {
    causes: Vec<(Cause, f64)>,
    /// For each word what it says for each of the causes.
    words: HashMap<String, Vec<f64>>,
}

impl Model {
    fn of(texts: impl Iterator<Item = (Cause, String)>) -> Self {
        let mut counts: HashMap<String, HashMap<Cause, f64>> = HashMap::new();
        let mut of_cause: HashMap<Cause, f64> = HashMap::new();
        for (cause, text) in texts {
            *of_cause.entry(cause).or_default() += 1.0;
            for word in words(&text) {
                *counts.entry(word).or_default().entry(cause).or_default() += 1.0;
            }
        }
        of_cause.retain(|_, count| *count >= FEWEST);
        let all: f64 = of_cause.values().sum();
        let share = |count: f64| ((count + 1.0) / (all + of_cause.len() as f64)).ln() * PRIOR;
        let mut causes: Vec<(Cause, f64)> =
            of_cause.iter().map(|(cause, count)| (*cause, share(*count))).collect();
        causes.sort_by_key(|(cause, _)| *cause);
        let words = counts.into_iter().filter_map(|(word, by_cause)| {
            let everywhere: f64 = by_cause
                .iter()
                .filter(|(cause, _)| of_cause.contains_key(cause))
                .map(|(_, count)| count)
                .sum();
            let weight = |(cause, _): &(Cause, f64)| {
                let (here, of) = (by_cause.get(cause).copied().unwrap_or_default(), of_cause[cause]);
                if here == 0.0 {
                    return AGAINST;
                }
                let inside = (here + SMALL) / (of + 2.0 * SMALL);
                let outside = (everywhere - here + SMALL) / (all - of + 2.0 * SMALL);
                (inside / outside).ln()
            };
            (everywhere < all * COMMON).then(|| (word, causes.iter().map(weight).collect()))
        });
        Self { words: words.collect(), causes }
    }

    /// The likeliest cause, and how far the second stands behind it.
    fn likest(&self, text: &str) -> Option<(Cause, f64)> {
        let mut sums: Vec<f64> = self.causes.iter().map(|(_, prior)| *prior).collect();
        let mut known = 0;
        for word in words(text) {
            if let Some(weights) = self.words.get(&word) {
                known += 1;
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
            }
        }
        let mut order: Vec<usize> = (0..sums.len()).collect();
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        let [best, second, ..] = order.as_slice() else { return None };
        (known >= KNOWN).then(|| (self.causes[*best].0, sums[*best] - sums[*second]))
    }
}

/// Words and pairs of neighbours; numbers are one word, those of three digits stay, and ids go.
fn words(text: &str) -> HashSet<String> {
    let mut end = text.len().min(READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let lower = text[..end].to_lowercase();
    let mut found: Vec<String> = Vec::new();
    for run in lower.split(|one: char| !one.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let is_hex = run.len() >= 8 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && run.bytes().any(|byte| byte.is_ascii_digit()) {
            found.push("#".to_owned());
            continue;
        }
        let mut part = String::new();
        let mut finish = |part: &mut String| {
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            match part.chars().count() {
                0 => {}
                3 if is_number => found.push(part.clone()),
                _ if is_number => found.push("#".to_owned()),
                1 => {}
                _ => found.push(part.chars().take(STEM).collect()),
            }
            part.clear();
        };
        for one in run.chars() {
            if part.chars().next_back().is_some_and(|last| last.is_numeric() != one.is_numeric()) {
                finish(&mut part);
            }
            part.push(one);
        }
        finish(&mut part);
    }
    let pairs: Vec<String> = found.windows(2).map(|pair| format!("{} {}", pair[0], pair[1])).collect();
    found.into_iter().chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of one author are asked about with what is learned from all others.
    fn held_out(author: &str) -> (usize, usize, usize) {
        let model =
            Model::of(texts().filter(|(from, ..)| *from != author).map(|(_, cause, text)| (cause, text)));
        let asked =
            texts().filter(|(from, ..)| *from == author).map(|(_, cause, text)| (cause, model.likest(&text)));
        let (mut all, mut clear, mut right) = (0, 0, 0);
        for (cause, told) in asked {
            all += 1;
            if let Some((told, margin)) = told
                && margin > CLEAR
            {
                clear += 1;
                right += usize::from(told == cause);
            }
        }
        (all, clear, right)
    }

    #[test]
    fn texts_of_another_author_are_understood() {
        for author in ["f", "g", "h", "i"] {
            let (all, clear, right) = held_out(author);
            eprintln!("author {author}: {clear} of {all} are clear, and {right} of these right");
            assert!(clear * 10 > all * 6, "{author}: {clear} of {all}");
            assert!(right * 100 > clear * 70, "{author}: {right} of {clear}");
        }
    }

    #[test]
    fn words_are_cut_and_ids_left_out() {
        let mut found: Vec<String> = words("HTTP 503: id 7f3a9c21bb, took 12s").into_iter().collect();
        found.sort();
        let pairs = ["# took", "503 id", "http 503", "id #", "took #"];
        let mut expected: Vec<&str> = ["#", "503", "http", "id", "took"].into_iter().chain(pairs).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(cause(""), None);
        assert_eq!(cause("xyzzy"), None);
    }
}
