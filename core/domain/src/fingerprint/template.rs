//! A template: the columns that messages of one shape have in common.

use serde::{Deserialize, Serialize};

use super::bytes::Hash;
use super::kind::Kind;
use super::scan::{Form, VALUE};

/// The symbol of a column where the messages have different words.
pub(super) const OPEN: u64 = 3;

/// One column of a template or of a message in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) spaced: bool,
    pub(super) form: Form,
    /// As it prints: the word, or `<kind>`.
    pub(super) text: Box<str>,
    pub(super) symbol: u64,
}

impl Column {
    pub(super) fn value(spaced: bool, kind: Kind) -> Self {
        Self { spaced, form: Form::Value(kind), text: kind.as_str().into(), symbol: VALUE }
    }

    /// A column that takes any word.
    pub(super) fn open(spaced: bool) -> Self {
        Self { spaced, form: Form::Value(Kind::Any), text: Kind::Any.as_str().into(), symbol: OPEN }
    }

    pub(super) fn is_open(&self) -> bool {
        self.symbol == OPEN
    }

    pub(super) fn is_mark(&self) -> bool {
        self.form == Form::Punctuation
    }

    /// A value, a word with digits, or a word that begins with a capital letter.
    pub(super) fn is_like_a_name(&self) -> bool {
        match self.form {
            Form::Value(_) | Form::Numbered => true,
            Form::Word => self.text.starts_with(char::is_uppercase),
            Form::Punctuation => false,
        }
    }

    /// Covers the other value too.
    pub(super) fn join(&mut self, other: &Self) {
        if let (Form::Value(mine), Form::Value(theirs)) = (self.form, other.form)
            && self.text != other.text
            && !self.is_open()
        {
            let kind = mine.join(theirs);
            self.form = Form::Value(kind);
            self.text = kind.as_str().into();
        }
    }

    /// Takes in a value that stands behind it.
    pub(super) fn follow(&mut self, other: &Self) {
        if self.text != other.text && !self.text.ends_with(&*other.text) && self.text.len() < 40 {
            self.text = format!("{} {}", self.text, other.text).into();
        }
    }
}

/// What the messages of a cluster have in common; prints as `connection to <ip>:<num> refused`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Stored>", into = "Vec<Stored>")]
pub struct Template {
    pub(super) columns: Vec<Column>,
}

impl Template {
    /// A number that is equal for templates with equal words in equal places.
    pub(super) fn hash(&self) -> u64 {
        let mut hash = Hash::new();
        for column in &self.columns {
            hash.number(column.symbol);
        }
        hash.finish()
    }

    /// Its columns as they print.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.text)
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 && column.spaced {
                f.write_str(" ")?;
            }
            f.write_str(&column.text)?;
        }
        Ok(())
    }
}

/// A column as it is kept: symbols are kept too, as long words and numbers are not kept in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored(String, bool, Which, u64);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    Word,
    Numbered,
    Mark,
    Value(Kind),
}

impl From<Template> for Vec<Stored> {
    fn from(template: Template) -> Self {
        let stored = |column: Column| {
            let which = match column.form {
                Form::Word => Which::Word,
                Form::Numbered => Which::Numbered,
                Form::Punctuation => Which::Mark,
                Form::Value(kind) => Which::Value(kind),
            };
            Stored(column.text.into(), column.spaced, which, column.symbol)
        };
        template.columns.into_iter().map(stored).collect()
    }
}

impl From<Vec<Stored>> for Template {
    fn from(stored: Vec<Stored>) -> Self {
        let column = |Stored(text, spaced, which, symbol): Stored| {
            let (form, symbol) = match which {
                Which::Word => (Form::Word, symbol),
                Which::Numbered => (Form::Numbered, symbol),
                Which::Mark => (Form::Punctuation, symbol),
                Which::Value(kind) => (Form::Value(kind), if symbol == OPEN { OPEN } else { VALUE }),
            };
            Column { spaced, form, text: text.into(), symbol }
        };
        let columns = stored.into_iter().take(super::shape::COLUMNS).map(column).collect();
        Self { columns }
    }
}
