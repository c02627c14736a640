//! Documents cut into passages: by headings, then by paragraphs to about two hundred words.
//!
//! A passage carries the headings above it, so that it can be understood and found alone.

mod html;
mod markdown;
mod plain;

use std::collections::HashSet;

use noetl_api::knowledge::Format;

/// A stretch of a document that is found as one thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Passage {
    /// The headings above it.
    pub(crate) title: String,
    pub(crate) text: String,
}

/// A document in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// As it was given, or as the document says.
    pub(crate) title: String,
    /// In order; what a document says twice is there once.
    pub(crate) passages: Vec<Passage>,
}

/// Words and bytes of a passage, at most: much more than models read would be found by its beginning only, and
/// languages without spaces have few words.
const WORDS: usize = 200;
const BYTES: usize = 4_000;
/// Bytes of a title, at most.
const TITLE: usize = 240;
/// Between headings.
const BELOW: &str = " › ";

/// Cuts a document; `title` is what people call it, or empty.
pub(crate) fn cut(content: &str, format: Format, title: &str) -> Cut {
    let content = content.trim_start_matches('\u{feff}');
    let mut outline = Outline::new(title);
    match format {
        Format::Markdown => markdown::read(content, &mut outline),
        Format::Text => plain::read(content, &mut outline),
        Format::Html => html::read(content, &mut outline),
    }
    outline.finish()
}

/// What the readers of the formats tell: headings and paragraphs, in order.
#[derive(Debug)]
struct Outline {
    title: String,
    /// What a document without a title is called.
    first_heading: Option<String>,
    /// Headings that hold at this place, each with its level.
    headings: Vec<(usize, String)>,
    /// What belongs to the passage that has begun.
    text: String,
    words: usize,
    passages: Vec<Passage>,
    told: HashSet<Passage>,
}

impl Outline {
    fn new(title: &str) -> Self {
        Self {
            title: one_line(title),
            first_heading: None,
            headings: Vec::new(),
            text: String::new(),
            words: 0,
            passages: Vec::new(),
            told: HashSet::new(),
        }
    }

    /// What the document calls itself; what people called it holds.
    fn name(&mut self, title: &str) {
        if self.title.is_empty() {
            self.title = one_line(title);
        }
    }

    /// Ends what is under the headings of this level and deeper ones.
    fn heading(&mut self, level: usize, text: &str) {
        let text = one_line(text);
        if text.is_empty() {
            return;
        }
        self.end_passage();
        self.first_heading.get_or_insert_with(|| text.clone());
        self.headings.retain(|(above, _)| *above < level);
        self.headings.push((level, text));
    }

    fn paragraph(&mut self, text: &str) {
        let text = text.trim_matches(['\n', '\r']).trim_end();
        // Lines and borders say nothing.
        if !text.chars().any(char::is_alphanumeric) {
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(fitting(rest));
            self.add(piece.trim_end());
            rest = after.trim_start_matches(char::is_whitespace);
        }
    }

    /// Adds what fits into one passage.
    fn add(&mut self, piece: &str) {
        let words = piece.split_whitespace().count();
        if self.words + words > WORDS || self.text.len() + piece.len() > BYTES {
            self.end_passage();
        }
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(piece);
        self.words += words;
    }

    fn end_passage(&mut self) {
        self.words = 0;
        let text = std::mem::take(&mut self.text);
        if text.is_empty() {
            return;
        }
        let passage = Passage { title: self.above(), text };
        if self.told.insert(passage.clone()) {
            self.passages.push(passage);
        }
    }

    /// The document and the headings above this place.
    fn above(&self) -> String {
        let headings = self.headings.iter().map(|(_, text)| text.as_str());
        let mut all: Vec<&str> = headings.collect();
        if !self.title.is_empty() && all.first() != Some(&self.title.as_str()) {
            all.insert(0, &self.title);
        }
        shortened(&all.join(BELOW), TITLE).to_owned()
    }

    fn finish(mut self) -> Cut {
        self.end_passage();
        if self.title.is_empty() {
            self.title = self.first_heading.unwrap_or_default();
        }
        Cut { title: self.title, passages: self.passages }
    }
}

/// How much of the beginning of a text fits into a passage: up to the end of a line or sentence where one is near,
/// else of a word.
fn fitting(text: &str) -> usize {
    let (mut words, mut in_word, mut end) = (0, false, text.len());
    let (mut sentence, mut space) = (0, 0);
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let is_space = character.is_whitespace();
        words += usize::from(!in_word && !is_space);
        in_word = !is_space;
        if words > WORDS || at + character.len_utf8() > BYTES {
            end = at;
            break;
        }
        let after = at + character.len_utf8();
        let ends_sentence = character == '\n' || is_space && matches!(before, '.' | '!' | '?' | ':');
        if ends_sentence || matches!(character, '。' | '！' | '？') {
            sentence = after;
        }
        if is_space {
            space = after;
        }
        before = character;
    }
    if end == text.len() {
        return end;
    }
    [sentence, space].into_iter().find(|at| *at > end / 2).unwrap_or(end)
}

fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&joined, TITLE).to_owned()
}

fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests;
