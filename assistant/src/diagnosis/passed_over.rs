//! An earlier error was passed over (a rule that goes on, an arc, a loop that goes on without the item), and a later
//! step missed what was not made.

use noetl_domain::cause::Cause;

use super::answered::Answered;
use super::trail::follows_from_data;
use super::{Case, Hypothesis};
use crate::evidence::{EventRef, Failed, Failure};

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
    events: Vec<EventRef>,
) -> Hypothesis {
    let how = match &failure.what {
        Failed::Exit { .. } => ", and the run went on by an arc that answers errors",
        Failed::Work { .. } => ", and the loop went on without it",
        Failed::Call { .. } | Failed::End => ", and a rule let the pipeline go on",
    };
    let answered = Answered {
        rule: RULE,
        failure,
        end,
        score,
        behind: score,
        before: events,
        how: how.to_owned(),
        then: "missed what was not made and failed with",
        symptom: "the failure, a symptom",
    };
    answered.hypothesis(case)
}

/// Errors about something that should have been made before, though no result was read.
pub(super) fn misses_something(cause: Cause) -> bool {
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
