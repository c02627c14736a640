//! The step was tried several times, and the first try left something behind that the last one stumbled over; or most
//! tries failed alike and the last one differently.

use std::collections::BTreeMap;

use noetl_domain::cause::Cause;

use super::case::{event, failure_item, quoted};
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Failed, Failure};

const RULE: &str = "first_try";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let mut found = Vec::new();
    found.extend(after_a_try(case, end));
    found.extend(after_a_lost_worker(case, end));
    found
}

fn after_a_try(case: &Case<'_>, end: &Failure) -> Option<Hypothesis> {
    let tries: Vec<&Failure> = case
        .run
        .failures
        .iter()
        .filter(|failure| failure.step == end.step && failure.event.seq <= end.event.seq)
        .filter(|failure| matches!(failure.what, Failed::Call { retried: true, .. }))
        .collect();
    let first = *tries.first()?;
    if tries.iter().all(|failure| failure.cause == end.cause) {
        return None;
    }
    let mut counts: BTreeMap<Cause, usize> = BTreeMap::new();
    for failure in &tries {
        *counts.entry(failure.cause).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(_, count)| **count).map(|(cause, count)| (*cause, *count))?;
    let (told, score, text) = if comes_of_repeating(end.cause) && may_have_been_done(first.cause) {
        (first, 0.88, "what the last try met is left behind by the first one")
    } else if most.0 != end.cause && most.1 >= 2 && most.0 != Cause::Unknown {
        let told = *tries.iter().find(|failure| failure.cause == most.0)?;
        (told, 0.7, "most of its tries failed in this way, only the last one differently")
    } else {
        return None;
    };
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(Some(&end.step), Some(told.event)), told.cause, score)
            .with_chain(case.tail(end).into_iter().chain([told.event]));
    hypothesis.support = Support::Firm;
    hypothesis.points.push(Point::new(
        format!("An earlier try of step `{}` failed with {}; {text}", end.step, quoted(&told.error.message)),
        vec![failure_item(told, format!("the cause {}", told.cause))],
    ));
    hypothesis.points.push(Point::new(
        format!("The last try ended with {}", quoted(&end.error.message)),
        vec![failure_item(end, "the last error, a symptom")],
    ));
    Some(hypothesis)
}

/// The worker was lost half-way, and the work was done again from its beginning.
fn after_a_lost_worker(case: &Case<'_>, end: &Failure) -> Option<Hypothesis> {
    let resent =
        case.run.resent.iter().rfind(|resent| resent.step == end.step && resent.event.seq < end.event.seq)?;
    if !comes_of_repeating(end.cause) {
        return None;
    }
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(Some(&end.step), Some(resent.event)), Cause::WorkerLost, 0.85)
            .with_chain(case.tail(end).into_iter().chain([resent.event]));
    hypothesis.support = Support::Firm;
    hypothesis.points.push(Point::new(
        format!(
            "No worker answered for step `{}`, so its work was sent again; {} is what the second time met of the first",
            end.step,
            quoted(&end.error.message)
        ),
        vec![
            event(resent.event, format!("{} sent again, attempt {}", resent.step, resent.attempt), "a worker was lost"),
            failure_item(end, "the last error, a symptom"),
        ],
    ));
    Some(hypothesis)
}

/// Errors that doing the same thing twice produces.
fn comes_of_repeating(cause: Cause) -> bool {
    matches!(cause, Cause::DataDuplicate | Cause::RequestConflict)
}

/// Errors after which nobody knows whether the work was done.
fn may_have_been_done(cause: Cause) -> bool {
    matches!(cause.family(), "timeout" | "network" | "remote" | "worker" | "resource")
        || cause == Cause::Unknown
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;

    use crate::testing::{Lab, http_error, sql_error, tries};

    #[test]
    fn a_duplicate_after_a_timeout_is_what_the_first_try_left_behind() {
        let error = tries(&[http_error(504, "gateway timeout"), sql_error("23505", "duplicate key")]);
        Lab::new("steps: a").run(&[("a", error)]).blames("a", Cause::RemoteUnavailable);
    }

    #[test]
    fn most_tries_speak_louder_than_the_last_one() {
        let error =
            tries(&[http_error(503, "busy"), http_error(503, "busy"), http_error(401, "who are you")]);
        Lab::new("steps: a").run(&[("a", error)]).blames("a", Cause::RemoteUnavailable);
    }
}
