//! What an error says besides its cause: names, quoted values, that something was not there, and what it wraps.
//!
//! The text comes from outside. It is searched, never obeyed.

mod nothing;
mod phrases;

use noetl_domain::Value;
use noetl_domain::error::TaskError;
pub(crate) use nothing::{is_mute, says_nothing};
use phrases::{
    CONVERSION_PHRASES, DAY_PHRASES, DECODING_PHRASES, FEW_PHRASES, FORM_PHRASES, LENGTH_PHRASES,
    NAME_PHRASES, NOTHING, NOTHING_PHRASES, SIZE_PHRASES, TWICE_PHRASES,
};

/// Bytes of a message that are looked at.
const READ: usize = 16 * 1024;
const LONGEST_QUOTE: usize = 120;

/// The particulars of one error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Names and values in quotes.
    pub(crate) quoted: Vec<String>,
    /// It complains that something is null, empty, missing or too short.
    pub(crate) about_nothing: bool,
    /// It complains that a list or a text is empty.
    pub(crate) about_emptiness: bool,
    /// It complains of the type or the form of a value.
    pub(crate) about_form: bool,
    /// It complains that a value could not be converted.
    pub(crate) about_conversion: bool,
    /// It complains that bytes or a text are not of the form that they were read in.
    pub(crate) about_decoding: bool,
    /// It complains that a number is too large, too small or not plausible.
    pub(crate) about_size: bool,
    /// It complains that a text is too long.
    pub(crate) about_length: bool,
    /// It complains of a day or a month.
    pub(crate) about_days: bool,
    /// It complains that there is too little of something.
    pub(crate) about_few: bool,
    /// It complains that something is there already that must be there once.
    pub(crate) about_twice: bool,
    /// It complains that a name is not in something.
    pub(crate) about_name: bool,
    /// Numbers that it names, as it writes them.
    pub(crate) numbers: Vec<String>,
    /// Whole numbers among them and small ones, which may count something.
    pub(crate) counts: Vec<usize>,
    /// The type of the exception, where there is one.
    pub(crate) exception: String,
}

impl Said {
    pub(crate) fn of(error: &TaskError) -> Self {
        let exception = exception_of(error);
        let whole = with_answer(error);
        let message = start_of(&whole);
        let mut quoted = quotes(message);
        if exception == "KeyError" && quoted.is_empty() {
            quoted.push(message.trim().to_owned());
        }
        let lower = message.to_lowercase();
        let says = |words: &str| words.split('|').any(|word| lower.contains(word));
        let about_nothing = matches!(
            exception.as_str(),
            "KeyError"
                | "IndexError"
                | "StopIteration"
                | "StopAsyncIteration"
                | "ZeroDivisionError"
                | "LookupError"
        ) || has_word(&lower, NOTHING)
            || says(NOTHING_PHRASES);
        let about_emptiness = matches!(
            exception.as_str(),
            "IndexError" | "StatisticsError" | "StopIteration"
        ) || says(
            "empty sequence|empty iterable|is empty|was empty|empty list|no data points|no elements|at least one|requires at least",
        );
        let about_form = matches!(
            exception.as_str(),
            "TypeError"
                | "ValueError"
                | "JSONDecodeError"
                | "DecimalException"
                | "InvalidOperation"
                | "ValidationError"
        ) || says(FORM_PHRASES);
        let about_conversion = exception == "TypeError" || says(CONVERSION_PHRASES);
        let about_few = matches!(exception.as_str(), "AssertionError" | "IndexError") || says(FEW_PHRASES);
        let about_name =
            exception == "KeyError" || says(NAME_PHRASES) && !lower.contains("object has no attribute");
        let about_decoding = matches!(
            exception.as_str(),
            "UnicodeDecodeError"
                | "BadGzipFile"
                | "BadZipFile"
                | "ExpatError"
                | "ParseError"
                | "ScannerError"
                | "XMLSyntaxError"
                | "ArrowInvalid"
                | "ParserError"
        ) || says(DECODING_PHRASES);
        let about_twice = exception == "IntegrityError" && lower.contains("unique") || says(TWICE_PHRASES);
        let about_days = says(DAY_PHRASES);
        let about_length = says(LENGTH_PHRASES);
        let about_size =
            matches!(exception.as_str(), "AssertionError" | "OverflowError") || says(SIZE_PHRASES);
        let numbers = numbers(message);
        let counts =
            message.split(|one: char| !one.is_ascii_digit()).filter_map(|part| part.parse().ok()).take(20);
        let counts = counts.collect();
        Self {
            quoted,
            about_nothing,
            about_emptiness,
            about_form,
            about_conversion,
            about_decoding,
            about_size,
            about_length,
            about_days,
            about_few,
            about_twice,
            about_name,
            numbers,
            counts,
            exception,
        }
    }

