//! One pass over a message: words, punctuation, and values whose type shows in their form.
//!
//! The scanner knows forms (an address, a size, a time), never systems.
//! It allocates nothing once its buffer has grown: this is the path that every message takes.

use super::atom::{self, Atom};
use super::bytes::{DELIMITER, DIGIT, DOT, HEX_LETTER, Hash, LETTER, SPACE, SPECIAL, class, is, union};
use super::kind::Kind;
use super::numbered;

/// One piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) form: Form,
    /// Whether white space stands before it.
    pub(super) spaced: bool,
    /// Equal for equal words; of a value, only that it is one.
    pub(super) symbol: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Word,
    /// A word with digits in it: `rdd_2_1`, `node-31`. Its digits are not part of its symbol.
    Numbered,
    Punctuation,
    Value(Kind),
}

/// The symbol of any value.
pub(super) const VALUE: u64 = 1;

impl Unit {
    pub(super) fn text<'t>(&self, message: &'t str) -> &'t str {
        message.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(super) fn is_value(&self) -> bool {
        matches!(self.form, Form::Value(_))
    }
}

/// Cuts messages into units; keeps its buffer between messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    units: Vec<Unit>,
}

impl Scanner {
    /// The units of the message; what lies behind `limit` units is left out.
    pub(super) fn scan(&mut self, message: &str, limit: usize) -> &[Unit] {
        self.units.clear();
        let mut pass = Pass { bytes: message.as_bytes(), units: &mut self.units, spaced: false };
        let mut at = 0;
        while at < pass.bytes.len() && pass.units.len() < limit {
            if is(pass.bytes[at], SPACE) {
                pass.spaced = true;
                at += 1;
                continue;
            }
            let start = at;
            let mut classes = 0;
            while let Some(&byte) = pass.bytes.get(at) {
                let class = class(byte);
                if class & SPACE != 0 {
                    break;
                }
                classes |= class;
                at += 1;
            }
            pass.chunk(start, at, classes);
        }
        self.units.truncate(limit);
        &self.units
    }

    /// A hash of what was scanned last that is equal for messages of one shape.
    pub(super) fn shape(units: &[Unit]) -> u64 {
        let mut hash = Hash::new();
        let mut before = None;
        for unit in units {
            let number = match unit.form {
                // An id of digits only is still that id.
                Form::Value(Kind::Num | Kind::Hex) => VALUE,
                Form::Value(kind) => 0x100 + kind as u64,
                _ => unit.symbol,
            };
            // `1 2 3` and `1 2` are one list of values, however long it is.
            if !(unit.is_value() && before == Some(number) && unit.spaced) {
                hash.number(number ^ u64::from(unit.spaced) << 63);
            }
            before = Some(number);
        }
        hash.finish()
    }
}

struct Pass<'a> {
    bytes: &'a [u8],
    units: &'a mut Vec<Unit>,
    spaced: bool,
}

