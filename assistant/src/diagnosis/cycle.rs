//! A cycle of steps never ended: the step that sends the run back is the root.

use noetl_domain::cause::Cause;

use super::case::{event, failure_item, line};
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::Failed;

const RULE: &str = "cycle";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end.filter(|end| end.cause == Cause::PlaybookCycleLimit && end.what == Failed::End)
    else {
        return Vec::new();
    };
    let Some(playbook) = case.evidence.playbook() else { return Vec::new() };
    let runs = |step: &str| case.run.state.steps.get(step).map_or(0, |state| state.run);
    let most = playbook.steps.iter().map(|step| runs(&step.name)).max().unwrap_or(0);
    let place = |name: &str| playbook.steps.iter().position(|step| step.name == name);
    let turns = |name: &str| runs(name) * 2 >= most;
    // Of the steps that go round, the one that leads back to an earlier one.
    let back = playbook.steps.iter().enumerate().rev().find(|(at, step)| {
        let leads_back = |to: &str| place(to).is_some_and(|to| to <= *at) && turns(to);
        let taken = case.run.exits.get(&step.name).map(|left| left.routes.clone()).unwrap_or_default();
        turns(&step.name) && taken.iter().any(|to| leads_back(to))
    });
    let Some((_, step)) = back else { return Vec::new() };
    let left = case.run.exits.get(&step.name).map(|left| left.event);
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(Some(&step.name), left), Cause::PlaybookCycleLimit, 0.95)
            .with_chain(left.into_iter().chain([end.event]));
    hypothesis.support = Support::Firm;
    let count = runs(&step.name);
    let mut items: Vec<_> = left
        .map(|left| event(left, format!("{} went back; it ran {count} times", step.name), "the cycle"))
        .into_iter()
        .collect();
    items.extend(line(case.evidence, &step.name, "where the way back is written"));
    hypothesis.points.push(Point::new(
        format!("Step `{}` leads back to an earlier one; it ran {count} times, and its condition never ended the cycle", step.name),
        items,
    ));
    hypothesis.points.push(Point::new(
        "The limit on steps then ended the execution",
        vec![failure_item(end, "the failure")],
    ));
    vec![hypothesis]
}
