//! An earlier step counts as completed and printed an error all the same; what it should have made is missed later.
//!
//! Mostly no result was read: the two meet outside, at a file, a bucket or a table. So the complaint must be a grave one
//! that nobody took back, and the failure one of something that is not there or not whole; or what the step gave was read,
//! and the failure is one that comes of data.

use std::collections::HashSet;

use noetl_domain::cause::{Basis, Cause};
use noetl_domain::error::TaskError;
use noetl_domain::report::LogLine;

use super::case::{event, failure_item, quoted};
use super::passed_over::misses_something;
use super::trail::follows_from_data;
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Origin, reads_of, routes_into};

const RULE: &str = "complained";

/// Letters of a word that may name the thing that both speak of.
const NAME: usize = 5;

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    // What was read of it may be what is wrong; else something outside was not made.
    let read = if follows_from_data(case.cause, &case.said) >= FOLLOWS {
        read_by(case, &end.step)
    } else {
        HashSet::new()
    };
    let is_unmade = is_of_something_unmade(case.cause) || case.said.exception == "FileNotFoundError";
    if !is_unmade && read.is_empty() {
        return Vec::new();
    }
    let Some(playbook) = case.evidence.playbook() else { return Vec::new() };
    let is_next = |step: &str| routes_into(playbook, &end.step).iter().any(|(before, _)| before.name == step);
    let mut found = Vec::new();
    for (step, left) in case.went_well_before(end) {
        let lines: Vec<&LogLine> = case.evidence.lines.iter().filter(|line| line.step == step).collect();
        let told = format!("{} {}", end.error.message, end.error.details);
        let Some((at, cause)) = complaint(&lines, &told) else { continue };
        if lines[at + 1..].iter().any(|line| is_taken_back(&line.text)) {
            continue;
        }
        let line = lines[at];
        let is_named = shares_a_name(&line.text, &told)
            || case.evidence.text_of(step).is_some_and(|written| shares_a_path(&written, &end.error.message));
        let score = match (is_named && is_unmade, is_next(step) && is_unmade, read.contains(step)) {
            (true, ..) => 0.93,
            (_, true, _) => 0.86,
            (.., true) => 0.84,
            (_, _, false) => continue,
        };
        let mut hypothesis = Hypothesis::new(RULE, case.root(Some(step), Some(left)), cause, score)
            .with_chain([left].into_iter().chain(case.tail(end)));
        hypothesis.support = Support::Likely;
        hypothesis.points.push(Point::new(
            format!(
                "Step `{step}` counts as completed, but it printed {} ({})",
                quoted(&line.text),
                cause.meaning()
            ),
            vec![event(left, format!("{step} printed: {}", line.text), format!("the cause {cause}"))],
        ));
        hypothesis.points.push(Point::new(
            format!(
                "Step `{}` missed what was to be made and failed with {}",
                end.step,
                quoted(&end.error.message)
            ),
            vec![failure_item(end, "the failure, a symptom")],
        ));
        found.push(hypothesis);
    }
    found
}

/// How far a failure must come from data before what was read of a step counts.
const FOLLOWS: f64 = 0.85;

/// The steps whose results led to this one, through all steps between.
fn read_by(case: &Case<'_>, step: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut ahead = vec![step.to_owned()];
    while let Some(reader) = ahead.pop() {
        for read in reads_of(case.evidence, &reader) {
            if let Origin::Step(maker) = read.origin
                && maker != step
                && found.insert(maker.clone())
            {
                ahead.push(maker);
            }
        }
    }
    found
}

/// Failures of something that is not there, or not whole.
fn is_of_something_unmade(cause: Cause) -> bool {
    misses_something(cause) || cause == Cause::ResponseMalformed
}

/// The first line that complains of something that a system is known to say, and its cause.
///
/// A step that says that it goes on without the very thing that is missed later complains as well.
fn complaint(lines: &[&LogLine], failure: &str) -> Option<(usize, Cause)> {
    let is_one = |text: &str| is_grave(text) || gives_up(text) && shares_a_name(text, failure);
    lines.iter().enumerate().filter(|(_, line)| line.stream == "stderr" && is_one(&line.text)).find_map(
        |(at, line)| {
            let told = TaskError::new("tool_error", line.text.clone());
            let (cause, basis) = Cause::with_basis(&told, None);
            let is_known = matches!(basis, Basis::Field | Basis::Phrase)
                || basis == Basis::Sentence && shares_a_name(&line.text, failure);
            (is_known && !matches!(cause, Cause::Unknown | Cause::CodeException)).then_some((at, cause))
        },
    )
}

