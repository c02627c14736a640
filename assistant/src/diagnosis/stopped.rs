//! Somebody ended the execution: it was cancelled, or finalized as failed.

use noetl_domain::cause::Cause;
use noetl_domain::event::Status;

use super::case::{event, quoted};
use super::{Case, Hypothesis, Point, Support};

const RULE: &str = "stopped";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let run = case.run;
    let Some(ended) = run.ended else { return Vec::new() };
    let is_finalized = case.end.is_some_and(|end| end.error.kind == "finalized");
    if run.status() != Status::Cancelled && !is_finalized {
        return Vec::new();
    }
    let step = run.under_way.first().map(|work| work.step.as_str());
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(step, Some(ended)), Cause::RunCancelled, 0.97).with_chain([ended]);
    hypothesis.support = Support::Firm;
    let reason = run.state.finished.as_ref().and_then(|finished| finished.reason.clone()).unwrap_or_default();
    let while_at = step.map_or_else(String::new, |step| format!(" while step `{step}` was under way"));
    let text = match reason.as_str() {
        "" => format!("Somebody ended the execution{while_at}"),
        reason => format!("Somebody ended the execution{while_at}: {}", quoted(reason)),
    };
    hypothesis.points.push(Point::new(
        text,
        vec![event(ended, format!("ended: {reason}"), "it was stopped from outside")],
    ));
    vec![hypothesis]
}
