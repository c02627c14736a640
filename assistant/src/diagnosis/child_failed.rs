//! The cause lies in a sub-playbook: it is followed there, however deep.

use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use noetl_domain::event::Status;

use super::case::{event as event_of, failure_item, quoted};
use super::trail::trails;
use super::upstream::printed;
use super::{Case, Hypothesis, Point, Root, Support};
use crate::evidence::{Child, Failure, Said, says_nothing};
use crate::rank;

const RULE: &str = "child_failed";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end.filter(|end| end.cause == Cause::PlaybookChildFailed) else { return Vec::new() };
    behind(case, end)
        .map(|mut found| {
            found.chain.extend(case.tail(end));
            let chain = std::mem::take(&mut found.chain);
            found.with_chain(chain)
        })
        .into_iter()
        .collect()
}

/// What lies behind a step's "the sub-playbook failed".
pub(super) fn behind(case: &Case<'_>, failure: &Failure) -> Option<Hypothesis> {
    let told = failure_item(failure, "the sub-playbook failed");
    let text = format!(
        "Step `{}` failed because its sub-playbook did: {}",
        failure.step,
        quoted(&failure.error.message)
    );
    let wanted = failure.error.details.get("execution_id").and_then(Value::as_str).unwrap_or_default();
    let child = case
        .evidence
        .children
        .iter()
        .find(|child| child.evidence.run.id.to_string() == wanted)
        .or_else(|| case.evidence.child_of(&failure.step));
    if let Some(child) = child.filter(|child| child.evidence.run.status().is_final())
        && let Some(mut found) = rank::winner(&child.evidence)
    {
        found.rule = RULE;
        found.score = (found.score * 0.98).max(0.35);
        found.chain.push(failure.event);
        found.points.push(Point::new(text, vec![told]));
        return Some(found);
    }
    // The log of the child is gone; its last words are kept in the parent's.
    let error: TaskError =
        failure.error.details.get("error").and_then(|error| serde_json::from_value(error.clone()).ok())?;
    let cause = if says_nothing(&error) { Cause::Unknown } else { Cause::of(&error, None) };
    let status = failure.error.details.get("status").and_then(Value::as_str);
    let cause = if status == Some("CANCELLED") { Cause::RunCancelled } else { cause };
    let mut found = Hypothesis::new(RULE, case.root(Some(&failure.step), Some(failure.event)), cause, 0.55);
    found.support = if cause == Cause::Unknown { Support::None } else { Support::Likely };
    found.chain = vec![failure.event];
    found.points.push(Point::new(text, vec![told]));
    found.gaps.push(format!("the log of the sub-playbook (execution {wanted}) is not there; which of its steps failed is not known"));
    Some(found)
}

/// What lies behind a result of a sub-playbook that completed.
pub(super) fn behind_result(case: &Case<'_>, step: &str, path: &str, seen: Cause) -> Option<Hypothesis> {
    let child = case.evidence.child_at(step, path).or_else(|| case.evidence.child_of(step))?;
    let evidence = &*child.evidence;
    if evidence.run.status() != Status::Completed {
        return None;
    }
    let inside = Case::new(evidence);
    if let Some(failure) = evidence.run.swallowed().next() {
        let mut found =
            Hypothesis::new(RULE, inside.root(Some(&failure.step), Some(failure.event)), failure.cause, 0.8);
        found.points.push(Point::new(
            format!(
                "In the sub-playbook, step `{}` failed with {} and was passed over",
                failure.step,
                quoted(&failure.error.message)
            ),
            vec![failure_item(failure, format!("the cause {}", failure.cause))],
        ));
        return Some(found);
    }
    let origin = made_by(child)?;
    let trail = trails(evidence, &origin, &Said::default()).into_iter().next();
    let origin = trail.map_or(origin, |trail| trail.origin().to_owned());
    let event = evidence.run.results.get(&origin).copied();
    // It may have come from further down.
    if let Some(deeper) = behind_result(&inside, &origin, "", seen) {
        return Some(deeper);
    }
    let told = printed(&inside, &origin);
    let cause = told.as_ref().map_or(seen, |(cause, _)| *cause);
    let root = Root { step: Some(origin.clone()), event, ..inside.root(None, None) };
    let mut found = Hypothesis::new(RULE, root, cause, 0.7);
    if let (Some((_, line)), Some(place)) = (told, evidence.run.results.get(&origin)) {
        found.points.push(Point::new(
            format!("In the sub-playbook, step `{origin}` printed {} ({})", quoted(&line), cause.meaning()),
            vec![event_of(*place, format!("{origin} printed: {line}"), format!("the cause {cause}"))],
        ));
    }
    Some(found)
}

/// The step whose result the child gave back.
fn made_by(child: &Child) -> Option<String> {
    let finished = child.evidence.run.state.finished.as_ref()?;
    let asked =
        child.evidence.run.state.requested.parent.as_ref().and_then(|parent| parent.return_step.clone());
    asked.or_else(|| finished.result_step.clone())
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;
    use serde_json::json;

    use crate::testing::{Lab, failed_child, ok, sql_error};

    #[test]
    fn the_cause_is_looked_for_in_the_child() {
        let child = Lab::new("x\ny").run(&[("x", ok(1)), ("y", sql_error("40P01", "deadlock detected"))]);
        let (error, child) = failed_child(&child, "a");
        Lab::new("a").run(&[("a", error)]).with_child(child).blames("y", Cause::SqlDeadlock);
    }

    #[test]
    fn a_child_whose_log_is_gone_leaves_its_last_words() {
        let child = Lab::new("x").run(&[("x", sql_error("40P01", "deadlock detected"))]);
        let (error, _) = failed_child(&child, "a");
        let told = Lab::new("a").run(&[("a", error)]);
        told.blames("a", Cause::SqlDeadlock);
        assert!(
            told.diagnosis().evidence_gaps.iter().any(|gap| gap.contains("is not there")),
            "{}",
            json!(told.diagnosis())
        );
    }
}
