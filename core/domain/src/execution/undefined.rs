//! Names that templates read and nothing provides: told once per Step and name, as warnings.
//!
//! Conditions are left out, as they ask whether something is there; so are the names of Steps, which may not have run.

use super::plan::Plan;
use super::state::Execution;
use crate::code::Code;
use crate::event::Event;
use crate::lint;

/// Warnings that one Execution tells at most.
pub(super) const MOST: usize = 100;

pub(super) fn warnings(
    plan: &Plan,
    execution: &Execution,
    step: &str,
    names: impl IntoIterator<Item = String>,
) -> Vec<Event> {
    let mut messages: Vec<String> = Vec::new();
    for name in names {
        if lint::is_always_there(&name) || plan.means_step(&name) {
            continue;
        }
        let message = format!("a template reads {name:?}, which nothing provides; it renders to nothing");
        let known = |(of, text): &(Option<String>, String)| of.as_deref() == Some(step) && *text == message;
        let is_room = execution.warnings.len() + messages.len() < MOST;
        if is_room && !messages.contains(&message) && !execution.warnings.iter().any(known) {
            messages.push(message);
        }
    }
    let warned = |message| Event::Warned { step: Some(step.to_owned()), code: Code::UnknownName, message };
    messages.into_iter().map(warned).collect()
}
