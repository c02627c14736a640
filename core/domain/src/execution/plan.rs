//! A Playbook made ready to run: names looked up, order understood, reads known.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use super::graph::Graph;
use super::reads::{Reads, StepReads};
use crate::playbook::{Playbook, Step};

/// A Playbook with everything that is worth computing once.
#[derive(Debug)]
pub struct Plan {
    playbook: Playbook,
    pub(super) steps: Vec<Arc<Step>>,
    index: HashMap<String, usize>,
    pub(super) graph: Graph,
    pub(super) targets: Vec<Vec<usize>>,
    pub(super) reads: Vec<StepReads>,
    pub version: u32,
    pub catalog_id: String,
}

impl Plan {
    pub fn new(playbook: Playbook, version: u32, catalog_id: String) -> Self {
        let index: HashMap<String, usize> =
            playbook.steps.iter().enumerate().map(|(at, step)| (step.name.clone(), at)).collect();
        let (graph, targets) = Graph::new(&playbook, &index);
        let reads = playbook.steps.iter().map(Reads::of_step).collect();
        let steps = playbook.steps.iter().cloned().map(Arc::new).collect();
        Self { playbook, steps, index, graph, targets, reads, version, catalog_id }
    }

    pub(super) fn at(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The pool that a Step names.
    pub fn pool_of(&self, step: &str) -> Option<&str> {
        self.shared_step(step)?.pool.as_deref()
    }

    pub(super) fn shared_step(&self, name: &str) -> Option<&Arc<Step>> {
        self.at(name).map(|at| &self.steps[at])
    }

    /// Whether a template's name means a Step: by its name, by its alias, or as it is spelt without hyphens.
    pub(super) fn means_step(&self, name: &str) -> bool {
        let is_hyphenated = |step: &str| step.contains('-') && step.replace('-', "_") == name;
        self.index.contains_key(name)
            || self.steps.iter().any(|step| step.alias.as_deref() == Some(name) || is_hyphenated(&step.name))
    }

    /// Several forward arcs lead to this Step.
    pub(super) fn is_meeting(&self, name: &str) -> bool {
        self.at(name).is_some_and(|at| self.graph.is_meeting(at))
    }

    /// Whether work at `from` may still send a Token to `to`.
    pub(super) fn reaches(&self, from: &str, to: &str) -> bool {
        match (self.at(from), self.at(to)) {
            (Some(from), Some(to)) => self.graph.reaches(from, to, &self.targets),
            _ => false,
        }
    }
}

impl Deref for Plan {
    type Target = Playbook;

    fn deref(&self) -> &Playbook {
        &self.playbook
    }
}
