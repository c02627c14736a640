//! What is left of a question when everything else was read: how many, and which words to look for.

use serde_json::{Value, json};

use super::Question;
use crate::chat::words::{Idea, is_empty};

impl Question<'_> {
    /// `the last 5 runs`: how many.
    pub(super) fn count(&self) -> Option<u64> {
        let at = self.ideas.iter().position(|idea| *idea == Some(Idea::Last))?;
        let word = self.words.get(at + 1)?;
        let count = word
            .parse::<u64>()
            .ok()
            .or_else(|| crate::chat::calendar::spelled(word).filter(|_| word.len() > 2).map(|n| n as u64));
        count.filter(|count| (1..=200).contains(count))
    }

    /// What a search looks for: what is in quotes, else the words that say something.
    pub(super) fn sought(&self) -> Option<String> {
        if !self.quoted.is_empty() {
            return Some(self.quoted.join(" "));
        }
        let in_time =
            |at: usize| self.when.as_ref().is_some_and(|when| when.words.0 <= at && at < when.words.1);
        let says = |at: &usize| {
            let idea = self.ideas[*at];
            let is_frame = matches!(
                idea,
                Some(
                    Idea::Search
                        | Idea::Document
                        | Idea::Show
                        | Idea::And
                        | Idea::It
                        | Idea::Playbook
                        | Idea::Help
                )
            );
            !in_time(*at) && !is_frame && !is_empty(&self.words[*at])
        };
        let said: Vec<&str> = (0..self.words.len()).filter(says).map(|at| self.words[at].as_str()).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// Words that describe a failure, where nothing else names it.
    pub(super) fn describing(&self) -> Value {
        let free: Vec<&str> = (0..self.words.len())
            .filter(|at| self.ideas[*at].is_none() && !is_empty(&self.words[*at]))
            .filter(|at| self.when.as_ref().is_none_or(|when| *at < when.words.0 || *at >= when.words.1))
            .map(|at| self.words[at].as_str())
            .collect();
        if free.is_empty() { Value::Null } else { json!(free.join(" ")) }
    }
}