    /// The words of an error.
    pub(crate) fn raw(error: &TaskError) -> &str {
        raw(error)
    }

    /// Whether the error names this key.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.quoted.iter().any(|quoted| quoted == key)
    }
}

/// Numbers of more than one digit, with sign and fraction.
fn numbers(text: &str) -> Vec<String> {
    let is_part = |one: char| one.is_ascii_digit() || matches!(one, '.' | '-' | '+' | 'e');
    let mut found: Vec<String> = text
        .split(|one: char| !is_part(one))
        .map(|number| number.trim_matches(['.', '+', 'e']))
        .filter(|number| number.len() > 1 && number.parse::<f64>().is_ok())
        .map(str::to_owned)
        .collect();
    found.truncate(20);
    found
}

fn has_word(text: &str, words: &str) -> bool {
    text.split(|character: char| !character.is_alphanumeric())
        .any(|word| words.split('|').any(|known| known == word))
}

/// Exceptions that come with Python.
const BUILT_IN: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BufferError",
    "EOFError",
    "Exception",
    "FloatingPointError",
    "GeneratorExit",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "NameError",
    "NotImplementedError",
    "OverflowError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "StopAsyncIteration",
    "StopIteration",
    "SystemError",
    "SystemExit",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "ValueError",
    "ZeroDivisionError",
];

pub(crate) fn is_of_their_own(error: &TaskError) -> bool {
    let name = error.code.as_deref().unwrap_or_default();
    let name = name.rsplit('.').next().unwrap_or_default();
    error.kind == "python" && !name.is_empty() && !BUILT_IN.contains(&name)
}

/// The message without what we put around it.
fn raw(error: &TaskError) -> &str {
    match error.details.get("message") {
        Some(Value::String(message)) if !message.is_empty() => message,
        _ => &error.message,
    }
}

/// Bytes of an answer that are looked at.
const ANSWER: usize = 2 * 1024;

/// The words of an error; of a request that was turned down, what the answer says of it as well.
fn with_answer(error: &TaskError) -> String {
    let mut words = start_of(raw(error)).to_owned();
    if let (Some(400 | 409 | 422), Some(body)) = (error.status_code, error.details.get("body")) {
        let mut answer = String::new();
        texts_of(body, &mut answer, 4);
        words.push_str(&answer);
    }
    words
}

fn add(words: &mut String, text: &str) {
    let end = text.floor_char_boundary(ANSWER.saturating_sub(words.len()));
    if end > 0 {
        words.push(' ');
        words.push_str(&text[..end]);
    }
}

