//! Which arcs are taken when a Step ends.

use super::exit::asks_about_failure;
use crate::event::StepStatus;
use crate::playbook::{Arc, Expr, RouteMode, Routes};
use crate::template::{self, Scope, TemplateError};

/// How the Step ended, as far as routing cares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) status: StepStatus,
    pub(super) looped: bool,
}

#[derive(Debug, Default)]
pub(super) struct Chosen<'a> {
    pub(super) arcs: Vec<&'a Arc>,
    pub(super) not_taken: Vec<String>,
}

/// Names that a condition may give to the same moment (playbooks.md section 23, row 12); the first is the default.
const DONE: &[&str] = &["step.done", "call.done", "step.exit", "step.completed", "command.completed"];
const LOOP_DONE: &[&str] = &["loop.done", "step.done", "call.done", "step.exit", "step.completed"];
const FAILED: &[&str] =
    &["step.failed", "call.error", "command.failed", "step.error", "call.failed", "loop.failed"];

pub(super) fn choose<'a>(
    routes: &'a Routes,
    step: &str,
    ending: Ending,
    scope: &Scope,
) -> Result<Chosen<'a>, TemplateError> {
    let failed = ending.status == StepStatus::Failed;
    if failed && !routes.arcs.iter().any(|arc| answers(arc, step)) {
        return Ok(Chosen::default());
    }
    let mut chosen = Chosen::default();
    let mut at = 0;
    while at < routes.arcs.len() {
        let arc = &routes.arcs[at];
        // Arcs of one `when` entry with several targets stand next to each other and are judged together.
        let group = match routes.mode {
            RouteMode::Chain => routes.arcs[at..].iter().take_while(|other| other.when == arc.when).count(),
            RouteMode::All | RouteMode::First => 1,
        };
        let members = &routes.arcs[at..at + group];
        at += group;
        let open = match &arc.when {
            // Without a condition nothing says that the author meant a failure to go this way.
            None => !failed,
            Some(when) if failed && !asks_about_failure(when, step) => false,
            Some(when) => test(when, &event_names(when, ending), step, scope)?,
        };
        if !open {
            chosen.not_taken.extend(members.iter().map(|arc| arc.to.clone()));
            continue;
        }
        chosen.arcs.extend(members);
        if routes.mode != RouteMode::All {
            chosen.not_taken.extend(routes.arcs[at..].iter().map(|arc| arc.to.clone()));
            break;
        }
    }
    if chosen.arcs.is_empty() {
        chosen.arcs.extend(&routes.otherwise);
    }
    Ok(chosen)
}

fn answers(arc: &Arc, step: &str) -> bool {
    arc.when.as_ref().is_some_and(|when| asks_about_failure(when, step))
}

/// Every name that this ending goes by in the condition.
fn event_names(when: &Expr, ending: Ending) -> Vec<&'static str> {
    let names = match (ending.status, ending.looped) {
        (StepStatus::Failed, _) => FAILED,
        (_, true) => LOOP_DONE,
        (_, false) => DONE,
    };
    let mut names = names.to_vec();
    // Earlier builds of C told a failed call as `call.done` with `error` set.
    if ending.status == StepStatus::Failed && when.0.contains("error") && !when.0.contains("call.error") {
        names.push("call.done");
    }
    names
}

/// Tests a condition at a moment that goes by these names.
pub(super) fn test(when: &Expr, events: &[&str], step: &str, scope: &Scope) -> Result<bool, TemplateError> {
    if !when.0.contains("event") {
        return template::test(when, scope);
    }
    let mut scope = scope.child();
    scope.bind("event", template::event_view(events, step, template::View::null(), 0));
    template::test(when, &scope)
}
