//! An INSERT with data: where the statement ends and the data begins.

use super::{refuse_files, tokens};
use crate::exception::Exception;

/// What the engine's insert takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Insert {
    /// The statement without its FORMAT clause.
    pub(crate) head: Vec<u8>,
    /// `None`: the statement names none.
    pub(crate) format: Option<String>,
    /// Where the data begins in the text.
    pub(crate) data: usize,
}

/// Reads the beginning of a text as an INSERT with data; `None` when it is anything else, an INSERT … SELECT too.
pub(crate) fn split(sql: &[u8]) -> Result<Option<Insert>, Exception> {
    let mut all = tokens(sql);
    if !all.next().is_some_and(|(first, _)| first.is("INSERT")) {
        return Ok(None);
    }
    let mut before = Vec::new();
    let mut depth = 0_usize;
    let mut named = false;
    while let Some((token, place)) = all.next() {
        match token.name() {
            Some(_) if depth == 0 && !named => {
                named = !["INTO", "TABLE", "FUNCTION"].iter().any(|word| token.is(word));
            }
            // Behind a dot stands the second half of a name, whatever it is called.
            Some(_) if depth == 0 && before.last() != Some(&super::Token::Symbol(b'.')) => {
                if token.is("SELECT") || token.is("WITH") || token.is("WATCH") {
                    return Ok(None);
                }
                if token.is("VALUES") {
                    return Ok(Some(Insert {
                        head: sql[..place.start].to_vec(),
                        format: Some("Values".to_owned()),
                        data: place.end,
                    }));
                }
                if token.is("FORMAT") {
                    let Some((super::Token::Word(format), named)) = all.next() else {
                        return Ok(None);
                    };
                    return Ok(Some(Insert {
                        head: sql[..place.start].to_vec(),
                        format: Some(format.to_owned()),
                        data: data_after(sql, named.end),
                    }));
                }
            }
            _ => match token {
                super::Token::Symbol(b'(') => {
                    // `INSERT INTO t (SELECT …)`
                    depth += 1;
                }
                super::Token::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            },
        }
        before.push(token);
        refuse_files(&before[before.len().saturating_sub(2)..])?;
    }
    if before.iter().any(|token| token.is("SELECT")) {
        return Ok(None);
    }
    Ok(Some(Insert { head: sql.to_vec(), format: None, data: sql.len() }))
}

/// Data begins behind a semicolon, spaces and one line end, as ClickHouse reads it.
fn data_after(sql: &[u8], mut at: usize) -> usize {
    if sql.get(at) == Some(&b';') {
        at += 1;
    }
    while matches!(sql.get(at), Some(b' ' | b'\t' | 0x0c)) {
        at += 1;
    }
    if sql.get(at) == Some(&b'\r') {
        at += 1;
    }
    if sql.get(at) == Some(&b'\n') {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_ends_where_its_data_begins() {
        let check = |sql: &str, expected: Option<(&str, Option<&str>, &str)>| {
            let read = split(sql.as_bytes()).unwrap();
            let read = read.as_ref().map(|insert| {
                let head = std::str::from_utf8(&insert.head).unwrap();
                (head.trim_end(), insert.format.as_deref(), &sql[insert.data..])
            });
            assert_eq!(read, expected, "{sql}");
        };
        check("INSERT INTO t FORMAT RowBinary", Some(("INSERT INTO t", Some("RowBinary"), "")));
        check(
            "insert into db.format(a, `values`) SETTINGS x = 'FORMAT y' format TSV \n1\tFORMAT",
            Some(("insert into db.format(a, `values`) SETTINGS x = 'FORMAT y'", Some("TSV"), "1\tFORMAT")),
        );
        check(
            "INSERT INTO t (a) VALUES (1),('SELECT')",
            Some(("INSERT INTO t (a)", Some("Values"), " (1),('SELECT')")),
        );
        check("INSERT INTO values FORMAT CSV;\r\n1", Some(("INSERT INTO values", Some("CSV"), "1")));
        check(
            "INSERT INTO FUNCTION null('a Int8') FORMAT CSV 1",
            Some(("INSERT INTO FUNCTION null('a Int8')", Some("CSV"), "1")),
        );
        check("INSERT INTO t (a)", Some(("INSERT INTO t (a)", None, "")));
        check("INSERT INTO t SELECT 1 FORMAT CSV", None);
        check("INSERT INTO t (a) WITH 1 AS x SELECT x", None);
        check("INSERT INTO t (SELECT 1)", None);
        check("SELECT 1", None);
        assert_eq!(split(b"INSERT INTO t FROM INFILE 'x' FORMAT CSV").unwrap_err().code, 1);
    }
}
