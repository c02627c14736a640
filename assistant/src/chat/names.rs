//! What a question names: playbooks by their paths or by what they are about, steps, executions, values of parameters.

use std::collections::{BTreeSet, HashMap};

use super::calendar::{spelled, split_unit};
use super::words::{Idea, is_empty, stem};

/// A playbook that may be meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// The playbook that was named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) path: String,
    /// Others that fit as well.
    pub(crate) or: Vec<String>,
    /// Which words named it.
    pub(crate) words: BTreeSet<usize>,
}

/// Words of a path or name.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|part| part.len() > 1)
}

/// How well a playbook fits before it is taken to be meant: less than this is chance.
const LEAST: f64 = 0.5;

/// Of the words that are left over, which playbook do they name?
pub(crate) fn playbook(words: &[String], free: &[bool], known: &[Known]) -> Option<Found> {
    if let Some(found) = by_path(words, known) {
        return Some(found);
    }
    // A word that is in many playbooks names none of them.
    let mut rarity: HashMap<String, f64> = HashMap::new();
    let bags: Vec<(BTreeSet<String>, BTreeSet<String>)> = known
        .iter()
        .map(|one| {
            let lower = |text: &str| text.to_lowercase();
            let named: BTreeSet<String> = parts(&lower(&one.path))
                .chain(parts(&lower(&one.name)))
                .map(|part| stem(part).to_owned())
                .collect();
            let told = parts(&lower(&one.description))
                .filter(|part| !is_empty(part))
                .map(|part| stem(part).to_owned())
                .collect();
            (named, told)
        })
        .collect();
    for (named, told) in &bags {
        for word in named.union(told) {
            *rarity.entry(word.clone()).or_default() += 1.0;
        }
    }
    let weight = |word: &str| rarity.get(word).map_or(0.0, |count| (1.0 + known.len() as f64 / count).ln());
    let mut scored: Vec<(f64, f64, usize, BTreeSet<usize>)> = Vec::new();
    for (at, (named, told)) in bags.iter().enumerate() {
        let (mut score, mut used) = (0.0, BTreeSet::new());
        let mut hit: BTreeSet<&str> = BTreeSet::new();
        for (place, word) in words.iter().enumerate() {
            if !free[place] || is_empty(word) || word.len() < 2 {
                continue;
            }
            for part in parts(word).map(stem) {
                if let Some(name) = named.iter().find(|name| is_near(name, part)) {
                    score += weight(name);
                    hit.insert(name);
                    used.insert(place);
                } else if told.contains(part) {
                    score += 0.6 * weight(part);
                    used.insert(place);
                }
            }
        }
        if score > LEAST {
            let covered = hit.len() as f64 / named.len().max(1) as f64;
            scored.push((score, covered, at, used));
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let (best, covered, at, used) = scored.first()?.clone();
    let or = scored[1..]
        .iter()
        .take_while(|(score, other, ..)| best - score < 1e-9 && (covered - other).abs() < 1e-9)
        .map(|(.., at, _)| known[*at].path.clone())
        .collect();
    Some(Found { path: known[at].path.clone(), or, words: used })
}

/// A path, or the end of one that only one playbook has.
fn by_path(words: &[String], known: &[Known]) -> Option<Found> {
    words.iter().enumerate().find_map(|(place, word)| {
        let is = |one: &&Known| {
            let path = one.path.to_lowercase();
            path == *word || word.contains('/') && path.ends_with(&format!("/{word}"))
        };
        let is_last = |one: &&Known| {
            word.contains(['_', '-']) && one.path.to_lowercase().rsplit('/').next() == Some(word.as_str())
        };
        let found = known.iter().find(is).or_else(|| known.iter().find(is_last))?;
        let or = known
            .iter()
            .filter(is_last)
            .map(|one| one.path.clone())
            .filter(|path| *path != found.path)
            .collect();
        Some(Found { path: found.path.clone(), or, words: BTreeSet::from([place]) })
    })
}

/// The same word, or one with a letter wrong.
fn is_near(name: &str, word: &str) -> bool {
    name == word || name.len() > 4 && word.len() > 4 && strsim::damerau_levenshtein(name, word) == 1
}

/// Ids of executions: what is written in so many digits is nothing else.
pub(crate) fn executions(words: &[String]) -> Vec<String> {
    let is_id = |word: &&String| {
        word.len() >= 15 && word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    words.iter().filter(is_id).cloned().collect()
}

/// The step that is named as one: `step load`, `the load step`; or any word that is the name of a step.
#[expect(clippy::single_match_else, reason = "the two ways stand beside each other")]
pub(crate) fn step(words: &[String], ideas: &[Option<Idea>], steps: Option<&[String]>) -> Option<String> {
    let is_step = |at: usize| ideas.get(at).copied().flatten() == Some(Idea::Step);
    let same = |name: &str, word: &str| {
        name.eq_ignore_ascii_case(word)
            || name.to_lowercase().replace(['_', '-', ' '], "") == word.replace(['_', '-'], "")
    };
    let candidates: Vec<&String> = (0..words.len())
        .filter(|at| at.checked_sub(1).is_some_and(is_step) || is_step(at + 1))
        .map(|at| &words[at])
        .filter(|word| !is_empty(word))
        .collect();
    match steps {
        Some(steps) => {
            let named = |word: &String| steps.iter().find(|name| same(name, word)).cloned();
            let pairs = words.windows(2).map(|pair| pair.join("_"));
            candidates
                .into_iter()
                .find_map(named)
                .or_else(|| pairs.into_iter().find_map(|pair| named(&pair)))
                .or_else(|| words.iter().filter(|word| !is_empty(word)).find_map(named))
        }
        // Without a playbook only what is called a step is one.
        None => {
            let plain = |word: &&String| {
                let at = words.iter().position(|other| other == *word).unwrap_or_default();
                ideas[at].is_none() && !matches!(word.as_str(), "which" | "what" | "same")
            };
            candidates.into_iter().find(plain).cloned()
        }
    }
}

/// A parameter of a step with a value: `batch size 500`, `5 attempts`, `timeout of 2 minutes`.
pub(crate) fn parameter(words: &[String]) -> Option<(&'static str, f64)> {
    let value = |at: usize| -> Option<(f64, usize)> {
        let word = words.get(at)?;
        let number =
            word.replace('_', "").parse::<f64>().ok().or_else(|| spelled(word).filter(|_| word.len() > 2));
        let (number, unit) = match number {
            Some(number) => (number, words.get(at + 1).map_or("", String::as_str)),
            None => split_unit(word)?,
        };
        let scale = match unit {
            "k" => 1_000.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3_600.0,
            "ms" | "milliseconds" => 0.001,
            _ => 1.0,
        };
        Some((number * scale, at))
    };
    let kind = |at: usize| -> Option<&'static str> {
        Some(match words.get(at)?.as_str() {
            "batch" | "batches" | "batch_size" | "chunk" | "chunks" => "batch_size",
            "concurrency" | "parallel" | "parallelism" | "max_in_flight" | "simultaneous" => "max_in_flight",
            "attempts" | "attempt" | "retries" | "retry" | "tries" | "max_attempts" => "max_attempts",
            "timeout" | "timeouts" => "timeout",
            _ => return None,
        })
    };
    let at = (0..words.len()).find(|at| kind(*at).is_some())?;
    let nearest = (0..words.len())
        .filter_map(value)
        .filter(|(_, place)| words[*place].len() < 12)
        .min_by_key(|(_, place)| place.abs_diff(at))?;
    Some((kind(at)?, nearest.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::words::{ideas, words};

    fn catalog() -> Vec<Known> {
        [
            (
                "shop/orders_nightly",
                "orders_nightly",
                "Loads the orders of the shop into the warehouse every night",
            ),
            ("shop/customers", "customers", "Copies customers from the CRM"),
            ("finance/invoices", "invoices", "Sends invoices by mail"),
            ("finance/orders_report", "orders_report", "A report about orders for the finance department"),
        ]
        .map(|(path, name, description)| Known {
            path: path.into(),
            name: name.into(),
            description: description.into(),
        })
        .to_vec()
    }

    #[test]
    fn playbooks_are_named_by_paths_and_by_what_they_are_about() {
        for (text, expected) in [
            ("why did shop/customers fail", Some("shop/customers")),
            ("why did the nightly orders load fail", Some("shop/orders_nightly")),
            ("how long does the invoice mailing take", Some("finance/invoices")),
            ("is the custmers copy slow", Some("shop/customers")),
            ("the orders report", Some("finance/orders_report")),
            ("orders_nightly failed", Some("shop/orders_nightly")),
            ("the CRM sync", Some("shop/customers")),
            ("what failed today", None),
        ] {
            let words = words(text);
            let ideas = ideas(&words);
            let free: Vec<bool> = ideas.iter().map(Option::is_none).collect();
            let found = playbook(&words, &free, &catalog());
            assert_eq!(found.as_ref().map(|found| found.path.as_str()), expected, "{text}");
        }
    }

    #[test]
    fn values_of_parameters_are_read_with_their_units() {
        for (text, expected) in [
            ("what would happen with batch size 500?", Some(("batch_size", 500.0))),
            ("what if we use batches of 1k", Some(("batch_size", 1_000.0))),
            ("what if it had 5 attempts", Some(("max_attempts", 5.0))),
            ("what if the timeout were 2 minutes", Some(("timeout", 120.0))),
            ("with a timeout of 30s", Some(("timeout", 30.0))),
            ("what if eight ran in parallel", Some(("max_in_flight", 8.0))),
            ("what if it failed", None),
        ] {
            assert_eq!(parameter(&words(text)), expected, "{text}");
        }
    }
}
