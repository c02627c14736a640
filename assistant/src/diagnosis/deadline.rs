//! The deadline of the whole execution passed: the step that used up the time is the root. So it is in a sub-playbook
//! when the deadline of the step that waited for it passed.

use noetl_domain::cause::Cause;
use noetl_domain::code::Code;

use super::case::{event, failure_item, item, line};
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Failure, routes_into};

const RULE: &str = "deadline";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let code: Option<Code> = end.error.code.as_deref().and_then(|code| code.parse().ok());
    let found = match code {
        Some(Code::ExecutionTimeout) => slowest(case, end.event.at_ms),
        // The step itself only waited.
        Some(Code::StepTimeout) if case.evidence.child_of(&end.step).is_some() => {
            let took = case.run.durations.get(&end.step).copied().unwrap_or_default();
            Some((end.step.clone(), took, None))
        }
        _ => None,
    };
    let (Some(code), Some((step, took, usual))) = (code, found) else { return Vec::new() };
    if let Some(asks) = asked_again(case, &step) {
        return vec![never_answered(case, end, &step, &asks, code)];
    }
    let entered = case.run.entered.get(&step).copied();
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(&step), entered), Cause::TimeoutStep, 0.93)
        .with_chain(entered.into_iter().chain([end.event]));
    hypothesis.support = Support::Firm;
    let mut items: Vec<_> = entered
        .map(|entered| event(entered, format!("{step} took {took} ms"), "where the time went"))
        .into_iter()
        .collect();
    items.extend(line(case.evidence, &step, "where the step is written"));
    hypothesis.points.push(Point::new(format!("Step `{step}` took {took} ms"), items));
    if let (Some(usual), Some(baseline)) = (usual, &case.evidence.baseline)
        && let Some(left) = baseline.run.exits.get(&step)
    {
        hypothesis.points.push(Point::new(
            format!("In the last good run it took {usual} ms"),
            vec![event(left.event, format!("{step} took {usual} ms"), "how long it takes otherwise")],
        ));
    }
    hypothesis.points.push(passed(end, code));
    // A pipeline that waits for a child used up the child's time.
    if let Some(child) = case.evidence.child_of(&step) {
        let inside = Case::new(&child.evidence);
        if let Some((deeper, _, _)) = slowest(&inside, end.event.at_ms) {
            let event = inside.run.entered.get(&deeper).copied();
            hypothesis.root = inside.root(Some(&deeper), event);
        }
    }
    vec![hypothesis]
}

fn passed(end: &Failure, code: Code) -> Point {
    let document = item("document", code.as_str(), code.title(), "what the code means");
    Point::new("Then the deadline passed", vec![failure_item(end, "the failure"), document])
}

/// A step was asked again and again, and what was waited for did not come.
fn never_answered(case: &Case<'_>, end: &Failure, waits: &str, asks: &str, code: Code) -> Hypothesis {
    let made = case.run.results.get(asks).or(case.run.entered.get(asks)).copied();
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(asks), made), Cause::TimeoutStep, 0.93)
        .with_chain(made.into_iter().chain([end.event]));
    hypothesis.support = Support::Firm;
    let mut items: Vec<_> = made
        .map(|made| event(made, format!("{asks} was asked"), "what was waited for"))
        .into_iter()
        .collect();
    items.extend(line(case.evidence, asks, "where the step is written"));
    hypothesis.points.push(Point::new(
        format!("Step `{asks}` was asked again and again, and `{waits}` waited in between"),
        items,
    ));
    hypothesis.points.push(passed(end, code));
    hypothesis
}

/// Of a step that only waits between two questions, the step that asks: it did not answer what was waited for.
fn asked_again(case: &Case<'_>, waits: &str) -> Option<String> {
    let playbook = case.evidence.playbook()?;
    if case.evidence.tool_of(waits) != Some("sleep") {
        return None;
    }
    let leads_to = |from: &str, to: &str| routes_into(playbook, to).iter().any(|(step, _)| step.name == from);
    let mut before = routes_into(playbook, waits).into_iter().map(|(step, _)| step.name.clone());
    before.find(|asks| leads_to(waits, asks) && case.evidence.tool_of(asks) != Some("sleep"))
}

/// The step that used up most of the time beyond what it usually needs.
fn slowest(case: &Case<'_>, until_ms: i64) -> Option<(String, i64, Option<i64>)> {
    let run = case.run;
    let mut took: Vec<(String, i64)> = run.durations.iter().map(|(step, ms)| (step.clone(), *ms)).collect();
    for work in &run.under_way {
        let since = run.entered.get(&work.step).map_or(work.since_ms, |entered| entered.at_ms);
        took.retain(|(step, _)| *step != work.step);
        took.push((work.step.clone(), until_ms - since));
    }
    let usual = |step: &str| case.evidence.baseline.as_ref()?.run.durations.get(step).copied();
    let beyond = |step: &str, ms: i64| ms - usual(step).unwrap_or(0);
    let (step, ms) = took.into_iter().max_by_key(|(step, ms)| beyond(step, *ms))?;
    let usual = usual(&step);
    Some((step, ms, usual))
}
