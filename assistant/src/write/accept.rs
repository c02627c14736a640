//! Which sentences of a model are shown: those that cite, name and say only what is there, and contradict nothing.

use noetl_api::diagnosis::{Diagnosis, Transience};
use noetl_domain::cause::Cause;

use super::Sentence;
use super::prose::{LONGEST, is_free_of_secrets, is_grounded, is_plain, without_citations};
use super::sheet::Sheet;
use crate::check::{check, sentences};

const MOST: usize = 6;

/// Words by which a sentence says where it began.
const ORIGIN: &[&str] = &[
    "root",
    "origin",
    "the cause",
    "caused by",
    "began in",
    "begins in",
    "started in",
    "responsible",
    "to blame",
];

/// The sentences that hold, each with its citations, as they are shown.
pub(super) fn accepted(sheet: &Sheet, written: &[Sentence], diagnosis: &Diagnosis) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let basis = basis(diagnosis);
    for sentence in written.iter().take(MOST) {
        let Some(citations) = citations(sheet, &sentence.cites) else { continue };
        if sentence.text.len() > LONGEST {
            continue;
        }
        for text in sentences(&without_citations(&sentence.text)) {
            let Some(told) = told(sheet, text, diagnosis) else { continue };
            if !is_grounded(&told, &basis) {
                continue;
            }
            let told = check(&format!("{told} {citations}."), &diagnosis.evidence);
            if !told.is_empty() && !kept.contains(&told) {
                kept.push(told);
            }
        }
    }
    // Prose that never comes to the root explains something else.
    let names_root =
        |text: &String| diagnosis.root_step.as_ref().is_none_or(|step| text.contains(&format!("`{step}`")));
    if kept.iter().any(names_root) { kept } else { Vec::new() }
}

/// Everything of which evidence and rules speak.
fn basis(diagnosis: &Diagnosis) -> String {
    let excerpts = diagnosis.evidence.iter().map(|item| item.excerpt.as_str());
    let symptoms = diagnosis.symptoms.iter().map(|symptom| symptom.what.as_str());
    let meaning = diagnosis.meaning.as_deref();
    let all: Vec<&str> =
        excerpts.chain(symptoms).chain(meaning).chain([diagnosis.explanation.as_str()]).collect();
    all.join(" ")
}

/// All that is cited must be there.
fn citations(sheet: &Sheet, cites: &[String]) -> Option<String> {
    let found: Option<Vec<String>> = cites
        .iter()
        .map(|alias| sheet.reference(alias).map(|reference| format!("[e:{reference}]")))
        .collect();
    found.filter(|found| !found.is_empty()).map(|mut found| {
        found.dedup();
        found.join(" ")
    })
}

/// The sentence with names in place of aliases; none when it says what it may not.
fn told(sheet: &Sheet, text: &str, diagnosis: &Diagnosis) -> Option<String> {
    let text = text.trim().trim_end_matches(['.', '!', '?']).trim();
    if !is_plain(text) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if contradicts(sheet, text, &lower, diagnosis) {
        return None;
    }
    let shown = restored(sheet, text)?;
    is_free_of_secrets(&shown).then_some(shown)
}

/// Whether it names another cause, another root or another duration than was decided.
fn contradicts(sheet: &Sheet, text: &str, lower: &str, diagnosis: &Diagnosis) -> bool {
    let decided = diagnosis.cause.as_deref().unwrap_or_default();
    let codes = Cause::ALL.iter().map(|cause| cause.code()).filter(|code| code.contains('.'));
    if codes.filter(|code| *code != decided).any(|code| names(lower, code) && !decided.contains(code)) {
        return true;
    }
    let root = diagnosis.root_step.as_deref().and_then(|step| sheet.names.known_step(step));
    let steps: Vec<&str> = aliases(text).filter(|alias| alias.starts_with('S')).collect();
    let is_elsewhere = !steps.is_empty() && root.is_some_and(|root| !steps.contains(&root));
    if is_elsewhere && ORIGIN.iter().any(|words| lower.contains(words)) {
        return true;
    }
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match diagnosis.transience {
        Some(Transience::Permanent) => says(&["transient", "temporary", "pass by itself", "intermittent"]),
        Some(Transience::Transient) => says(&["permanent", "intermittent"]),
        Some(Transience::Intermittent) => says(&["permanent"]),
        None => says(&["permanent", "transient", "temporary", "intermittent"]),
    }
}

/// `tls` of `network.tls` is no other cause than `network.tls`; a code counts when it stands by itself.
fn names(lower: &str, code: &str) -> bool {
    lower.match_indices(code).any(|(at, _)| {
        let is_edge = |character: Option<char>| {
            character.is_none_or(|character| !character.is_ascii_alphanumeric() && character != '_')
        };
        is_edge(lower[..at].chars().next_back()) && is_edge(lower[at + code.len()..].chars().next())
    })
}

/// The aliases that stand in a text.
fn aliases(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| is_alias(word))
}

fn is_alias(word: &str) -> bool {
    let mut characters = word.chars();
    matches!(characters.next(), Some('S' | 'V' | 'M' | 'E' | 'H'))
        && word.len() > 1
        && characters.all(|character| character.is_ascii_digit())
}

/// Puts names in the places of aliases. What is marked as a name and is no alias is not known, and so is a text with it.
fn restored(sheet: &Sheet, text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        if is_alias(word) {
            // Evidence and hypotheses have no place in prose but as citations.
            out.push_str(sheet.names.shown(word)?);
        } else {
            out.push_str(word);
        }
        let next = after.chars().next();
        match next {
            None => {}
            Some(mark @ ('`' | '"' | '\'')) if !is_apostrophe(&out, mark, after) => {
                let inside = &after[1..];
                let (name, after) = inside.split_once(mark)?;
                out.push_str(sheet.names.shown(name.trim())?);
                rest = after;
                continue;
            }
            Some(other) => out.push(other),
        }
        rest = &after[next.map_or(0, char::len_utf8)..];
    }
    Some(out)
}

/// `didn't`, `S1's`
fn is_apostrophe(before: &str, mark: char, after: &str) -> bool {
    mark == '\''
        && before.ends_with(|character: char| character.is_ascii_alphanumeric() || character == '`')
        && after[1..].starts_with(|character: char| character.is_ascii_alphabetic())
}
