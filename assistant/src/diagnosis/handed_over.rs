//! A step starts a sub-playbook without something that it needs: under another name, or not at all.

use noetl_domain::cause::Cause;

use super::case::{event, failure_item, line, quoted};
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Evidence, Origin, is_nothing, reads_of};

const RULE: &str = "handed_over";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    found(case).into_iter().collect()
}

fn found(case: &Case<'_>) -> Option<Hypothesis> {
    let end = case.end.filter(|end| end.cause == Cause::PlaybookChildFailed)?;
    let child = &case.evidence.child_of(&end.step)?.evidence;
    let inside = Case::new(child);
    let failed = inside.end?;
    let given = &child.run.state.requested.payload;
    let missing = reads_of(child, &failed.step).into_iter().find_map(|read| match &read.origin {
        Origin::Input(key) if !given.contains_key(key) && read.now.as_ref().is_some_and(is_nothing) => {
            Some(key.clone())
        }
        _ => None,
    })?;
    let (because, score) = reason(child, &missing)?;
    let cause = match inside.cause {
        Cause::TemplateUndefined => Cause::TemplateUndefined,
        _ => Cause::DataEmpty,
    };
    let started =
        case.run.children.iter().rfind(|known| known.execution == child.run.id).map(|known| known.event);
    let place = started.or(case.run.entered.get(&end.step).copied());
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(&end.step), place), cause, score)
        .with_chain(place.into_iter().chain([failed.event]).chain(case.tail(end)));
    hypothesis.support = Support::Firm;
    hypothesis.subject = Some(missing.clone());
    hypothesis.symptoms.push((child.run.id, failed.step.clone()));
    let mut items: Vec<_> = place
        .map(|place| {
            event(
                place,
                format!("{} started {} without {missing}", end.step, child.run.playbook()),
                "what was handed over",
            )
        })
        .into_iter()
        .collect();
    items.extend(line(case.evidence, &end.step, "where it is started"));
    hypothesis.points.push(Point::new(
        format!("Step `{}` starts the sub-playbook without `{missing}`{because}", end.step),
        items,
    ));
    hypothesis.points.push(Point::new(
        format!(
            "Step `{}` of the sub-playbook needs it and failed with {}",
            failed.step,
            quoted(&failed.error.message)
        ),
        vec![failure_item(failed, "the failure, a symptom")],
    ));
    Some(hypothesis)
}

/// What speaks for it that the name was to be handed over.
fn reason(child: &Evidence, missing: &str) -> Option<(String, f64)> {
    let given = &child.run.state.requested.payload;
    let before = child.baseline.as_ref().map(|baseline| &baseline.run.state.requested.payload);
    if before.is_some_and(|before| before.contains_key(missing)) {
        return Some((", which it had in the last good run".to_owned(), 0.95));
    }
    // Something is handed over that the sub-playbook does not know.
    let declared = &child.playbook()?.workload;
    let unknown = given.keys().find(|key| !declared.contains_key(*key))?;
    Some((format!(", and with `{unknown}`, which it does not know"), 0.85))
}
