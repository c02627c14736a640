//! The code caught one exception and raised another: the first one is what happened.

use noetl_domain::cause::Cause;

use super::case::{failure_item, quoted};
use super::own_error::own_words;
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{inner_error, is_of_their_own};

const RULE: &str = "inner_exception";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let Some(inner) = inner_error(&end.error) else { return Vec::new() };
    let cause = match Cause::of(&inner.error, None) {
        Cause::CodeException if is_of_their_own(&inner.error) => own_words(&inner.error),
        cause => cause,
    };
    let name = inner.error.code.as_deref().unwrap_or_default();
    let is_lookup = matches!(
        name,
        "KeyError"
            | "AttributeError"
            | "ImportError"
            | "ModuleNotFoundError"
            | "StopIteration"
            | "IndexError"
    );
    // Asking for a key to see whether it is there is a habit, not a failure: what came after it is.
    if cause == Cause::Unknown || is_lookup && !inner.direct && is_specific(end.cause) {
        return Vec::new();
    }
    let score = match (inner.direct, is_specific(cause), is_specific(end.cause)) {
        (true, true, _) => 0.92,
        (false, true, false) => 0.9,
        (true, false, false) => 0.78,
        (false, true, true) => 0.6,
        _ => 0.4,
    };
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(&end.step), Some(end.event)), cause, score)
        .with_chain(case.tail(end));
    hypothesis.support = if is_specific(cause) { Support::Firm } else { Support::Likely };
    hypothesis.doubt = if is_specific(cause) { 1.0 } else { 0.8 };
    let mut item = failure_item(end, format!("the cause {cause}"));
    item.excerpt = format!("{}, raised while handling {}", item.excerpt, inner.error.message);
    hypothesis.points.push(Point::new(
        format!(
            "The code of step `{}` met {} ({}); the error it ended with, {}, was raised while handling that",
            end.step,
            quoted(&inner.error.message),
            cause.meaning(),
            quoted(&end.error.message)
        ),
        vec![item],
    ));
    vec![hypothesis]
}

/// Says more than that code raised something.
fn is_specific(cause: Cause) -> bool {
    !matches!(cause, Cause::CodeException | Cause::Unknown | Cause::DataTypeMismatch | Cause::DataEmpty)
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;

    use crate::testing::{Lab, chained};

    #[test]
    fn what_was_caught_counts_more_than_what_was_raised_after_it() {
        let error = chained(
            "ConnectionRefusedError: [Errno 111] Connection refused",
            "RuntimeError: sync failed",
            true,
        );
        Lab::new("steps: a").run(&[("a", error)]).blames("a", Cause::NetworkRefused);
    }

    #[test]
    fn a_key_that_was_only_asked_for_is_not_the_cause() {
        let error =
            chained("KeyError: 'cached'", "ConnectionRefusedError: [Errno 111] Connection refused", false);
        Lab::new("steps: a").run(&[("a", error)]).blames("a", Cause::NetworkRefused);
    }
}
