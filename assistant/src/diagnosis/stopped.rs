//! Somebody ended the execution: it was cancelled, or finalized as failed.

use noetl_domain::cause::Cause;
use noetl_domain::event::Status;

use super::case::{event, quoted};
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::UnderWay;

const RULE: &str = "stopped";

/// Steps that are named beside the one that was waited for.
const OTHERS: usize = 3;
/// Steps that began within this time began together.
const TOGETHER_MS: i64 = 1_000;

/// Of several steps under way the one that people get tired of: the oldest, and of those that began together one that
/// waits for somebody else.
fn waiting<'a>(case: &Case<'a>) -> Option<&'a UnderWay> {
    let first = case.run.under_way.iter().map(|work| work.since_ms).min()?;
    let waits = |work: &UnderWay| {
        work.parked
            || !matches!(
                case.evidence.tool_of(&work.step),
                None | Some("python" | "shell" | "noop" | "sqlite")
            )
    };
    let together = || case.run.under_way.iter().filter(|work| work.since_ms - first <= TOGETHER_MS);
    together().find(|work| waits(work)).or_else(|| together().min_by_key(|work| work.since_ms))
}

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let run = case.run;
    let Some(ended) = run.ended else { return Vec::new() };
    let is_finalized = case.end.is_some_and(|end| end.error.kind == "finalized");
    if run.status() != Status::Cancelled && !is_finalized {
        return Vec::new();
    }
    let step = waiting(case).map(|work| work.step.as_str());
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(step, Some(ended)), Cause::RunCancelled, 0.97).with_chain([ended]);
    hypothesis.support = Support::Firm;
    let reason = run.state.finished.as_ref().and_then(|finished| finished.reason.clone()).unwrap_or_default();
    let others: Vec<String> = run
        .under_way
        .iter()
        .filter(|work| Some(work.step.as_str()) != step)
        .take(OTHERS)
        .map(|work| format!("`{}`", work.step))
        .collect();
    let beside = if others.is_empty() { String::new() } else { format!(", beside {}", others.join(", ")) };
    let while_at =
        step.map_or_else(String::new, |step| format!(" while step `{step}` was under way{beside}"));
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
