//! Cuts SQL text into the pieces that matter for splitting and binding: what is code, and what only looks like it.

use super::Flavour;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A keyword or a bare name.
    Word,
    /// A quoted text, a quoted name, or a dollar-quoted body.
    Quoted,
    Comment,
    Space,
    /// `$1`, `?1`.
    Positional,
    /// `:name`, `@name`, `$name`; never a `::` cast.
    Named,
    /// A single other character.
    Symbol(char),
}

/// Pieces with their byte ranges; together they are the whole text.
pub(super) fn scan(text: &str, flavour: Flavour) -> Vec<(Piece, std::ops::Range<usize>)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (piece, length) = next(rest, first, flavour);
        pieces.push((piece, at..at + length));
        at += length;
    }
    pieces
}

fn next(rest: &str, first: char, flavour: Flavour) -> (Piece, usize) {
    let second = rest[first.len_utf8()..].chars().next();
    let postgres = flavour == Flavour::Postgres;
    match first {
        _ if first.is_whitespace() => (Piece::Space, run(rest, char::is_whitespace)),
        '-' if second == Some('-') => (Piece::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if second == Some('*') => (Piece::Comment, block_comment(rest, postgres)),
        '\'' => (Piece::Quoted, quoted(rest, '\'', false)),
        'e' | 'E' if postgres && second == Some('\'') => (Piece::Quoted, 1 + quoted(&rest[1..], '\'', true)),
        '"' => (Piece::Quoted, quoted(rest, '"', false)),
        '`' if !postgres => (Piece::Quoted, quoted(rest, '`', false)),
        '[' if !postgres => (Piece::Quoted, rest.find(']').map_or(rest.len(), |end| end + 1)),
        '$' if second.is_some_and(|c| c.is_ascii_digit()) => {
            (Piece::Positional, 1 + run(&rest[1..], |c| c.is_ascii_digit()))
        }
        '$' => match dollar_quoted(rest).filter(|_| postgres) {
            Some(length) => (Piece::Quoted, length),
            None if second.is_some_and(starts_word) => (Piece::Named, 1 + run(&rest[1..], in_word)),
            None => (Piece::Symbol('$'), 1),
        },
        '?' if !postgres => (Piece::Positional, 1 + run(&rest[1..], |c| c.is_ascii_digit())),
        ':' if second == Some(':') => (Piece::Symbol(':'), 2),
        ':' if second.is_some_and(starts_word) => (Piece::Named, 1 + run(&rest[1..], in_word)),
        '@' if !postgres && second.is_some_and(starts_word) => (Piece::Named, 1 + run(&rest[1..], in_word)),
        // Numbers count as words, so that the letters in 1e5 start nothing.
        _ if in_word(first) => (Piece::Word, run(rest, |c| in_word(c) || c == '$')),
        other => (Piece::Symbol(other), other.len_utf8()),
    }
}

fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length up to the closing quote; a doubled quote is a character, and so is what follows a backslash in E''.
fn quoted(text: &str, quote: char, backslashes: bool) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if backslashes && character == '\\' {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

fn block_comment(text: &str, nests: bool) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    let bytes = text.as_bytes();
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" if depth == 0 || nests => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// `$tag$ … $tag$`.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag = run(&text[1..], in_word);
    let opening = text.get(..tag + 2).filter(|opening| opening.ends_with('$'))?;
    let body = &text[opening.len()..];
    Some(body.find(opening).map_or(text.len(), |end| opening.len() + end + opening.len()))
}
