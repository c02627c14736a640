//! HTML: what a reader would see, with its headings.
//!
//! The tokens alone tell enough, and they are read in one pass however deep a page is nested; the tree of a page that
//! was made to hurt costs minutes.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::Outline;

pub(super) fn read(content: &str, outline: &mut Outline) {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(content));
    let page = Page { reading: RefCell::new(Reading::into(outline)) };
    let tokenizer = Tokenizer::new(page, TokenizerOpts::default());
    // It stops on the way for those who run scripts only.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.reading.borrow_mut().end_block();
}

struct Page<'o> {
    reading: RefCell<Reading<'o>>,
}

impl TokenSink for Page<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut reading = self.reading.borrow_mut();
        match token {
            Token::CharacterTokens(text) => reading.text(&text),
            Token::TagToken(tag) => {
                reading.tag(&tag);
                if tag.kind == TagKind::StartTag
                    && let Some(kind) = raw(&tag.name)
                {
                    return TokenSinkResult::RawData(kind);
                }
            }
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements in which nothing is a tag but their own end.
fn raw(name: &str) -> Option<RawKind> {
    match name {
        "title" | "textarea" => Some(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        "script" => Some(RawKind::ScriptData),
        _ => None,
    }
}

/// Elements that are not part of what a page tells.
fn is_left_out(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "template"
            | "noscript"
            | "iframe"
            | "noembed"
            | "noframes"
            | "svg"
            | "nav"
            | "footer"
            | "aside"
            | "button"
            | "select"
            | "textarea"
    )
}

struct Reading<'o> {
    outline: &'o mut Outline,
    text: String,
    /// What an end would be the end of: the page's name, or a heading of a level.
    within: Option<Within>,
    /// Elements left out that are open.
    left_out: usize,
    /// Elements open in which white space is kept.
    as_it_is: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Title,
    Heading(usize),
}

impl<'o> Reading<'o> {
    fn into(outline: &'o mut Outline) -> Self {
        Self { outline, text: String::new(), within: None, left_out: 0, as_it_is: 0 }
    }

    fn text(&mut self, text: &str) {
        if self.left_out > 0 {
            return;
        }
        if self.as_it_is > 0 {
            self.text.push_str(text);
            return;
        }
        for character in text.chars() {
            if !character.is_whitespace() {
                self.text.push(character);
            } else if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
                self.text.push(' ');
            }
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        let begins = tag.kind == TagKind::StartTag;
        if is_left_out(name) {
            match tag.kind {
                TagKind::StartTag if !tag.self_closing => self.left_out += 1,
                TagKind::StartTag => {}
                TagKind::EndTag => self.left_out = self.left_out.saturating_sub(1),
            }
            return;
        }
        if self.left_out > 0 {
            return;
        }
        match name {
            "title" => self.turn(begins.then_some(Within::Title)),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.turn(begins.then_some(Within::Heading(level)));
            }
            "pre" => {
                self.end_block();
                self.as_it_is = if begins { self.as_it_is + 1 } else { self.as_it_is.saturating_sub(1) };
            }
            "br" | "tr" | "dt" | "dd" => self.line(),
            "li" if begins => {
                self.line();
                self.text.push_str("- ");
            }
            "td" | "th" if begins && !self.text.is_empty() && !self.text.ends_with('\n') => {
                self.text.push_str(" | ");
            }
            "p" | "div" | "section" | "article" | "main" | "header" | "body" | "blockquote" | "table"
            | "ul" | "ol" | "dl" | "form" | "fieldset" | "figure" | "figcaption" | "details" | "summary"
            | "dialog" | "address" | "hr" => self.end_block(),
            _ => {}
        }
    }

    /// What was told so far ends, and something else begins.
    fn turn(&mut self, to: Option<Within>) {
        self.end_block();
        self.within = to;
    }

    fn line(&mut self) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.text);
        match self.within.take() {
            Some(Within::Title) => self.outline.name(&text),
            Some(Within::Heading(level)) => self.outline.heading(level, &text),
            None => self.outline.paragraph(&text),
        }
    }
}