impl Pass<'_> {
    fn push(&mut self, start: usize, end: usize, form: Form, symbol: u64) {
        self.units.push(Unit { start: start as u32, end: end as u32, form, spaced: self.spaced, symbol });
        self.spaced = false;
    }

    fn word(&mut self, start: usize, end: usize) {
        let mut hash = Hash::new();
        hash.bytes(&self.bytes[start..end]);
        self.push(start, end, Form::Word, hash.finish() | 2);
    }

    /// Neither digits nor dots.
    fn letters(&mut self, start: usize, end: usize) {
        if is(self.bytes[start], HEX_LETTER) && atom::is_hex_without_digits(&self.bytes[start..end]) {
            return self.value(start, end, Kind::Hex);
        }
        self.word(start, end);
    }

    fn punctuation(&mut self, start: usize, end: usize) {
        // A rule of any length is one mark.
        self.push(start, end, Form::Punctuation, u64::from(self.bytes[start]) << 8);
    }

    fn value(&mut self, start: usize, end: usize, kind: Kind) {
        self.push(start, end, Form::Value(kind), VALUE);
    }

    /// What stands between two white spaces.
    fn chunk(&mut self, start: usize, end: usize, classes: u8) {
        if classes & (DIGIT | DELIMITER | SPECIAL | DOT) == 0 {
            if classes & LETTER == 0 {
                return self.marks(start, end);
            }
            return self.letters(start, end);
        }
        if classes & SPECIAL != 0
            && let Some(url) = atom::url(&self.bytes[start..end])
        {
            let (from, to) = (start + url.start, start + url.end);
            self.cut(start, from);
            self.value(from, to, Kind::Url);
            return self.cut(to, end);
        }
        self.cut(start, end);
    }

    /// Cuts at delimiters.
    fn cut(&mut self, mut start: usize, end: usize) {
        while start < end {
            let byte = self.bytes[start];
            if is(byte, DELIMITER) {
                let mut stop = start + 1;
                while stop < end && self.bytes[stop] == byte {
                    stop += 1;
                }
                self.punctuation(start, stop);
                start = stop;
                continue;
            }
            if self.bytes[start..end].starts_with(b"...") {
                let stop = start + self.bytes[start..end].iter().take_while(|byte| **byte == b'.').count();
                self.punctuation(start, stop);
                start = stop;
                continue;
            }
            let mut stop = start + 1;
            let mut classes = class(byte);
            while stop < end {
                let class = class(self.bytes[stop]);
                let is_leader = class & DOT != 0 && self.bytes[stop..end].starts_with(b"...");
                if is_leader || class & DELIMITER != 0 && !self.is_apostrophe(stop, end) {
                    break;
                }
                classes |= class;
                stop += 1;
            }
            self.piece(start, stop, classes);
            start = stop;
        }
    }

    /// `can't` is one word.
    fn is_apostrophe(&self, at: usize, end: usize) -> bool {
        self.bytes[at] == b'\''
            && at + 1 < end
            && is(self.bytes[at - 1], LETTER)
            && is(self.bytes[at + 1], LETTER)
    }

    /// What stands between delimiters: a value, a word, or several with `:` or `/` between them.
    fn piece(&mut self, start: usize, end: usize, classes: u8) {
        let mut stop = end;
        while stop > start && matches!(self.bytes[stop - 1], b'.' | b':') {
            stop -= 1;
        }
        let mut from = start;
        while from < stop && self.bytes[from] == b'.' {
            from += 1;
        }
        // `.5` is a number and `./x` is a path.
        if from > start
            && from < stop
            && (is(self.bytes[from], DIGIT) && from == start + 1 || self.bytes[from] == b'/')
        {
            from = start;
        }
        self.marks(start, from);
        if from < stop {
            if classes & (DIGIT | SPECIAL | DOT) == 0 && classes & LETTER != 0 {
                self.letters(from, stop);
            } else {
                self.inner(from, stop);
            }
        }
        self.marks(stop, end);
    }

    fn inner(&mut self, start: usize, end: usize) {
        let text = &self.bytes[start..end];
        match atom::classify(text) {
            Atom::Value(kind) => self.value(start, end, kind),
            Atom::Word => self.word(start, end),
            Atom::Numbered => {
                let symbol = numbered::skeleton(text);
                self.push(start, end, Form::Numbered, symbol);
            }
            Atom::Marks => self.marks(start, end),
            Atom::Split { at, len } => {
                let (left, right) = (start + at, start + at + len);
                if left > start {
                    self.sub(start, left);
                }
                self.marks(left, right);
                if right < end {
                    self.sub(right, end);
                }
            }
        }
    }

    fn sub(&mut self, start: usize, end: usize) {
        let classes = union(&self.bytes[start..end]);
        self.piece(start, end, classes);
    }

    /// Runs of one mark are one unit.
    fn marks(&mut self, mut start: usize, end: usize) {
        while start < end {
            let mut stop = start + 1;
            while stop < end && self.bytes[stop] == self.bytes[start] {
                stop += 1;
            }
            self.punctuation(start, stop);
            start = stop;
        }
    }
}
