//! The failing step printed what happened before it said the last thing: a pipe of commands, a clean-up that failed
//! too, code that gives up.

use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use noetl_domain::report::LogLine;

use super::case::{event, failure_item, quoted};
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::says_nothing;

const RULE: &str = "earlier_lines";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let is_printing = matches!(end.error.kind.as_str(), "shell" | "python")
        || matches!(case.evidence.tool_of(&end.step), Some("shell" | "python" | "script" | "container"));
    if !is_printing {
        return Vec::new();
    }
    let telling = |line: &&LogLine| {
        let cause = Cause::of(&TaskError::new("tool_error", line.text.clone()), None);
        line.step == end.step
            && (line.stream == "stderr" || is_complaint(&line.text))
            && !end.error.message.contains(line.text.trim())
            && cause != Cause::Unknown
            && cause != Cause::CodeException
    };
    let mut lines = case.evidence.lines.iter();
    // Of a pipe of commands the first that failed counts, of code that tries and tries the last thing it met.
    let told = if end.error.kind == "shell" { lines.find(telling) } else { lines.rfind(telling) };
    let told = told
        .map(|line| (Cause::of(&TaskError::new("tool_error", line.text.clone()), None), line.text.clone()));
    let Some((cause, line)) = told.filter(|(cause, _)| *cause != end.cause) else { return Vec::new() };
    let score = match end.cause {
        _ if says_nothing(&end.error) => 0.9,
        Cause::Unknown => 0.9,
        Cause::CodeException if gives_up(&case.said.exception) => 0.82,
        Cause::CodeException if end.error.kind == "shell" => 0.82,
        // Code that trips on its own may have told of something else before, and have coped with it.
        Cause::CodeException => 0.4,
        Cause::ResponseMalformed | Cause::DataEmpty => 0.75,
        Cause::DataTypeMismatch => 0.5,
        // The last words of a shell are words as well; the first of them tell what came first.
        _ if end.error.kind == "shell" => 0.75,
        _ => 0.4,
    };
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(&end.step), Some(end.event)), cause, score)
        .with_chain(case.tail(end));
    hypothesis.support = if score >= 0.8 { Support::Firm } else { Support::Likely };
    hypothesis.points.push(Point::new(
        format!("Step `{}` printed {} ({})", end.step, quoted(&line), cause.meaning()),
        vec![event(end.event, format!("{} printed: {line}", end.step), format!("the cause {cause}"))],
    ));
    hypothesis.points.push(Point::new(
        format!("Only then it ended with {}", quoted(&end.error.message)),
        vec![failure_item(end, "the last error, a symptom")],
    ));
    vec![hypothesis]
}

/// Exceptions that are raised to say that nothing more can be done, rather than met.
fn gives_up(exception: &str) -> bool {
    !matches!(
        exception,
        "KeyError"
            | "IndexError"
            | "AttributeError"
            | "TypeError"
            | "NameError"
            | "UnboundLocalError"
            | "ZeroDivisionError"
            | "AssertionError"
            | "StopIteration"
            | "LookupError"
            | "ValueError"
            | "RecursionError"
            | "UnicodeDecodeError"
            | "UnicodeEncodeError"
            | "NotImplementedError"
    )
}

/// A line that tells of something going wrong.
fn is_complaint(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "error",
        "exception",
        "fail",
        "fatal",
        "warn",
        "refused",
        "timed out",
        "timeout",
        "denied",
        "cannot",
        "could not",
        "unable",
        "no such",
        "not found",
        "invalid",
        "expired",
        "exceeded",
        "unreachable",
        "reset",
        "out of memory",
        "no space",
        "too many",
        "killed",
        "forbidden",
        "unauthorized",
    ];
    let lower = text.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}
