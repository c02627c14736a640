//! An earlier task of the same pipeline made nothing, or something else than the task needs that failed.

use noetl_domain::cause::Cause;
use noetl_domain::{Value, template};

use super::case::{event, failure_item, line, quoted};
use super::trail::follows_from_data;
use super::{Case, Hypothesis, Point, Support, told_error, upstream};
use crate::evidence::{Defect, Failed, Flaw, compare, in_band};

const RULE: &str = "task_before";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    found(case).into_iter().collect()
}

fn found(case: &Case<'_>) -> Option<Hypothesis> {
    let end = case.end?;
    let step = case.evidence.playbook()?.step(&end.step).filter(|step| step.body.len() > 1)?;
    let partial = case.run.partial.get(&end.step)?.as_object()?;
    let failing = case.run.failures.iter().rev().find_map(|failure| match &failure.what {
        Failed::Call { task, .. } if failure.step == end.step && failure.error == end.error => Some(task),
        _ => None,
    })?;
    let at = step.body.iter().position(|task| task.name == *failing)?;
    let (before, task) = (&step.body[..at], &step.body[at]);
    let gate = follows_from_data(case.cause, &case.said);
    let mut paths: Vec<String> =
        task.config.values().chain(task.inputs.values()).flat_map(template::reads_paths).collect();
    paths.dedup();
    for path in paths {
        let (root, rest) = path.split_once('.').unwrap_or((&path, ""));
        let root = if root == "_prev" { before.last()?.name.as_str() } else { root };
        if !before.iter().any(|task| task.name == root) {
            continue;
        }
        let Some(whole) = partial.get(root) else { continue };
        let (cause, score, text) = if let Some(told) = in_band(whole) {
            let tool = before.iter().find(|task| task.name == root).map(|task| task.kind.as_str());
            (
                told_error::cause_of(&told, tool).0,
                gate * 0.9,
                format!("tells an error: {}", quoted(&told.message)),
            )
        } else {
            let keys = rest.split('.').filter(|key| !key.is_empty() && *key != "data");
            let value = keys.fold(whole, |value, key| value.get(key).unwrap_or(&Value::Null));
            let Some(flaw) = compare(value, None, &case.said).into_iter().next() else { continue };
            let cause = if matches!(flaw.defect, Defect::Unnamed(_)) {
                Cause::DataEmpty
            } else {
                upstream::cause_of(&flaw)
            };
            (cause, gate * upstream::strength(case, &flaw), text_of(&flaw, &path))
        };
        let mut hypothesis = Hypothesis::new(RULE, case.root(Some(&end.step), Some(end.event)), cause, score)
            .with_chain(case.tail(end));
        hypothesis.support = Support::Likely;
        let mut items = vec![event(end.event, format!("{root} made {path}"), format!("the cause {cause}"))];
        items.extend(line(case.evidence, &end.step, "where the step is written"));
        hypothesis
            .points
            .push(Point::new(format!("Task `{root}` of step `{}` completed, but {text}", end.step), items));
        hypothesis.points.push(Point::new(
            format!(
                "Task `{failing}` of the same step needs it and failed with {}",
                quoted(&end.error.message)
            ),
            vec![failure_item(end, "the failure, a symptom")],
        ));
        return Some(hypothesis);
    }
    None
}

fn text_of(flaw: &Flaw, path: &str) -> String {
    upstream::told(flaw, path)
}
