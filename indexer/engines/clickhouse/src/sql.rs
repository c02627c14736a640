//! As much of ClickHouse's SQL as the front must understand: tokens, the kind of a statement, its format.
//!
//! The engine parses; this only decides which of its functions a text goes to, and what may not go to it at all.

pub(crate) mod format;
pub(crate) mod insert;
pub(crate) mod reader;
mod token;

use crate::exception::{Code, Exception};

pub(crate) use token::{Token, tokens};

/// With this setting, a format that is a row to a line becomes one document.
pub(crate) const ARRAY_OF_ROWS: &str = "output_format_json_array_of_rows";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its result can be fetched piece by piece.
    Select,
    Other,
}

/// What is known of one statement without data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) kind: Kind,
    /// The one it asks for itself.
    pub(crate) format: Option<String>,
    /// It says how formats are written.
    pub(crate) bends_format: bool,
    /// What it does can be seen only by later requests of the same session.
    pub(crate) is_for_session: bool,
}

impl Statement {
    pub(crate) fn read(sql: &[u8]) -> Result<Self, Exception> {
        let tokens: Vec<Token<'_>> = tokens(sql).map(|(token, _)| token).collect();
        refuse_files(&tokens)?;
        let end = tokens.iter().position(|token| *token == Token::Symbol(b';')).unwrap_or(tokens.len());
        if tokens[end..].iter().any(|token| *token != Token::Symbol(b';')) {
            return Err(Exception::new(Code::SyntaxError, "Syntax error (Multi-statements are not allowed)"));
        }
        let tokens = &tokens[..end];
        let Some(first) = tokens.first() else {
            return Err(Exception::new(Code::SyntaxError, "Syntax error: Empty query"));
        };
        let select = first.is("SELECT") || first.is("WITH") || *first == Token::Symbol(b'(');
        let format = tokens.windows(2).rev().find_map(|pair| match pair {
            [word, Token::Word(name)] if word.is("FORMAT") => Some((*name).to_owned()),
            _ => None,
        });
        let bends_format = tokens.iter().any(|token| token.is(ARRAY_OF_ROWS));
        let creates = first.is("CREATE") || first.is("DROP");
        let is_for_session = first.is("SET")
            || first.is("USE")
            || creates && tokens.iter().take(4).any(|token| token.is("TEMPORARY"));
        let kind = if select { Kind::Select } else { Kind::Other };
        Ok(Self { kind, format, bends_format, is_for_session })
    }
}

/// The engine carries out what the command line client does with these: it reads and writes files of this machine.
pub(crate) fn refuse_files(tokens: &[Token<'_>]) -> Result<(), Exception> {
    let files = tokens.windows(2).any(|pair| {
        (pair[0].is("INTO") && pair[1].is("OUTFILE")) || (pair[0].is("FROM") && pair[1].is("INFILE"))
    });
    if files {
        return Err(Exception::new(
            Code::UnsupportedMethod,
            "INTO OUTFILE and FROM INFILE are not available over HTTP",
        ));
    }
    Ok(())
}

/// A text as a literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A text as a name.
pub(crate) fn name(text: &str) -> String {
    format!("`{}`", text.replace('\\', "\\\\").replace('`', "\\`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_by_its_first_word_and_its_format_clause() {
        let check = |sql: &str, kind, format: Option<&str>| {
            let format = format.map(str::to_owned);
            let expected = Statement { kind, format, bends_format: false, is_for_session: false };
            assert_eq!(Statement::read(sql.as_bytes()), Ok(expected), "{sql}");
        };
        check("SELECT 1", Kind::Select, None);
        check(" -- why\n/* a /* b */ */ (select 1) format JSONEachRow;", Kind::Select, Some("JSONEachRow"));
        check("WITH 1 AS x SELECT x FORMAT CSV SETTINGS a = 1", Kind::Select, Some("CSV"));
        check("SHOW TABLES", Kind::Other, None);
        check("SELECT 'FORMAT CSV; INTO OUTFILE' -- ; x", Kind::Select, None);
        check("SELECT $x$ ; INTO OUTFILE $x$;;", Kind::Select, None);
    }

    #[test]
    fn what_only_a_session_can_see_is_known() {
        let is_for_session = |sql: &str| Statement::read(sql.as_bytes()).unwrap().is_for_session;
        for sql in ["SET a = 1", "use db", "CREATE TEMPORARY TABLE t (n UInt8)", "DROP TEMPORARY TABLE t"] {
            assert!(is_for_session(sql), "{sql}");
        }
        for sql in ["SELECT 1 AS temporary", "CREATE TABLE t (temporary UInt8)", "SHOW SETTINGS LIKE 'a'"] {
            assert!(!is_for_session(sql), "{sql}");
        }
    }

    #[test]
    fn two_statements_nothing_and_files_of_this_machine_are_refused() {
        let code = |sql: &str| Statement::read(sql.as_bytes()).map_err(|error| error.code);
        assert_eq!(code("SELECT 1; SELECT 2"), Err(62));
        assert_eq!(code("  -- nothing"), Err(62));
        assert_eq!(code("SELECT 1 INTO /* x */ OUTFILE '/tmp/x'"), Err(1));
        assert_eq!(code("INSERT INTO t FROM INFILE 'x' FORMAT CSV"), Err(1));
    }
}
