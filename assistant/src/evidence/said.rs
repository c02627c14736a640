//! What an error says besides its cause: names, quoted values, that something was not there, and what it wraps.
//!
//! The text comes from outside. It is searched, never obeyed.

mod phrases;

use noetl_domain::Value;
use noetl_domain::error::TaskError;
use phrases::{
    CONVERSION_PHRASES, DAY_PHRASES, DECODING_PHRASES, ENDING, FEW_PHRASES, FORM_PHRASES, LENGTH_PHRASES,
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
        let message = start_of(raw(error));
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

/// The message without what we put around it.
fn raw(error: &TaskError) -> &str {
    match error.details.get("message") {
        Some(Value::String(message)) if !message.is_empty() => message,
        _ => &error.message,
    }
}

fn exception_of(error: &TaskError) -> String {
    let named = error.details.get("exception").and_then(Value::as_str).or(error.code.as_deref());
    named.unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned()
}

fn start_of(text: &str) -> &str {
    let mut end = text.len().min(READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
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
    let line = trace[..at].lines().rev().find(|line| is_exception(line))?;
    let (name, message) = line.split_once(':').unwrap_or((line, ""));
    let name = name.trim().rsplit('.').next().unwrap_or_default();
    let mut inner = TaskError::new("python", format!("{name}: {}", message.trim())).with_code(name);
    inner.source.clone_from(&error.source);
    inner.details = serde_json::json!({ "exception": name, "message": message.trim() });
    Some(Inner { error: inner, direct })
}

fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    !name.is_empty()
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '.'))
}

/// An error that tells no more than that something failed.
pub(crate) fn says_nothing(error: &TaskError) -> bool {
    let message = error.message.trim();
    if message.is_empty() {
        return true;
    }
    let is_bare_exit = error.kind == "shell"
        && message
            .strip_prefix("the command ended with exit status ")
            .is_some_and(|rest| rest.trim().parse::<i32>().is_ok_and(|status| (1..126).contains(&status)));
    // What a shell said last stands behind its exit status.
    let last = match error.kind.as_str() {
        "shell" => message.split_once(": ").map_or(message, |(_, last)| last),
        _ => message,
    };
    let lower = last.trim().trim_end_matches(['.', '!']).to_lowercase();
    let is_ending =
        error.kind == "shell" && message.contains(": ") && !is_bare_exit && is_only_an_ending(&lower);
    // The last word of a program that only told what it was doing.
    let is_report = error.kind == "shell"
        && !is_bare_exit
        && lower
            .split_whitespace()
            .take(4)
            .any(|word| matches!(word.trim_matches(['[', ']', ':']), "info" | "debug" | "trace"));
    if is_only_a_status(&lower) || is_ending || is_report {
        return true;
    }
    let is_bare_word = (error.kind == "shell" || error.code.as_deref().is_none_or(|code| code == "TL001"))
        && error.status_code.is_none()
        && matches!(
            lower.as_str(),
            "error"
                | "failed"
                | "failure"
                | "unknown"
                | "unknown error"
                | "an error occurred"
                | "something went wrong"
        );
    // `sys.exit(3)`
    let is_bare_end = error.kind == "python"
        && exception_of(error) == "SystemExit"
        && raw(error).trim().chars().all(|one| one.is_ascii_digit());
    is_bare_exit || is_bare_word || is_bare_end
}

/// `make: *** [all] Error 2`, `Something went wrong. Please contact your administrator.`: it ended, and nobody says why.
fn is_only_an_ending(lower: &str) -> bool {
    // What stands in brackets or looks like a file is the name of what ended.
    let mut depth = 0_usize;
    let bare: String = lower
        .chars()
        .map(|one| {
            match one {
                '[' | '(' | '<' => depth += 1,
                ']' | ')' | '>' => depth = depth.saturating_sub(1),
                _ => return if depth == 0 { one } else { ' ' },
            }
            ' '
        })
        .collect();
    let is_name = |word: &str| word.contains(['/', '.', '_', '\'', '`', '"']);
    let mut tells = false;
    for (place, word) in bare.split_whitespace().enumerate() {
        // `nightly: failed`: who says it.
        if place == 0 && word.len() > 1 && word.ends_with(':') {
            continue;
        }
        let word = word.trim_end_matches([':', ',', '.', '!', ';', '…']);
        let mut parts = word.split(|one: char| !one.is_alphanumeric()).filter(|part| !part.is_empty());
        let is_ending = is_name(word)
            || parts.all(|part| is_amount(part) || ENDING.split('|').any(|known| known == part));
        if !is_ending {
            return false;
        }
        tells |= !is_name(word) && word.chars().any(char::is_alphabetic);
    }
    tells
}

/// A number, or a length of time as in `4s` and `120ms`.
fn is_amount(part: &str) -> bool {
    let digits = part.trim_end_matches(['h', 'm', 's']);
    digits.parse::<u64>().is_ok()
}

/// `Command '…' returned non-zero exit status 4`: a program ended, and nobody says why.
fn is_only_a_status(lower: &str) -> bool {
    const PHRASES: &[&str] = &[
        "returned non-zero exit status ",
        "returned a non-zero exit code ",
        "exited with code ",
        "exited with status ",
        "exited with exit code ",
        "failed with exit code ",
        "failed with exit status ",
        "process completed with exit code ",
        "exit code: ",
        "exit status: ",
        "exit status ",
        "exit code ",
    ];
    PHRASES.iter().any(|phrase| {
        let Some((_, rest)) = lower.rsplit_once(phrase) else { return false };
        // Behind the number stands nothing but the line of the code.
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let behind = rest[number.len()..].trim_matches(|one: char| !one.is_alphanumeric());
        let is_plain = behind.is_empty() || behind.starts_with("line ");
        is_plain && number.parse::<i32>().is_ok_and(|status| (1..126).contains(&status))
    })
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

    #[test]
    fn an_exit_status_alone_says_nothing() {
        let bare = TaskError::new("shell", "the command ended with exit status 3").with_code("3");
        assert!(says_nothing(&bare));
        for ending in [
            "make: *** [Makefile:12: all] Error 2",
            "Something went wrong. Please contact your administrator.",
            "npm ERR! errno 1",
            "etl.sh: step aborted, see the log above",
            "[supervisor] job ended, status 1",
            "nightly: failed",
            "Exception in thread 'main' org.apache.spark.SparkException: Application application_17_0412 finished with failed status",
        ] {
            let told = TaskError::new("shell", format!("the command ended with exit status 2: {ending}"));
            assert!(says_nothing(&told.with_code("2")), "{ending}");
        }
        for telling in [
            "nightly: ledger failed",
            "no such table",
            "cannot open ledger",
            "the invoice has no lines",
            "panic: index out of range",
        ] {
            let told = TaskError::new("shell", format!("the command ended with exit status 2: {telling}"));
            assert!(!says_nothing(&told.with_code("2")), "{telling}");
        }
        assert!(!says_nothing(
            &TaskError::new("shell", "the command ended with exit status 137").with_code("137")
        ));
    }
}
