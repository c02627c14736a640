//! How well ids group lines, as the literature measures it.

use std::collections::HashMap;
use std::hash::Hash;

/// Grouping accuracy by lines and by groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grouping {
    /// The share of lines whose group is exactly the true one.
    pub(crate) lines: f64,
    /// F1 of the groups that are exactly true ones: a template seen once counts as much as one seen often.
    pub(crate) groups: f64,
}

pub(crate) fn grouping<I: Copy + Eq + Hash>(ids: &[I], labels: &[usize]) -> Grouping {
    assert_eq!(ids.len(), labels.len());
    let mut found: HashMap<I, Vec<usize>> = HashMap::new();
    let mut truth: HashMap<usize, usize> = HashMap::new();
    for (id, label) in ids.iter().zip(labels) {
        found.entry(*id).or_default().push(*label);
        *truth.entry(*label).or_default() += 1;
    }
    let exact =
        |group: &&Vec<usize>| group.iter().all(|label| *label == group[0]) && truth[&group[0]] == group.len();
    let right: Vec<usize> = found.values().filter(exact).map(Vec::len).collect();
    Grouping {
        lines: right.iter().sum::<usize>() as f64 / ids.len() as f64,
        groups: 2.0 * right.len() as f64 / (found.len() + truth.len()) as f64,
    }
}
