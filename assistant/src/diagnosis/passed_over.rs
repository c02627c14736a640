//! An earlier error was passed over (a rule that goes on, an arc, a loop that goes on without the item), and a later
//! step missed what was not made.

use noetl_domain::cause::Cause;

use super::case::{failure_item, line, quoted};
use super::trail::follows_from_data;
use super::{Case, Hypothesis, Point, Support, child_failed};
use crate::evidence::{Failed, Failure};

const RULE: &str = "passed_over";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let trails = case.trails();
    let gate = follows_from_data(case.cause, &case.said);
    let mut seen: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for failure in case.run.swallowed() {
        if failure.event.seq > end.event.seq || seen.contains(&failure.step.as_str()) {
            continue;
        }
        seen.push(&failure.step);
        let is_own = failure.step == end.step;
        let trail = trails.iter().find(|trail| trail.hops.iter().any(|hop| hop.maker == failure.step));
        let (score, events) = match (trail, is_own) {
            (Some(trail), _) => {
                (0.95 * gate.max(0.6 * f64::from(u8::from(gate > 0.1))), trail.events(case.run))
            }
            // A task of the same pipeline went wrong and the pipeline went on.
            (None, true) => (0.9 * gate, Vec::new()),
            (None, false) if misses_something(case.cause) => (0.58, Vec::new()),
            (None, false) => continue,
        };
        found.push(hypothesis(case, failure, end, score, events));
    }
    found
}

fn hypothesis(
    case: &Case<'_>,
    failure: &Failure,
    end: &Failure,
    score: f64,
    events: Vec<crate::evidence::EventRef>,
) -> Hypothesis {
    if failure.cause == Cause::PlaybookChildFailed
        && let Some(mut behind) = child_failed::behind(case, failure)
    {
        behind.rule = RULE;
        behind.score *= score;
        behind.chain.extend(events.into_iter().chain(case.tail(end)));
        let chain = std::mem::take(&mut behind.chain);
        return behind.with_chain(chain);
    }
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(Some(&failure.step), Some(failure.event)), failure.cause, score)
            .with_chain(events.into_iter().chain([failure.event]).chain(case.tail(end)));
    hypothesis.support = if failure.cause == Cause::Unknown { Support::None } else { Support::Firm };
    let mut items = vec![failure_item(failure, format!("the cause {}", failure.cause))];
    items.extend(line(case.evidence, &failure.step, "where the step is written"));
    let how = match &failure.what {
        Failed::Exit { .. } => "and the run went on by an arc that answers errors",
        Failed::Work { .. } => "and the loop went on without it",
        Failed::Call { .. } | Failed::End => "and a rule let the pipeline go on",
    };
    hypothesis.points.push(Point::new(
        format!(
            "Step `{}` failed with {} ({}), {how}",
            failure.step,
            quoted(&failure.error.message),
            failure.cause.meaning()
        ),
        items,
    ));
    hypothesis.points.push(Point::new(
        format!(
            "Step `{}` missed what was not made and failed with {}",
            end.step,
            quoted(&end.error.message)
        ),
        vec![failure_item(end, "the failure, a symptom")],
    ));
    hypothesis
}

/// Errors about something that should have been made before, though no result was read.
fn misses_something(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::SqlUndefinedObject | Cause::RequestNotFound | Cause::DataEmpty | Cause::DataConstraint
    )
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;

    use crate::testing::{Lab, http_error, python_error, sql_error};

    #[test]
    fn an_error_that_an_arc_answered_is_the_root_of_what_was_missed_later() {
        Lab::new("a handled b\nb reads a.data")
            .run(&[
                ("a", http_error(503, "busy")),
                ("b", python_error("TypeError", "'NoneType' object is not iterable")),
            ])
            .blames("a", Cause::RemoteUnavailable);
    }

    #[test]
    fn an_error_that_was_answered_is_no_root_of_an_unrelated_one() {
        Lab::new("a handled b\nb")
            .run(&[("a", http_error(404, "no cache")), ("b", sql_error("42601", "syntax error"))])
            .blames("b", Cause::SqlSyntax);
    }
}