fn is_grave(text: &str) -> bool {
    let lower = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    says(&[
        "error",
        "fatal",
        "failed",
        "denied",
        "cannot",
        "could not",
        "unable",
        "refused",
        "invalid",
        "expired",
        "rejected",
    ]) && !says(&[
        "warn", "notice", "info", "debug", "deprecat", "retry", "again", "skipping", "ignor", "going on",
    ])
}

fn gives_up(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["timed out", "time out", "gave up", "giving up", "without it", "not found", "missing", "no longer"]
        .iter()
        .any(|word| lower.contains(word))
}

/// It went well in the end.
fn is_taken_back(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["retry", "again", "recover", "succe", "connected", "attempt", "fallback", "instead", "uploaded"]
        .iter()
        .any(|word| lower.contains(word))
}

/// A file or a thing that both texts name: the last part of a path, or a word with a point, a dash or an underscore in it.
fn shares_a_name(complaint: &str, failure: &str) -> bool {
    let names = |text: &str| -> Vec<String> {
        words(text)
            .filter_map(|word| word.rsplit('/').next())
            .map(plain)
            .filter(|word| is_name(word))
            .collect()
    };
    let named = names(failure);
    names(complaint).iter().any(|name| named.contains(name))
}

/// A folder of this machine that is no folder of everybody's, or a file in it, in what one step was told to do and in what
/// another failed of.
fn shares_a_path(written: &str, failure: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        let paths = words(text).filter(|word| word.starts_with('/') && !word.starts_with("//"));
        paths.flat_map(|path| path.split('/')).map(plain).filter(|part| is_name(part)).collect()
    };
    let named = parts(failure);
    parts(written).iter().any(|part| named.contains(part))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| {
        one.is_whitespace() || matches!(one, '"' | '\'' | '(' | ')' | ',' | ':' | '?' | '=')
    })
}

fn plain(word: &str) -> String {
    word.trim_matches(|one: char| !one.is_alphanumeric()).to_lowercase()
}

fn is_name(word: &str) -> bool {
    word.len() >= NAME && word.contains(['.', '_', '-'])
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;
    use noetl_domain::report::LogLine;

    use super::{complaint, is_grave, is_taken_back, shares_a_name, shares_a_path};

    #[test]
    fn a_step_that_goes_on_without_what_is_missed_complains() {
        let failure = "[Errno 2] No such file or directory: '/tmp/in/pain002.xml'";
        let text = "timed out after 3 polls waiting for pain002.xml from the bank, going on without it";
        let line = LogLine {
            execution: noetl_domain::id::ExecutionId(1),
            step: "wait".to_owned(),
            run: 1,
            index: None,
            at_ms: 1,
            stream: "stderr".to_owned(),
            level: "error".to_owned(),
            text: text.to_owned(),
            fields: noetl_domain::Value::Null,
        };
        assert_eq!(complaint(&[&line], failure), Some((0, Cause::TimeoutResponse)));
    }

    #[test]
    fn a_complaint_is_grave_and_names_what_is_missed() {
        let denied = "upload failed: ./daily.csv to s3://x/daily.csv An error occurred (AccessDenied)";
        assert!(is_grave(denied) && !is_taken_back("finished"));
        assert!(shares_a_name(denied, "HTTP 404 response from GET http://h/exports/daily.csv"));
        assert!(!shares_a_name(denied, "HTTP 404 response from GET http://h/exports/other.csv"));
        assert!(shares_a_path("mkdir -p /tmp/in_stage\ntrue", "No such file: '/tmp/in_stage/a.ckpt'"));
        assert!(!shares_a_path("json.load(open('/tmp/x_1'))", "json.load: '/tmp/y_2/a.b' at h.example.com"));
        assert!(!is_grave("WARN connection refused by metrics, going on"));
        assert!(is_taken_back("attempt 2 went well"));
    }
}
