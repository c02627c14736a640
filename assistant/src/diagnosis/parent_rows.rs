//! A row refers to another one that is not there, because the step that should have written it had nothing to write.

use noetl_domain::Value;
use noetl_domain::cause::Cause;

use super::case::{event, failure_item, line, quoted};
use super::trail::trails;
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Defect, Said};

const RULE: &str = "parent_rows";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    found(case).into_iter().collect()
}

fn found(case: &Case<'_>) -> Option<Hypothesis> {
    let end = case.end.filter(|end| end.cause == Cause::DataConstraint)?;
    let words = Said::raw(&end.error).to_lowercase();
    if !words.contains("foreign key") {
        return None;
    }
    let table = referred_to(&words)?;
    let before = case.run.exits.iter().filter(|(step, left)| {
        **step != end.step && left.event.seq < end.event.seq && writes(case, step, table)
    });
    let mut writers: Vec<_> = before.map(|(step, left)| (left.event.seq, step)).collect();
    writers.sort_unstable();
    // The nearest to the failure first.
    let (writer, trail) = writers.into_iter().rev().find_map(|(_, writer)| {
        let trail = trails(case.evidence, writer, &Said::default()).into_iter().find(|trail| {
            let flaw = trail.hops.first().and_then(|hop| hop.flaw.as_ref());
            flaw.is_some_and(|flaw| {
                matches!(flaw.defect, Defect::Nothing | Defect::Empty | Defect::Fewer { .. })
            })
        })?;
        Some((writer, trail))
    })?;
    let origin = trail.origin();
    let read = &trail.hops.last()?.read;
    let produced = case.run.results.get(origin).copied();
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(origin), produced), Cause::DataEmpty, 0.9)
        .with_chain(trail.events(case.run).into_iter().chain(case.tail(end)));
    hypothesis.support = Support::Firm;
    hypothesis.subject = Some(read.path.clone());
    hypothesis.symptoms.extend([(case.run.id, writer.clone()), (case.run.id, end.step.clone())]);
    let mut items = Vec::new();
    items.extend(
        produced.map(|produced| event(produced, format!("{} is empty", read.path), "the cause data.empty")),
    );
    items.extend(line(case.evidence, origin, "where the step is written"));
    hypothesis
        .points
        .push(Point::new(format!("Step `{origin}` completed, but `{}` is empty", read.path), items));
    hypothesis.points.push(Point::new(
        format!("So step `{writer}` wrote nothing to `{table}`"),
        line(case.evidence, writer, "where the rows are written").into_iter().collect(),
    ));
    hypothesis.points.push(Point::new(
        format!(
            "Step `{}` refers to a row of `{table}` and failed with {}",
            end.step,
            quoted(&end.error.message)
        ),
        vec![failure_item(end, "the failure, a symptom")],
    ));
    Some(hypothesis)
}

/// The table whose row is missing: `is not present in table "orders"`, ``REFERENCES `orders` ``.
fn referred_to(words: &str) -> Option<&str> {
    let rest = ["not present in table ", "references "].iter().find_map(|mark| words.split_once(mark))?.1;
    let name =
        rest.trim_start_matches(['"', '`', '\'', '[']).split(['"', '`', '\'', ']', ' ', '(']).next()?;
    let name = name.rsplit('.').next().unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// Whether a step puts rows into a table.
fn writes(case: &Case<'_>, step: &str, table: &str) -> bool {
    let Some(step) = case.evidence.playbook().and_then(|playbook| playbook.step(step)) else { return false };
    let puts = |value: &Value| {
        value.as_str().is_some_and(|text| {
            let text = text.to_lowercase();
            text.match_indices(table).any(|(at, _)| {
                let before = text[..at].trim_end_matches(['"', '`', '[', '.']);
                let before =
                    before.trim_end_matches(|one: char| one.is_alphanumeric() || one == '_').trim_end();
                let direct = text[..at].trim_end_matches(['"', '`', '[']).trim_end();
                [before, direct].iter().any(|before| before.ends_with("into") || before.ends_with("copy"))
            })
        })
    };
    step.body.iter().any(|task| task.config.values().any(puts))
}

#[cfg(test)]
mod tests {
    use super::referred_to;

    #[test]
    fn the_table_is_named_in_the_words_of_databases() {
        for (words, table) in [
            (r#"key (customer)=(12) is not present in table "customers"."#, Some("customers")),
            (
                "a foreign key constraint fails (`a`, constraint `x` foreign key (`c`) references `people` (`id`))",
                Some("people"),
            ),
            ("foreign key constraint failed", None),
        ] {
            assert_eq!(referred_to(words), table, "{words}");
        }
    }
}
