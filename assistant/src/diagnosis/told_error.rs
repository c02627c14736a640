//! A step counts as completed, and its result tells an error all the same: HTTP 200 with an error inside, a status of
//! `error`, a login page in place of data.

use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;

use super::case::{event, failure_item, quoted};
use super::trail::{follows_from_data, swallowed_by, told_by};
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Said, is_mute};

const RULE: &str = "told_error";

/// Letters of words that are passed on rather than met by chance.
const WORDS: usize = 5;

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let mut found = Vec::new();
    for trail in case.trails() {
        let origin = trail.origin();
        let (None, Some(told)) = (swallowed_by(case.run, origin), told_by(case.run, origin)) else {
            continue;
        };
        let Some(place) = case.run.results.get(origin).copied() else { continue };
        let (cause, support) = cause_of(&told, case.evidence.tool_of(origin));
        // Code that fails with the very words of the answer passes them on.
        let is_passed_on = told.message.len() >= WORDS && end.error.message.contains(&told.message);
        let gate: f64 = match case.cause {
            Cause::CodeException if is_passed_on => 0.95,
            Cause::CodeException => 0.8,
            _ => 0.0,
        };
        let gate = gate.max(follows_from_data(case.cause, &case.said));
        let mut hypothesis = Hypothesis::new(RULE, case.root(Some(origin), Some(place)), cause, gate * 0.92)
            .with_chain(trail.events(case.run).into_iter().chain(case.tail(end)));
        hypothesis.support = support;
        hypothesis.doubt = if support == Support::Firm { 1.0 } else { 0.8 };
        hypothesis.points.push(Point::new(
            format!(
                "Step `{origin}` counts as completed, but its result tells an error: {} ({})",
                quoted(&told.message),
                cause.meaning()
            ),
            vec![event(place, format!("{origin}: {}", told.message), format!("the cause {cause}"))],
        ));
        hypothesis.points.push(Point::new(
            format!("Step `{}` read it and failed with {}", end.step, quoted(&end.error.message)),
            vec![failure_item(end, "the failure, a symptom")],
        ));
        found.push(hypothesis);
    }
    found
}

pub(super) fn cause_of(told: &TaskError, tool: Option<&str>) -> (Cause, Support) {
    let named = Cause::in_words(told.code.as_deref().unwrap_or_default());
    // What the service calls it is made for machines; its words are made for people.
    let is_word = told.code.as_deref() == Some(told.message.as_str());
    if told.status_code.is_none() && !is_word && says_much(named) {
        return (named, Support::Firm);
    }
    // In one word, and no word of another side: somebody here stopped waiting.
    if told.message == "timeout" && tool != Some("http") {
        return (Cause::TimeoutStep, Support::Firm);
    }
    let said = match Cause::of(told, None) {
        Cause::Unknown => Cause::in_words(&told.message),
        cause => cause,
    };
    match said {
        Cause::Unknown if named != Cause::Unknown => (named, Support::Firm),
        _ if told.status_code.is_none() && is_mute(&told.message) && !says_much(named) => {
            (Cause::Unknown, Support::None)
        }
        // It says that something went wrong, and not what.
        Cause::Unknown if told.kind == "http" => (Cause::ResponseMalformed, Support::Firm),
        Cause::Unknown if tool == Some("http") && is_about_the_request(&told.message) => {
            (Cause::RequestInvalid, Support::Likely)
        }
        Cause::Unknown if tool == Some("http") && !Said::of(told).about_nothing => {
            (Cause::RemoteServerError, Support::Likely)
        }
        Cause::Unknown => (Cause::DataEmpty, Support::Likely),
        // The words of a statement or of code, in the mouth of another side, are about what it was asked.
        Cause::CodeSyntax | Cause::DataTypeMismatch | Cause::CodeImport if tool == Some("http") => {
            (Cause::RequestInvalid, Support::Likely)
        }
        cause => (cause, Support::Firm),
    }
}

/// Causes that a code names and that say more than that something is wrong.
fn says_much(cause: Cause) -> bool {
    matches!(cause.family(), "auth" | "limit" | "timeout" | "network" | "sql")
        || matches!(cause, Cause::RequestNotFound | Cause::RequestConflict | Cause::RemoteUnavailable)
}

/// The other side complains of what it was asked.
fn is_about_the_request(message: &str) -> bool {
    const WORDS: &[&str] = &[
        "invalid",
        "cannot",
        "must",
        "required",
        "unsupported",
        "unrecognized",
        "malformed",
        "expected",
        "mean",
        "missing",
        "allowed",
        "validation",
        "argument",
        "arguments",
        "parameter",
        "parameters",
        "field",
        "value",
        "bad",
        "illegal",
        "unprocessable",
        "should",
        "specify",
        "specified",
        "syntax",
    ];
    let lower = message.to_lowercase();
    lower.split(|one: char| !one.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;
    use serde_json::json;

    use crate::testing::{Lab, ok, python_error};

    #[test]
    fn an_error_inside_a_good_answer_is_the_cause() {
        let answer = ok(json!({"status": "error", "message": "rate limit exceeded"}));
        Lab::new("a\nb reads a")
            .run(&[("a", answer), ("b", python_error("KeyError", "'items'"))])
            .blames("a", Cause::LimitRate);
    }
}
