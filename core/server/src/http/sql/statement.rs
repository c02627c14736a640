//! Judges a SQL text before our own store sees it: one statement, which reads, and no credential rows.

use noetl_domain::code::Code;

use crate::error::ServerError;

/// Tables whose content nobody reads over HTTP, encrypted though it is.
const CLOSED: [&str; 1] = ["credential_row"];

/// The text without a trailing semicolon, when it may be run.
pub(super) fn check(sql: &str) -> Result<&str, ServerError> {
    let mut words = Vec::new();
    let mut end = None;
    for token in Tokens::new(sql) {
        match token {
            Token::Semicolon(at) => {
                end.get_or_insert(at);
            }
            Token::Word(_) | Token::Other if end.is_some() => {
                return Err(ServerError::invalid("one statement at a time, please"));
            }
            Token::Word(word) => words.push(word.to_ascii_lowercase()),
            Token::Other => {}
        }
    }
    let first = words.first().map(String::as_str);
    match first {
        Some("select" | "with" | "values" | "explain") => {}
        Some(word) => {
            return Err(ServerError::new(
                Code::NotAllowed,
                format!("{} is not allowed here: the store is only read", word.to_ascii_uppercase()),
            )
            .hint("name a postgres credential to write to a database of your own"));
        }
        None => return Err(ServerError::invalid("there is no statement in the query")),
    }
    if let Some(closed) = words.iter().find(|word| CLOSED.contains(&word.as_str())) {
        return Err(ServerError::not_allowed(format!("{closed} is not readable"))
            .hint("noetl.credential lists credentials without their data"));
    }
    Ok(&sql[..end.unwrap_or(sql.len())])
}

enum Token<'a> {
    /// A keyword, or an identifier however it is quoted.
    Word(&'a str),
    Semicolon(usize),
    /// A literal or an operator.
    Other,
}

/// Skips white space and comments.
struct Tokens<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn new(sql: &'a str) -> Self {
        Self { sql, at: 0 }
    }

    /// The inside of something quoted; the closing mark doubled stands for itself.
    fn quoted(&mut self, close: u8) -> &'a str {
        let bytes = self.sql.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        while at < bytes.len() {
            if bytes[at] == close {
                if close != b']' && bytes.get(at + 1) == Some(&close) {
                    at += 2;
                    continue;
                }
                break;
            }
            at += 1;
        }
        self.at = (at + 1).min(bytes.len());
        &self.sql[start..at.min(bytes.len())]
    }

    fn skip_to(&mut self, mark: &str) {
        let rest = &self.sql[self.at..];
        self.at = rest.find(mark).map_or(self.sql.len(), |found| self.at + found + mark.len());
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.sql.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            let two = bytes.get(self.at..self.at + 2).unwrap_or_default();
            match byte {
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ if two == b"--" => self.skip_to("\n"),
                _ if two == b"/*" => {
                    self.at += 2;
                    self.skip_to("*/");
                }
                b';' => {
                    self.at += 1;
                    return Some(Token::Semicolon(self.at - 1));
                }
                b'\'' => {
                    self.quoted(b'\'');
                    return Some(Token::Other);
                }
                b'"' | b'`' => return Some(Token::Word(self.quoted(byte))),
                b'[' => return Some(Token::Word(self.quoted(b']'))),
                _ if is_word(byte) => {
                    let start = self.at;
                    while bytes.get(self.at).copied().is_some_and(is_word) {
                        self.at += 1;
                    }
                    return Some(Token::Word(&self.sql[start..self.at]));
                }
                _ => {
                    self.at += 1;
                    return Some(Token::Other);
                }
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_statement_passes_and_nothing_else_does() {
        for sql in [
            "SELECT 1",
            " select ';' ; ",
            "WITH x AS (SELECT 1) SELECT * FROM x -- ; DROP TABLE y",
            "/* ; */ VALUES (1);",
            "select 'credential_row', \"a;b\" from noetl.credential",
            "select 'it''s; fine'",
        ] {
            assert!(check(sql).is_ok(), "{sql}");
        }
        for (sql, code) in [
            ("", Code::InvalidRequest),
            ("-- nothing", Code::InvalidRequest),
            (";", Code::InvalidRequest),
            ("SELECT 1; SELECT 2", Code::InvalidRequest),
            ("SELECT 1; 'x'", Code::InvalidRequest),
            ("ATTACH 'x.db' AS x", Code::NotAllowed),
            ("/* select */ PRAGMA query_only = off", Code::NotAllowed),
            ("DELETE FROM noetl.event_row", Code::NotAllowed),
            ("SELECT data FROM noetl.credential_row", Code::NotAllowed),
            ("SELECT data FROM [CREDENTIAL_ROW]", Code::NotAllowed),
            ("SELECT data FROM noetl.\"credential_row\"", Code::NotAllowed),
        ] {
            assert_eq!(check(sql).map_err(|error| error.code), Err(code), "{sql}");
        }
        assert_eq!(check("select 1 ; --x").ok(), Some("select 1 "));
    }
}
