//! Splits a script into statements.

use super::Flavour;
use super::scan::{Piece, scan};

/// The statements of a script, without their semicolons, leading comments and empty ones.
pub fn split(script: &str, flavour: Flavour) -> Vec<&str> {
    let mut statements = Vec::new();
    // The words of the statement so far, as far as they matter for bodies that hold semicolons.
    let mut body = Body::default();
    let mut parentheses = 0_u32;
    let mut start = None;
    let mut end = 0;
    for (piece, range) in scan(script, flavour) {
        match piece {
            Piece::Space | Piece::Comment => continue,
            Piece::Symbol(';') if parentheses == 0 && !body.is_open() => {
                if let Some(start) = start.take() {
                    statements.push(&script[start..end]);
                }
                body = Body::default();
                continue;
            }
            Piece::Symbol('(') => parentheses += 1,
            Piece::Symbol(')') => parentheses = parentheses.saturating_sub(1),
            Piece::Word => body.word(&script[range.clone()], flavour),
            _ => {}
        }
        start.get_or_insert(range.start);
        end = range.end;
    }
    if let Some(start) = start {
        statements.push(&script[start..end]);
    }
    statements
}

/// The first word of a statement, upper case.
pub fn verb(statement: &str, flavour: Flavour) -> String {
    scan(statement, flavour)
        .into_iter()
        .find(|(piece, _)| *piece == Piece::Word)
        .map(|(_, range)| statement[range].to_ascii_uppercase())
        .unwrap_or_default()
}

/// Whether any of these words (upper case) stands in the statement's code.
pub fn has_word(statement: &str, flavour: Flavour, words: &[&str]) -> bool {
    scan(statement, flavour).into_iter().any(|(piece, range)| {
        piece == Piece::Word && words.iter().any(|word| word.eq_ignore_ascii_case(&statement[range.clone()]))
    })
}

/// Whether a statement inserts, updates or deletes, so that its count of rows means that.
pub fn changes_data(statement: &str, verb: &str, flavour: Flavour) -> bool {
    let changing = ["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"];
    changing.contains(&verb) || (verb == "WITH" && has_word(statement, flavour, &changing[..4]))
}

/// Follows `CREATE TRIGGER … BEGIN … END` (SQLite) and `CREATE FUNCTION … BEGIN ATOMIC … END` (PostgreSQL).
#[derive(Debug, Default)]
struct Body {
    words: u32,
    creates: bool,
    has_body: bool,
    previous_was_begin: bool,
    depth: u32,
}

impl Body {
    fn is_open(&self) -> bool {
        self.depth > 0
    }

    fn word(&mut self, word: &str, flavour: Flavour) {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        self.words += 1;
        if self.words == 1 {
            self.creates = is("create");
        }
        if !self.creates {
            return;
        }
        let after_begin = std::mem::replace(&mut self.previous_was_begin, is("begin"));
        if self.words <= 5 && !self.has_body {
            self.has_body = match flavour {
                Flavour::Sqlite => is("trigger"),
                Flavour::Postgres => is("function") || is("procedure"),
            };
        }
        if !self.has_body {
            return;
        }
        let opens = match flavour {
            Flavour::Sqlite => is("begin"),
            Flavour::Postgres => is("atomic") && after_begin,
        };
        if opens && self.depth == 0 {
            self.depth = 1;
        } else if self.depth > 0 && is("case") {
            self.depth += 1;
        } else if self.depth > 0 && is("end") {
            self.depth -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_only_at_their_own_semicolons() {
        use Flavour::{Postgres, Sqlite};
        let cases: &[(Flavour, &str, &[&str])] = &[
            (Postgres, " ; ;\n", &[]),
            (Postgres, "select 1", &["select 1"]),
            (Postgres, "select 1; select 2;", &["select 1", "select 2"]),
            (Postgres, "-- a; b\nselect 1 -- c;\n; /* d; /* e; */ ; */ select 2", &["select 1", "select 2"]),
            (Sqlite, "/* a /* b */ select 1; select 2", &["select 1", "select 2"]),
            (
                Postgres,
                "select ';', 'it''s;', \"a;\"\"b\"; select 2",
                &["select ';', 'it''s;', \"a;\"\"b\"", "select 2"],
            ),
            (Postgres, r"select E'a\';b', 'c\'; select 2", &[r"select E'a\';b', 'c\'", "select 2"]),
            (Postgres, "select type'a'; select 2", &["select type'a'", "select 2"]),
            (
                Postgres,
                "do $$ begin a; end $$; select $x$ ; $$ ; $x$; select $1",
                &["do $$ begin a; end $$", "select $x$ ; $$ ; $x$", "select $1"],
            ),
            (Postgres, "select a$b; select $c$ ; $c$", &["select a$b", "select $c$ ; $c$"]),
            (
                Postgres,
                "create rule r as on insert to t do (select 1; select 2); select 3",
                &["create rule r as on insert to t do (select 1; select 2)", "select 3"],
            ),
            (
                Postgres,
                "create or replace function f() returns int begin atomic select 1; select case when true then 2 end; end; select 3",
                &[
                    "create or replace function f() returns int begin atomic select 1; select case when true then 2 end; end",
                    "select 3",
                ],
            ),
            (Postgres, "begin; select 1; end; select 2", &["begin", "select 1", "end", "select 2"]),
            (
                Sqlite,
                "create temp trigger t after insert on a begin update b set x = case when 1 then 2 end; delete from c; end; select 1",
                &[
                    "create temp trigger t after insert on a begin update b set x = case when 1 then 2 end; delete from c; end",
                    "select 1",
                ],
            ),
            (Sqlite, "select [a;b], `c;d`; begin; commit", &["select [a;b], `c;d`", "begin", "commit"]),
            (Postgres, "select 'not closed; select 2", &["select 'not closed; select 2"]),
            (Postgres, "select $q$ not closed; select 2", &["select $q$ not closed; select 2"]),
            (Postgres, "select 'ä;ö'; select '→'", &["select 'ä;ö'", "select '→'"]),
        ];
        for (flavour, script, expected) in cases {
            assert_eq!(split(script, *flavour), *expected, "{script}");
        }
        assert_eq!(verb("/* x */ (with a as (select 1) select * from a)", Postgres), "WITH");
        assert!(
            has_word("do $$ commit $$", Postgres, &["DO"]) && !has_word("select 'do'", Postgres, &["DO"])
        );
    }
}
