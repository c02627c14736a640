//! The step that failed last only ran because another had failed before it: it reports, cleans up or stands in.

use std::collections::HashSet;

use noetl_domain::playbook::{Arc, Playbook, Step};

use super::answered::Answered;
use super::{Case, Hypothesis};
use crate::evidence::{Failed, routes_into};

const RULE: &str = "error_path";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let (Some(end), Some(playbook)) = (case.end, case.evidence.playbook()) else { return Vec::new() };
    let handled = case.run.failures.iter().find(|failure| {
        failure.what == Failed::Exit { handled: true }
            && failure.event.seq < end.event.seq
            && failure.step != end.step
            && only_after(case, playbook, &failure.step, &end.step)
    });
    let Some(failure) = handled else { return Vec::new() };
    let answered = Answered {
        rule: RULE,
        failure,
        end,
        score: 0.92,
        behind: 0.95,
        before: Vec::new(),
        how: String::new(),
        then: "ran only because of that, and failed in its turn with",
        symptom: "the last error, a symptom",
    };
    vec![answered.hypothesis(case)]
}

/// Whether `step` was reached by an arc that `failed` took when it failed, and has no other way in.
fn only_after(case: &Case<'_>, playbook: &Playbook, failed: &str, step: &str) -> bool {
    let Some(left) = case.run.exits.get(failed) else { return false };
    if !left.handled || !reachable(playbook, &left.routes, None).contains(step) {
        return false;
    }
    // Ways that exist without the failure: every start, with the arcs that were taken left out.
    let entry: Vec<String> = playbook.entry.iter().map(|start| start.step.clone()).collect();
    let taken: Vec<(&str, &str)> = left.routes.iter().map(|to| (failed, to.as_str())).collect();
    if taken.iter().any(|(_, to)| entry.iter().any(|start| start == to)) {
        return false;
    }
    // An arc that success takes as well leads to no error path.
    let is_open = taken.iter().any(|(from, to)| {
        let arcs = routes_into(playbook, to);
        arcs.iter()
            .filter(|(source, _)| source.name == *from)
            .any(|(source, arc)| !is_for_errors(source, arc))
    });
    !is_open && !reachable(playbook, &entry, Some(&taken)).contains(step)
}

/// Whether only a failure takes this arc.
fn is_for_errors(source: &Step, arc: &Arc) -> bool {
    let Some(when) = &arc.when else {
        // `else` after a way that success takes.
        return source.routes.otherwise.iter().any(|other| std::ptr::eq(other, arc));
    };
    let text = when.0.to_lowercase().replace('"', "'");
    let asks = ["error", "fail", "exception"].iter().any(|word| text.contains(word));
    let asks_for_success = [
        "!= 'error'",
        "!= 'failed'",
        "not error",
        "not output.error",
        "not outcome.error",
        "error is none",
        "error is undefined",
        "error is not defined",
        "error == none",
    ];
    asks && !asks_for_success.iter().any(|phrase| text.contains(phrase))
}

fn reachable(playbook: &Playbook, from: &[String], without: Option<&[(&str, &str)]>) -> HashSet<String> {
    let mut seen: HashSet<String> = from.iter().cloned().collect();
    let mut todo: Vec<String> = from.to_vec();
    while let Some(name) = todo.pop() {
        for step in &playbook.steps {
            let leads = routes_into(playbook, &step.name).iter().any(|(source, _)| source.name == name);
            let is_cut = without.is_some_and(|cut| cut.contains(&(name.as_str(), step.name.as_str())));
            if leads && !is_cut && seen.insert(step.name.clone()) {
                todo.push(step.name.clone());
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;

    use crate::testing::{Lab, http_error, ok, sql_error};

    #[test]
    fn the_step_that_reports_a_failure_is_not_the_failure() {
        Lab::new("a on error tell\nb\ntell")
            .run(&[
                ("a", sql_error("40P01", "deadlock detected")),
                ("b", ok(1)),
                ("tell", http_error(404, "no such channel")),
            ])
            .blames("a", Cause::SqlDeadlock);
    }
}
