//! When words at one place count as values of one template rather than as words of several.
//!
//! Messages that agree everywhere but in some columns are one template if those columns vary enough.
//! How much is enough depends on what stands around them: a few words that each come back again and again are states
//! (`started`, `paused`) and stay apart; many words that come once are names.

use std::collections::BTreeSet;

use super::scan::Form;
use super::template::Column;

/// A pattern as a witness: its columns, and how many messages had them.
pub(super) struct Witness<'a> {
    pub(super) columns: &'a [Column],
    pub(super) count: u64,
}

/// Whether the columns of `varying` may become open in the template of these patterns.
pub(super) fn suffices(witnesses: &[Witness<'_>], varying: &[usize]) -> bool {
    let Some(first) = witnesses.first() else { return false };
    let constant = weight(first.columns, varying);
    let wanted = if varying.len() == 1 { 1.0 } else { 1.5 * varying.len() as f64 };
    if constant < wanted {
        return false;
    }
    varying.iter().all(|column| column_suffices(witnesses, *column, constant))
}

fn column_suffices(witnesses: &[Witness<'_>], at: usize, constant: f64) -> bool {
    let mut values = BTreeSet::new();
    let mut rare = 0;
    let mut points = 0;
    let mut has_plain_word = false;
    for witness in witnesses {
        let column = &witness.columns[at];
        if column.is_mark() {
            return false;
        }
        if !values.insert(column.symbol) {
            continue;
        }
        points += match column.form {
            Form::Value(_) => 3,
            Form::Numbered => 2,
            Form::Word | Form::Punctuation => 1,
        };
        has_plain_word |= column.form == Form::Word;
        if witness.count <= 2 {
            rare += 1;
        }
    }
    if !has_plain_word {
        return values.len() >= 2;
    }
    let is_key = witnesses[0].columns.get(at + 1).is_some_and(|next| !next.spaced && &*next.text == "=");
    if values.len() < 2 || is_key {
        return false;
    }
    points >= needed(witnesses[0].columns, at, rare * 2 >= values.len(), constant)
}

/// How many different words make a place open.
fn needed(columns: &[Column], at: usize, many_are_rare: bool, constant: f64) -> usize {
    if names_something(columns, at) {
        return if many_are_rare { 3 } else { 4 };
    }
    let base = if many_are_rare { 5 } else { 8 };
    if constant < 2.0 { base + 1 } else { base }
}

/// Whether the word before says that a name follows.
fn names_something(columns: &[Column], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &columns[before]) else { return false };
    matches!(
        &*before.text,
        "user"
            | "User"
            | "username"
            | "account"
            | "host"
            | "hostname"
            | "node"
            | "file"
            | "table"
            | "column"
            | "schema"
            | "database"
            | "topic"
            | "queue"
            | "bucket"
            | "container"
            | "image"
            | "pod"
            | "package"
            | "module"
            | "named"
            | "class"
            | "service"
            | "index"
            | "key"
            | "field"
            | "role"
            | "relation"
    )
}

/// How much the constant words say: small words say little.
fn weight(columns: &[Column], varying: &[usize]) -> f64 {
    columns
        .iter()
        .enumerate()
        .filter(|(at, _)| !varying.contains(at))
        .map(|(_, column)| match column.form {
            Form::Word if is_small(&column.text) => 0.3,
            Form::Word => 1.0,
            Form::Numbered => 0.5,
            Form::Punctuation | Form::Value(_) => 0.0,
        })
        .sum()
}

fn is_small(word: &str) -> bool {
    word.len() <= 2
        || matches!(
            word,
            "the"
                | "for"
                | "and"
                | "from"
                | "with"
                | "was"
                | "has"
                | "not"
                | "are"
                | "INFO"
                | "WARN"
                | "ERROR"
                | "DEBUG"
        )
}
