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
    let mut named = paths(&read);
    // What the step writes itself is its own affair.
    for own in written(&read) {
        named.remove(&own);
    }
    let mut found = Vec::new();
    // The last one to write it before it was read.
    for (step, left) in case.went_well_before(end) {
        let Some(text) = case.evidence.text_of(step) else { continue };
        let Some(path) = written(&text).into_iter().find(|path| named.remove(path)) else { continue };
        let root = case.root(Some(step), Some(left));
        let mut hypothesis = Hypothesis::new(RULE, root, case.cause, 0.95)
            .with_chain([left].into_iter().chain(case.tail(end)));
        hypothesis.support = Support::Firm;
        hypothesis.symptoms = vec![(case.run.id, end.step.clone())];
        let mut items = vec![event(left, format!("{step} wrote {path}"), "where the file came from")];
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
    text.split(is_edge).filter(|word| !word.is_empty()).map(|word| word.trim_start_matches('>')).collect()
}

fn is_edge(one: char) -> bool {
    one.is_whitespace() || matches!(one, '\'' | '"' | '(' | ')' | ',' | ';' | '|' | '=')
}

/// Paths that a text shows to be written to.
fn written(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths(text) {
        for (at, _) in text.match_indices(path.as_str()) {
            // Not the beginning of a longer path.
            if text[at + path.len()..].chars().next().is_some_and(|next| !is_edge(next)) {
                continue;
            }
            let before = text[..at].trim_end_matches(['\'', '"']);
            let behind = text[at + path.len()..].trim_start_matches(['\'', '"', ',', ' ']);
            let is_redirected = WRITES.iter().any(|mark| {
                let rest = before.trim_end().strip_suffix(mark);
                // `committee` is no `tee`.
                rest.is_some_and(|rest| mark.starts_with('>') || rest.is_empty() || rest.ends_with(is_edge))
            });
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
            ("gzip -c /tmp/a.gz > /tmp/a.gz.gz", false),
            ("committee /tmp/a.gz", false),
            ("seq 9 | tee /tmp/a.gz", true),
            ("gzip.open('/tmp/a.gz', 'rt')", false),
        ] {
            assert_eq!(written(text).contains(&"/tmp/a.gz".to_owned()), is_written, "{text}");
        }
    }
}
