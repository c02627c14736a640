//! After a loop, `loop_results` is among the inputs of the steps it routes to (playbooks.md 5.4).

use std::collections::HashMap;

use super::step::Read;
use crate::Value;
use crate::playbook::{Action, Step};

const NAME: &str = "loop_results";

/// Gives the name to targets that use it; a value of their own stays.
pub(super) fn provide(reads: &mut [Read]) {
    let mut handed: Vec<(String, String)> = Vec::new();
    for read in reads.iter().filter(|read| read.step.looped.is_some()) {
        handed.extend(targets(&read.step).map(|target| (target.to_owned(), read.step.name.clone())));
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, read) in reads.iter().enumerate() {
        places.entry(read.step.name.clone()).or_insert(place);
    }
    for (target, looped) in handed {
        let Some(read) = places.get(&target).map(|place| &mut reads[*place]) else { continue };
        let itself = format!("{{{{ {NAME} }}}}");
        let own = read.step.inputs.get(NAME).is_some_and(|value| *value != itself);
        if !own && is_used(&read.step) {
            read.step.inputs.insert(NAME.to_owned(), Value::String(format!("{{{{ {looped}.results }}}}")));
        }
    }
}

fn targets(step: &Step) -> impl Iterator<Item = &str> {
    let nexts = step.cases.iter().flat_map(|case| &case.then).filter_map(|action| match action {
        Action::Next(arcs) => Some(arcs),
        _ => None,
    });
    let arcs = step.routes.arcs.iter().chain(&step.routes.otherwise).chain(nexts.flatten());
    arcs.map(|arc| arc.to.as_str())
}

/// Whether templates or code say the name, as a word of its own.
fn is_used(step: &Step) -> bool {
    let text = serde_json::to_string(&(&step.inputs, &step.body)).unwrap_or_default();
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(NAME).any(|(at, name)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}
