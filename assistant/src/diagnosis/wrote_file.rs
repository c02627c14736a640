//! A file could not be read as what it should be, and an earlier step wrote it: what it wrote is wrong, not its reader.

use std::collections::HashSet;

use noetl_domain::cause::Cause;

use super::case::{event, failure_item, line};
use super::{Case, Hypothesis, Point, Support};

const RULE: &str = "wrote_file";

/// What stands before the path of a file that is written.
const WRITES: &[&str] = &[">", ">>", "-o", "--output", "-O", "of=", "tee", "--file", "--to"];
/// What stands behind one in code.
const OPENED: &[&str] = &["'w", "\"w", "'a", "\"a", "'x"];
/// Calls that write to the path that they are given.
const CALLS: &[&str] =
    &["to_csv(", "to_parquet(", "to_json(", "write_text(", "write_bytes(", "savefig(", "save("];

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end.filter(|_| case.cause == Cause::ResponseMalformed) else { return Vec::new() };
    let Some(read) = case.evidence.text_of(&end.step) else { return Vec::new() };
    let named = paths(&read);
    let mut found = Vec::new();
    for (step, left) in &case.run.exits {
        if left.failed || left.skipped || left.event.seq > end.event.seq || *step == end.step {
            continue;
        }
        let Some(text) = case.evidence.text_of(step) else { continue };
        let Some(path) = written(&text).into_iter().find(|path| named.contains(path)) else { continue };
        let root = case.root(Some(step), Some(left.event));
        let mut hypothesis = Hypothesis::new(RULE, root, case.cause, 0.95)
            .with_chain([left.event].into_iter().chain(case.tail(end)));
        hypothesis.support = Support::Firm;
        hypothesis.symptoms = vec![(case.run.id, end.step.clone())];
        let mut items = vec![event(left.event, format!("{step} wrote {path}"), "where the file came from")];
        items.extend(line(case.evidence, step, "where the step is written"));
        hypothesis.points.push(Point::new(format!("Step `{step}` wrote the file {path}"), items));
        hypothesis.points.push(Point::new(
            format!("Step `{}` could not read it as what it should be", end.step),
            vec![failure_item(end, format!("the cause {}", case.cause))],
        ));
        found.push(hypothesis);
    }
    found
}

/// Words that look like the path of a file.
fn paths(text: &str) -> HashSet<String> {
    words(text).into_iter().filter(|word| is_path(word)).map(str::to_owned).collect()
}

fn is_path(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or_default();
    word.contains('/') && !word.contains("://") && name.len() > 2 && name.contains('.')
}

fn words(text: &str) -> Vec<&str> {
    let is_edge =
        |one: char| one.is_whitespace() || matches!(one, '\'' | '"' | '(' | ')' | ',' | ';' | '|' | '=');
    text.split(is_edge).filter(|word| !word.is_empty()).map(|word| word.trim_start_matches('>')).collect()
}

/// Paths that a text shows to be written to.
fn written(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths(text) {
        for (at, _) in text.match_indices(path.as_str()) {
            let before = text[..at].trim_end_matches(['\'', '"']);
            let behind = text[at + path.len()..].trim_start_matches(['\'', '"', ',', ' ']);
            let is_redirected = WRITES.iter().any(|mark| before.trim_end().ends_with(mark));
            let is_opened = text[at + path.len()..]
                .trim_start_matches(['\'', '"'])
                .trim_start()
                .strip_prefix(',')
                .is_some_and(|mode| OPENED.iter().any(|mark| mode.trim_start().starts_with(mark)));
            let is_called = CALLS.iter().any(|call| before.ends_with(call))
                || CALLS.iter().any(|call| behind.trim_start_matches([')', '.']).starts_with(call));
            if is_redirected || is_opened || is_called {
                found.push(path.clone());
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_path_is_written_to_by_a_redirection_an_option_or_code() {
        for (text, is_written) in [
            ("seq 9 | gzip > /tmp/a.gz", true),
            ("curl -s http://h/a.gz -o /tmp/a.gz", true),
            ("with open('/tmp/a.gz', 'wb') as out:", true),
            ("frame.to_csv('/tmp/a.gz')", true),
            ("open('/tmp/a.gz').read()", false),
            ("cat /tmp/a.gz", false),
            ("gzip.open('/tmp/a.gz', 'rt')", false),
        ] {
            assert_eq!(written(text).contains(&"/tmp/a.gz".to_owned()), is_written, "{text}");
        }
    }
}
