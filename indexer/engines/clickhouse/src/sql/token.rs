//! Tokens of ClickHouse's SQL, read lazily from bytes: behind an INSERT there may be data of any kind.

use std::borrow::Cow;
use std::ops::Range;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword or a bare name.
    Word(&'a str),
    /// A name in backticks or double quotes, without them.
    Quoted(Cow<'a, str>),
    /// A string or a number.
    Literal,
    Symbol(u8),
}

impl Token<'_> {
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Quoted(name) => Some(name),
            Self::Literal | Self::Symbol(_) => None,
        }
    }
}

/// Every token with its place; comments and space are skipped.
/// What is opened and never closed reaches to the end, as one literal: the engine says what is wrong with it.
pub(crate) fn tokens(sql: &[u8]) -> impl Iterator<Item = (Token<'_>, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at = skip(sql, at);
        let start = at;
        let first = *sql.get(at)?;
        let token = match first {
            b'\'' => {
                at = closing(sql, at);
                Token::Literal
            }
            b'`' | b'"' => {
                at = closing(sql, at);
                Token::Quoted(unquoted(&sql[start..at]))
            }
            b'$' if heredoc(sql, at).is_some() => {
                at = heredoc(sql, at)?;
                Token::Literal
            }
            b'0'..=b'9' => {
                at = while_word(sql, at);
                Token::Literal
            }
            _ if is_word(first) => {
                at = while_word(sql, at);
                match std::str::from_utf8(&sql[start..at]) {
                    Ok(word) => Token::Word(word),
                    Err(_) => Token::Literal,
                }
            }
            other => {
                at += 1;
                Token::Symbol(other)
            }
        };
        Some((token, start..at))
    })
}

fn skip(sql: &[u8], mut at: usize) -> usize {
    loop {
        let rest = &sql[at.min(sql.len())..];
        let skipped = match rest {
            [space, ..] if space.is_ascii_whitespace() || *space == 0x0b => 1,
            // A no-break space or a byte order mark counts as space.
            [0xc2, 0xa0, ..] => 2,
            [0xef, 0xbb, 0xbf, ..] => 3,
            [b'-', b'-', ..] | [b'#', b' ' | b'!', ..] => {
                rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
            }
            [b'/', b'*', ..] => comment(rest),
            _ => return at.min(sql.len()),
        };
        at += skipped;
    }
}

/// Comments nest.
fn comment(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < text.len() {
        match &text[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => {
                (at, depth) = (at + 2, depth - 1);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// Behind the quote that closes the one at `at`; a quote is escaped by a backslash or by itself.
fn closing(sql: &[u8], at: usize) -> usize {
    let quote = sql[at];
    let mut at = at + 1;
    while at < sql.len() {
        match (sql[at], sql.get(at + 1)) {
            (b'\\', _) => at += 2,
            (byte, Some(next)) if byte == quote && *next == quote => at += 2,
            (byte, _) if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    sql.len()
}

fn unquoted(quoted: &[u8]) -> Cow<'_, str> {
    let quote = quoted[0];
    let inner = quoted[1..].strip_suffix(&[quote]).unwrap_or(&quoted[1..]);
    if !inner.contains(&b'\\') && !inner.contains(&quote) {
        return String::from_utf8_lossy(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(escaped(&mut bytes)),
            _ if byte == quote => plain.extend(bytes.next()),
            _ => plain.push(byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned().into()
}

/// `\x66` is a letter too: a name must not hide behind it.
fn escaped(bytes: &mut std::iter::Peekable<impl Iterator<Item = u8>>) -> Option<u8> {
    let byte = bytes.next()?;
    if byte != b'x' {
        return Some(byte);
    }
    let mut digit = || bytes.next_if(u8::is_ascii_hexdigit).and_then(|digit| char::from(digit).to_digit(16));
    let (high, low) = (digit()?, digit()?);
    Some((high * 16 + low) as u8)
}

/// Behind `$tag$ … $tag$`.
fn heredoc(sql: &[u8], at: usize) -> Option<usize> {
    let tag = sql[at + 1..].iter().position(|byte| *byte == b'$').map(|length| &sql[at..at + length + 2])?;
    if !tag[1..tag.len() - 1].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    let inside = at + tag.len();
    let end = sql[inside..].windows(tag.len()).position(|window| window == tag)?;
    Some(inside + end + tag.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn while_word(sql: &[u8], at: usize) -> usize {
    let word = |byte: &u8| is_word(*byte) || *byte == b'$';
    at + sql[at..].iter().position(|byte| !word(byte)).unwrap_or(sql.len() - at)
}
