//! What a model has seen in a conversation, and which of its sentences hold against it.

use std::collections::HashSet;
use std::sync::LazyLock;

use noetl_api::chat::ChatTable;
use noetl_api::diagnosis::EvidenceItem;
use serde_json::Value;

use crate::check::{check, sentences};
use crate::tools::{Answer, for_model};
use crate::write::Sentence;
use crate::write::prose::{is_free_of_secrets, is_grounded, is_plain, without_citations};

/// Sentences of an answer.
const MOST: usize = 8;

/// Everything that tools found, under the aliases that the model knows it by.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// `E1` is the first.
    evidence: Vec<EvidenceItem>,
    tables: Vec<ChatTable>,
    asked: HashSet<String>,
    /// All of it as the model read it, and the question.
    basis: String,
    /// The words of it.
    words: HashSet<String>,
}

impl Seen {
    pub(super) fn new(question: &str) -> Self {
        Self { basis: question.to_owned(), words: words(question).collect(), ..Self::default() }
    }

    /// Whether it has not been asked yet.
    pub(super) fn is_new(&mut self, tool: &str, arguments: &Value) -> bool {
        self.asked.insert(format!("{tool} {arguments}"))
    }

    /// Keeps what a tool found, and returns what the model sees of it.
    pub(super) fn add(&mut self, found: Answer) -> Value {
        let mut shown = for_model(&found);
        for item in found.evidence {
            match self.evidence.iter_mut().find(|known| known.reference == item.reference) {
                Some(known) if known.excerpt.contains(&item.excerpt) => {}
                Some(known) => known.excerpt = format!("{}; {}", known.excerpt, item.excerpt),
                None => self.evidence.push(item),
            }
        }
        self.rename(&mut shown);
        let text = shown.to_string();
        self.words.extend(words(&text));
        self.basis.push(' ');
        self.basis.push_str(&text);
        self.tables.extend(found.tables);
        shown
    }

    /// Aliases in the places of references: they are short, and no one can be made up that looks like another.
    fn rename(&self, shown: &mut Value) {
        match shown {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(text) if name == "ref" => {
                            *text = self.alias(text).unwrap_or_default();
                        }
                        Value::String(text) if name == "sentences" => *text = self.renamed(text),
                        other => self.rename(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item)),
            _ => {}
        }
    }

    fn renamed(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("[e:") {
            out.push_str(before);
            let Some((reference, after)) = after.split_once(']') else { break };
            if let Some(alias) = self.alias(reference) {
                out.push('[');
                out.push_str(&alias);
                out.push(']');
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn alias(&self, reference: &str) -> Option<String> {
        let at = self.evidence.iter().position(|item| item.reference == reference)?;
        Some(format!("E{}", at + 1))
    }

    fn item(&self, alias: &str) -> Option<&EvidenceItem> {
        let alias = alias.trim().trim_start_matches("[e:").trim_matches(['[', ']']);
        let at: usize = alias.strip_prefix('E')?.parse().ok()?;
        self.evidence.get(at.checked_sub(1)?)
    }

    /// The evidence that a text cites.
    pub(super) fn cited(&self, text: &str) -> Vec<EvidenceItem> {
        let is_cited = |item: &&EvidenceItem| text.contains(&format!("[e:{}]", item.reference));
        self.evidence.iter().filter(is_cited).cloned().collect()
    }

    /// Tables that hold what is cited, the newest ones when there are many.
    pub(super) fn tables(&self, cited: &[EvidenceItem], most: usize) -> Vec<ChatTable> {
        let holds = |table: &&ChatTable| {
            table.refs.iter().any(|reference| cited.iter().any(|item| item.reference == *reference))
        };
        let holding: Vec<&ChatTable> = self.tables.iter().filter(holds).collect();
        holding[holding.len().saturating_sub(most)..].iter().map(|table| (*table).clone()).collect()
    }
}

/// The sentences that hold, each with its citations.
pub(super) fn told(seen: &Seen, written: &[Sentence]) -> Vec<String> {
    let mut held: Vec<String> = Vec::new();
    for sentence in written.iter().take(MOST) {
        let items: Option<Vec<&EvidenceItem>> = sentence.cites.iter().map(|alias| seen.item(alias)).collect();
        let Some(items) = items.filter(|items| !items.is_empty()) else { continue };
        let parts: Vec<String> = sentences(&without_citations(&sentence.text))
            .into_iter()
            .filter_map(|text| one(seen, text, &items))
            .collect();
        let told = parts.join(" ");
        if !told.is_empty() && !held.contains(&told) {
            held.push(told);
        }
    }
    held
}

fn one(seen: &Seen, text: &str, items: &[&EvidenceItem]) -> Option<String> {
    let text = text.trim().trim_end_matches(['.', '!', '?']).trim();
    if !is_plain(text) || !is_grounded(text, &seen.basis) || !is_free_of_secrets(text) {
        return None;
    }
    // A name that nobody has told is made up.
    if !quoted(text).chain(names(text)).all(|name| seen.basis.contains(name)) {
        return None;
    }
    // So is a story that is told in words for which nothing here gives a reason.
    if !words(text).all(|word| is_common(&word) || seen.words.contains(&word)) {
        return None;
    }
    if !says_something(text, items) {
        return None;
    }
    let mut citations: Vec<String> = items.iter().map(|item| format!("[e:{}]", item.reference)).collect();
    citations.dedup();
    let cited: Vec<EvidenceItem> = items.iter().map(|item| (*item).clone()).collect();
    let told = check(&format!("{text} {}.", citations.join(" ")), &cited);
    (!told.is_empty()).then_some(told)
}

/// Whether it has a number, a name, or a word of what it cites.
fn says_something(text: &str, items: &[&EvidenceItem]) -> bool {
    let is_cited = |word: String| {
        !is_common(&word) && items.iter().any(|item| words(&item.excerpt).any(|cited| cited == word))
    };
    text.contains(|character: char| character == '`' || character.is_ascii_digit())
        || words(text).any(is_cited)
}

/// What stands between backticks or quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let between = |mark: char| text.split(mark).skip(1).step_by(2);
    between('`').chain(between('"')).filter(|name| !name.is_empty())
}

/// Words that look like names: of causes, fields and paths.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|character: char| !character.is_alphanumeric()))
        .filter(|word| word.contains(['.', '_', '/', '-', ':']) && word.contains(char::is_alphabetic))
}

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("words_of_answers.txt").split_whitespace().collect());

/// Whether any answer may use it: it counts, compares, or holds a sentence together.
fn is_common(word: &str) -> bool {
    COMMON.contains(word)
}

/// The words of a text without what it quotes, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let own: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let words: Vec<String> = own
        .split(|character: char| !character.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    words.into_iter()
}
