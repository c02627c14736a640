//! What can be wrong with a value.

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Defect {
    /// Null, or not there at all.
    Nothing,
    /// A list, an object or a text with nothing in it.
    Empty,
    Zero,
    /// A list of another length, and the error names both lengths.
    Counted {
        before: usize,
        now: usize,
    },
    /// Names that the last good run had.
    Lacks(Vec<String>),
    /// A name that a template reads, and that the result of a step of our own never had.
    Absent(String),
    /// A name that the error asks for, and that is not there; nothing says that it ever was.
    Unnamed(String),
    Type {
        before: &'static str,
        now: &'static str,
    },
    Fewer {
        before: usize,
        now: usize,
    },
    /// A text that breaks off.
    Cut,
    /// A text that is no JSON, where JSON was read.
    NotJson,
    /// A table in a text whose columns are others than before.
    Columns {
        before: usize,
        now: usize,
    },
    /// The very value that the error quotes.
    Quoted(String),
    /// The value says by itself that there is nothing: the words, or the field that counts.
    SaysNone(String),
    /// Elements of an XML text that the last good run had by these names.
    Elements(Vec<String>),
    /// Lines or segments in another order than before.
    Reordered,
    /// A number that the error names, and that is another one than before.
    Named(String),
    /// A number written as text.
    NumberAsText(String),
    /// A number of another order of magnitude than before: another unit, most likely.
    Scale {
        before: String,
        now: String,
    },
    /// A text that could not be decoded or read in the form that was expected.
    Unreadable,
    /// A text longer than before, where a text was too long.
    Longer {
        before: usize,
        now: usize,
    },
    /// A text with digits in it, written in another form than before: another notation of dates, codes, amounts.
    Form {
        before: String,
        now: String,
    },
    /// A day that no calendar has.
    NoSuchDay(String),
    /// The same element a second time, where everything must be there once.
    Twice(String),
    /// The value itself says, in this field, that there is more of it.
    More(String),
    /// Fewer elements than the value itself says there are.
    Short {
        said: usize,
        has: usize,
    },
}

/// A defect with its place inside the value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flaw {
    /// Dotted; empty for the value itself.
    pub(crate) at: String,
    pub(crate) defect: Defect,
    /// The last good run had it otherwise.
    pub(crate) deviates: bool,
}