fn texts_of(value: &Value, words: &mut String, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::String(text) => add(words, text),
        Value::Array(list) => list.iter().for_each(|inner| texts_of(inner, words, depth)),
        Value::Object(map) => map.values().for_each(|inner| texts_of(inner, words, depth)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn exception_of(error: &TaskError) -> String {
    let named = error.details.get("exception").and_then(Value::as_str).or(error.code.as_deref());
    named.unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned()
}

fn start_of(text: &str) -> &str {
    &text[..text.floor_char_boundary(READ)]
}

/// What stands between quotes of the same kind.
fn quotes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for quote in ['\'', '"', '`'] {
        let mut parts = text.split(quote);
        parts.next();
        while let (Some(inside), Some(_)) = (parts.next(), parts.next()) {
            if !inside.is_empty() && inside.len() <= LONGEST_QUOTE && found.len() < 20 {
                found.push(inside.to_owned());
            }
        }
    }
    found
}

/// An exception inside another.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) error: TaskError,
    /// The code said so itself (`raise … from …`).
    pub(crate) direct: bool,
}

const DIRECT: &str = "The above exception was the direct cause of the following exception:";
const DURING: &str = "During handling of the above exception, another exception occurred:";

/// The first exception of a chain that Python wrote down.
pub(crate) fn inner_error(error: &TaskError) -> Option<Inner> {
    let trace = error.details.get("traceback")?.as_str()?;
    let at = [DIRECT, DURING].iter().filter_map(|mark| trace.find(mark)).min()?;
    let direct = trace[at..].starts_with(DIRECT);
    let (name, message) = last_exception(&trace[..at])?;
    let mut inner = TaskError::new("python", format!("{name}: {}", message.trim())).with_code(name);
    inner.source.clone_from(&error.source);
    inner.details = serde_json::json!({ "exception": name, "message": message.trim() });
    Some(Inner { error: inner, direct })
}

/// Name and message of the exception that a traceback ends with; its message may have several lines.
fn last_exception(trace: &str) -> Option<(&str, String)> {
    let lines: Vec<&str> = trace.lines().collect();
    let frame = lines.iter().rposition(|line| line.starts_with("  File \""));
    // Behind the last frame come its code and marks, further in than the message begins.
    let behind = frame.map_or(0, |frame| frame + 1);
    let start = (behind..lines.len()).find(|at| is_exception(lines[*at]))?;
    let (name, first) = lines[start].split_once(':').unwrap_or((lines[start], ""));
    let name = name.trim().rsplit('.').next().unwrap_or_default();
    let message: Vec<&str> = std::iter::once(first).chain(lines[start + 1..].iter().copied()).collect();
    Some((name, message.join("\n").trim().to_owned()))
}

fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    !name.is_empty()
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn python(exception: &str, message: &str) -> TaskError {
        TaskError::new("python", format!("{exception}: {message} (line 3)"))
            .with_code(exception)
            .with_details(json!({ "exception": exception, "message": message }))
    }

    #[test]
    fn an_error_tells_names_and_that_something_was_not_there() {
        let said = Said::of(&python("KeyError", "'items'"));
        assert!(said.names("items") && said.about_nothing);
        assert!(Said::of(&python("TypeError", "'NoneType' object is not iterable")).about_nothing);
        let said = Said::of(&python("ValueError", "invalid literal for int() with base 10: 'n/a'"));
        assert!(said.names("n/a") && said.about_form && !said.about_nothing);
        assert!(!Said::of(&TaskError::new("connection", "cannot connect to db:5432")).about_nothing);
    }

    #[test]
    fn the_first_exception_of_a_chain_is_found() {
        let trace = "Traceback (most recent call last):\n  File \"x\", line 2\n    f()\n\
                     ConnectionRefusedError: [Errno 111] Connection refused\n\n\
                     During handling of the above exception, another exception occurred:\n\n\
                     Traceback (most recent call last):\n  File \"x\", line 4\nRuntimeError: sync failed\n";
        let mut error = python("RuntimeError", "sync failed");
        error.details["traceback"] = trace.into();
        let inner = inner_error(&error).unwrap();
        assert_eq!(inner.error.code.as_deref(), Some("ConnectionRefusedError"));
        assert!(!inner.direct);
        assert_eq!(noetl_domain::cause::Cause::of(&inner.error, None).code(), "network.refused");
    }
}
