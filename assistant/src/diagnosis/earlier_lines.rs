//! The failing step printed what happened before it said the last thing: a pipe of commands, a clean-up that failed
//! too, code that gives up.

use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;

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
    let told = case.evidence.lines.iter().filter(|line| line.step == end.step).find_map(|line| {
        if !is_complaint(&line.text) || end.error.message.contains(line.text.trim()) {
            return None;
        }
        let cause = Cause::of(&TaskError::new("tool_error", line.text.clone()), None);
        (cause != Cause::Unknown && cause != Cause::CodeException).then_some((cause, line.text.clone()))
    });
    let Some((cause, line)) = told.filter(|(cause, _)| *cause != end.cause) else { return Vec::new() };
    let score = match end.cause {
        _ if says_nothing(&end.error) => 0.9,
        Cause::Unknown => 0.9,
        Cause::CodeException | Cause::ResponseMalformed | Cause::DataEmpty | Cause::DataTypeMismatch => 0.82,
        // The last words of a shell are words as well; the first of them tell what came first.
        _ if end.error.kind == "shell" => 0.75,
        _ => 0.4,
    };
    let mut hypothesis = case
        .hypothesis(RULE, case.root(Some(&end.step), Some(end.event)), cause, score)
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
