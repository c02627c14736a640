//! What names and numbers of systems mean.

mod names;
mod numbers;

use super::pieces::Piece;

/// What stands around a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c, 't> {
    pub(super) before: &'c [Piece<'t>],
    pub(super) after: Option<&'c Piece<'t>>,
}

impl Context<'_, '_> {
    fn follows(&self, words: &[&str]) -> bool {
        self.before.iter().any(|piece| words.iter().any(|word| piece.text.eq_ignore_ascii_case(word)))
    }

    fn follows_closely(&self, words: &[&str]) -> bool {
        self.before.last().is_some_and(|piece| words.iter().any(|word| piece.text.eq_ignore_ascii_case(word)))
    }

    fn precedes(&self, words: &[&str]) -> bool {
        self.after.is_some_and(|piece| words.iter().any(|word| piece.text.eq_ignore_ascii_case(word)))
    }
}

/// What a piece means in words, when it is a known name or code.
pub(super) fn meaning(piece: &Piece<'_>, context: Context<'_, '_>) -> Option<&'static str> {
    if let Some(meaning) = sql_state(piece.text, context) {
        return Some(meaning);
    }
    if let Ok(number) = piece.text.parse::<u32>() {
        return number_meaning(number, context);
    }
    names::meaning(&piece.lower())
}

/// A number that is a status or a state wherever it stands.
pub(super) fn is_known_number(text: &str) -> bool {
    numbers::sql_state(text).is_some()
        || text.parse().is_ok_and(|number| numbers::http_status(number).is_some())
}

fn sql_state(text: &str, context: Context<'_, '_>) -> Option<&'static str> {
    let in_form = text.len() == 5
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_digit());
    if !in_form {
        return None;
    }
    let named = context.follows(&["sqlstate"]);
    let has_letter = text.bytes().any(|byte| byte.is_ascii_uppercase());
    let likely = named || has_letter || context.follows(&["state", "code", "pgcode", "sql"]);
    likely
        .then(|| numbers::sql_state(text))
        .flatten()
        .or_else(|| named.then(|| numbers::sql_class(text)).flatten())
}

fn number_meaning(number: u32, context: Context<'_, '_>) -> Option<&'static str> {
    const EXIT: &[&str] = &["exit", "exited", "exitcode", "exit_code", "returncode", "rc"];
    const UNITS: &[&str] = &[
        "b",
        "bytes",
        "char",
        "characters",
        "days",
        "entries",
        "events",
        "files",
        "gb",
        "hours",
        "items",
        "kb",
        "lines",
        "mb",
        "messages",
        "milliseconds",
        "min",
        "minutes",
        "ms",
        "objects",
        "percent",
        "pages",
        "records",
        "requests",
        "rows",
        "s",
        "seconds",
        "sec",
        "times",
        "users",
        "values",
    ];
    const POSITIONS: &[&str] = &[
        "attempt", "byte", "char", "column", "id", "index", "item", "line", "number", "offset", "order",
        "page", "pid", "port", "position", "record", "row", "step",
    ];
    if context.follows(EXIT)
        && let Some(meaning) = numbers::exit_status(number)
    {
        return Some(meaning);
    }
    if context.precedes(UNITS) || context.follows_closely(POSITIONS) {
        return None;
    }
    numbers::http_status(number)
}
