//! What a sentence says that no fixed phrase covers: what it is about, and what became of that.
//!
//! Services word the same thing in a thousand ways: `You have not supplied an API Access Key`, `the api key is not
//! valid`, `missing_api_key`. Each rule names the things and the fates that together mean a cause; both have to stand
//! near each other in one clause. The rules are tried in order, the narrower before the wider.

mod foreign;
pub(super) mod home;
mod rules;

use std::collections::HashMap;

use rules::RULES;

use super::Cause;

/// Words between a thing and its fate at most.
const NEAR: usize = 12;
/// Bytes of a text that are looked at.
const READ: usize = 4 * 1024;

struct Rule {
    cause: Cause,
    /// Phrases between bars.
    things: &'static str,
    fates: &'static str,
}

/// The cause that a clause of the text names. The text is in lower case.
pub(super) fn cause(text: &str) -> Option<Cause> {
    let mut end = text.len().min(READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let clauses = clauses(&text[..end]);
    RULES.iter().find_map(|rule| clauses.iter().any(|clause| rule.is_met(clause)).then_some(rule.cause))
}

impl Rule {
    fn is_met(&self, clause: &Clause<'_>) -> bool {
        let places = |phrases: &str| -> Vec<usize> {
            phrases.split('|').flat_map(|phrase| clause.places(phrase)).collect()
        };
        let things = places(self.things);
        if things.is_empty() {
            return false;
        }
        let fates = places(self.fates);
        things.iter().any(|thing| fates.iter().any(|fate| thing.abs_diff(*fate) <= NEAR))
    }
}

/// The words of a clause, and where each stands; `doesn't` is `doesn t`, and `api_key` two words.
struct Clause<'t> {
    words: Vec<&'t str>,
    at: HashMap<&'t str, Vec<usize>>,
}

impl<'t> Clause<'t> {
    fn new(text: &'t str) -> Self {
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty()) {
            match foreign::english(word) {
                Some(english) => words.extend(english.split(' ')),
                // `Lagerverwaltungssystem`
                None if word.len() > 10 && word.ends_with("system") => words.push("system"),
                None => words.push(word),
            }
        }
        let mut at: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, word) in words.iter().enumerate() {
            at.entry(word).or_default().push(place);
        }
        Self { words, at }
    }

    /// Where a phrase of whole words begins.
    fn places(&self, phrase: &str) -> Vec<usize> {
        let mut parts = phrase.split(' ');
        let Some(first) = parts.next().and_then(|first| self.at.get(first)) else { return Vec::new() };
        let follows = |place: &usize| {
            parts.clone().enumerate().all(|(next, word)| self.words.get(place + 1 + next) == Some(&word))
        };
        first.iter().copied().filter(|place| follows(place)).collect()
    }
}

fn clauses(text: &str) -> Vec<Clause<'_>> {
    text.split(['\n', ';']).flat_map(|line| line.split(". ")).map(Clause::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_and_its_fate_name_a_cause() {
        for (text, expected) in [
            ("You have not supplied an API Access Key.", Some(Cause::AuthUnauthenticated)),
            ("missing_access_key", Some(Cause::AuthUnauthenticated)),
            ("API key not valid. Please pass a valid API key.", Some(Cause::AuthUnauthenticated)),
            ("git@host: Permission denied (publickey)", Some(Cause::AuthUnauthenticated)),
            ("the SAS signature is no longer valid", Some(Cause::AuthTokenExpired)),
            ("You have exhausted your monthly credits", Some(Cause::LimitQuota)),
            ("our standard API call frequency is 5 calls per minute", Some(Cause::LimitRate)),
            ("the request body exceeds the maximum of 4 MB", Some(Cause::LimitTooLarge)),
            ("container exceeded its memory limit", Some(Cause::ResourceMemory)),
            ("volume data-0 has no space left", Some(Cause::ResourceDisk)),
            ("Host key verification failed.", Some(Cause::NetworkTls)),
            ("the leader of partition 3 is not available", Some(Cause::RemoteUnavailable)),
            ("Object 'SALES.ORDERS' does not exist or the table is unknown", Some(Cause::SqlUndefinedObject)),
            ("Error acquiring the state lock", Some(Cause::RequestConflict)),
            ("repository acme/app not found", Some(Cause::RequestNotFound)),
            ("the query exceeded the maximum execution time", Some(Cause::TimeoutStatement)),
            ("role etl lacks USAGE on warehouse", Some(Cause::AuthForbidden)),
            // Neither a thing alone nor a fate alone says anything.
            ("the token of our esteem", None),
            ("it did not work", None),
            ("totals differ: 40 and 50", None),
            ("a rule failed this task", None),
        ] {
            assert_eq!(cause(&text.to_lowercase()), expected, "{text}");
        }
    }

    #[test]
    fn what_stands_far_apart_or_in_another_clause_says_nothing_together() {
        assert_eq!(cause("the disk was swapped. the glass is full"), None);
    }
}
