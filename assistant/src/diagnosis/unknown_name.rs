//! A template of the failing step reads a name that nothing provides; it rendered to nothing, and that is what failed.

use noetl_domain::cause::Cause;

use super::case::{event, failure_item, line, quoted};
use super::trail::follows_from_data;
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Defect, Origin, is_nothing, reads_of};

const RULE: &str = "unknown_name";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let gate = follows_from_data(case.cause, &case.said);
    if gate < 0.5 || case.cause == Cause::TemplateUndefined {
        return Vec::new();
    }
    let mut found = Vec::new();
    for trail in case.trails() {
        let Some(last) = trail.hops.last() else { continue };
        let Some(Defect::Absent(name)) = last.flaw.as_ref().map(|flaw| &flaw.defect) else { continue };
        // Who gave it another name wrote the name that is not there.
        let (by, path) = match last.read.made_of.first() {
            Some(written) => (&last.maker, written),
            None => (&last.reader, &last.read.path),
        };
        found.push(hypothesis(case, by, path, name, gate * 0.85));
    }
    for read in reads_of(case.evidence, &end.step) {
        let root = read.path.split('.').next().unwrap_or_default();
        let is_gone = read.now.as_ref().is_some_and(is_nothing);
        let warned = case.run.warnings.iter().any(|(_, step, message)| {
            step.as_deref() == Some(end.step.as_str()) && message.contains(&format!("\"{root}\""))
        });
        if read.origin == Origin::Unknown && is_gone && warned {
            found.push(hypothesis(case, &end.step, &read.path, root, gate * 0.95));
        }
        // `workload.itme`: neither the playbook nor the caller has it.
        if let Origin::Input(key) = &read.origin
            && is_gone
            && !case.run.state.workload.contains_key(key)
            && case.evidence.playbook().is_some_and(|playbook| !playbook.workload.contains_key(key))
        {
            found.push(hypothesis(case, &end.step, &read.path, key, gate * 0.95));
        }
    }
    found
}

fn hypothesis(case: &Case<'_>, reader: &str, path: &str, name: &str, score: f64) -> Hypothesis {
    let end = case.end;
    let place = case
        .run
        .failure_of(reader)
        .map(|failure| failure.event)
        .or_else(|| case.run.exits.get(reader).map(|left| left.event));
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(Some(reader), place), Cause::TemplateUndefined, score)
            .with_chain(place.into_iter().chain(end.map(|end| case.tail(end)).unwrap_or_default()));
    hypothesis.support = Support::Firm;
    hypothesis.subject = Some(path.to_owned());
    let told = place.map(|place| {
        event(place, format!("{reader} reads {path}; there is no {name}"), "the name is not there")
    });
    let items = told.into_iter().chain(line(case.evidence, reader, "where the step is written")).collect();
    hypothesis.points.push(Point::new(
        format!("Step `{reader}` reads `{path}`, and nothing provides `{name}`; it rendered to nothing"),
        items,
    ));
    if let Some(end) = end {
        hypothesis.points.push(Point::new(
            format!("Step `{}` then failed with {}", end.step, quoted(&end.error.message)),
            vec![failure_item(end, "the failure, a symptom")],
        ));
    }
    hypothesis
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;
    use serde_json::json;

    use crate::testing::{Lab, ok, python_error};

    #[test]
    fn a_name_that_is_misspelt_is_the_fault_of_who_reads_it() {
        Lab::new("a\nb reads a.itmes")
            .run(&[
                ("a", ok(json!({"items": [1]}))),
                ("b", python_error("TypeError", "'NoneType' object is not iterable")),
            ])
            .blames("b", Cause::TemplateUndefined);
    }
}
