//! What the arcs of a Playbook say about order: who can reach whom, and where branches meet.

use std::collections::HashMap;

use crate::playbook::{Action, Join, Playbook};

/// Reachability between Steps, computed once per Playbook.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    /// `reach[from]` holds a bit for every Step that a Token at `from` may still come to.
    reach: Vec<Bits>,
    /// Steps where several forward arcs meet.
    meets: Vec<bool>,
}

#[derive(Debug, Clone, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn get(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }
}

/// Above this many Steps, reachability is searched when it is asked for instead of kept.
const KEEP_UP_TO: usize = 4096;

impl Graph {
    pub(super) fn new(playbook: &Playbook, index: &HashMap<String, usize>) -> (Self, Vec<Vec<usize>>) {
        let targets = targets(playbook, index);
        let starts: Vec<usize> = playbook.entry.iter().filter_map(|s| index.get(&s.step).copied()).collect();
        let mut upstreams = vec![0u32; targets.len()];
        for (_, to) in forward_arcs(&targets, &starts) {
            upstreams[to] += 1;
        }
        let meets = playbook
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| step.join == Join::Barrier && upstreams[at] > 1)
            .collect();
        let reach = if targets.len() <= KEEP_UP_TO && upstreams.iter().any(|&count| count > 1) {
            (0..targets.len()).map(|from| reach_from(from, &targets)).collect()
        } else {
            Vec::new()
        };
        (Self { reach, meets }, targets)
    }

    /// Several forward arcs lead to this Step, so a Token there waits for the others.
    pub(super) fn is_meeting(&self, step: usize) -> bool {
        self.meets[step]
    }

    /// Whether work at `from` may still send a Token to `to`.
    pub(super) fn reaches(&self, from: usize, to: usize, targets: &[Vec<usize>]) -> bool {
        match self.reach.get(from) {
            Some(bits) => bits.get(to),
            None => reach_from(from, targets).get(to),
        }
    }
}

/// Every Step that an arc, an `else` or a case of `from` names.
fn targets(playbook: &Playbook, index: &HashMap<String, usize>) -> Vec<Vec<usize>> {
    playbook
        .steps
        .iter()
        .map(|step| {
            let mut to: Vec<usize> = Vec::new();
            let mut add = |name: &str| {
                if let Some(&at) = index.get(name)
                    && !to.contains(&at)
                {
                    to.push(at);
                }
            };
            for arc in step.routes.arcs.iter().chain(&step.routes.otherwise) {
                add(&arc.to);
            }
            for action in step.cases.iter().flat_map(|case| &case.then) {
                match action {
                    Action::Next(arcs) => arcs.iter().for_each(|arc| add(&arc.to)),
                    Action::Call { step, .. } => add(step),
                    _ => {}
                }
            }
            to
        })
        .collect()
}

/// Steps reachable by at least one arc.
fn reach_from(from: usize, targets: &[Vec<usize>]) -> Bits {
    let mut seen = Bits::new(targets.len());
    let mut stack = targets[from].clone();
    while let Some(at) = stack.pop() {
        if !seen.get(at) {
            seen.set(at);
            stack.extend(&targets[at]);
        }
    }
    seen
}

/// Arcs that do not close a cycle, found by a depth-first walk from the starts in the order the author wrote.
///
/// An arc to a Step that the walk is still inside of goes back.
fn forward_arcs(targets: &[Vec<usize>], starts: &[usize]) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Closed,
    }
    let mut marks = vec![Mark::New; targets.len()];
    let mut forward = Vec::new();
    let roots = starts.iter().copied().chain(0..targets.len());
    for root in roots {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        let mut path = vec![(root, 0usize)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let Some(&to) = targets[at].get(*next) else {
                marks[at] = Mark::Closed;
                path.pop();
                continue;
            };
            *next += 1;
            match marks[to] {
                Mark::Open => {}
                Mark::Closed => forward.push((at, to)),
                Mark::New => {
                    forward.push((at, to));
                    marks[to] = Mark::Open;
                    path.push((to, 0));
                }
            }
        }
    }
    forward
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::{Arc, Routes, Start, Step};

    fn playbook(arcs: &[(&str, &[&str])]) -> Playbook {
        Playbook {
            entry: vec![Start { step: arcs[0].0.into(), ..Start::default() }],
            steps: arcs
                .iter()
                .map(|(name, to)| Step {
                    name: (*name).into(),
                    routes: Routes {
                        arcs: to.iter().map(|to| Arc { to: (*to).into(), ..Arc::default() }).collect(),
                        ..Routes::default()
                    },
                    ..Step::default()
                })
                .collect(),
            ..Playbook::default()
        }
    }

    fn meetings(arcs: &[(&str, &[&str])]) -> Vec<String> {
        let playbook = playbook(arcs);
        let index = playbook.steps.iter().enumerate().map(|(at, s)| (s.name.clone(), at)).collect();
        let (graph, _) = Graph::new(&playbook, &index);
        playbook
            .steps
            .iter()
            .enumerate()
            .filter(|(at, _)| graph.is_meeting(*at))
            .map(|(_, s)| s.name.clone())
            .collect()
    }

    #[test]
    fn two_branches_meet_where_both_lead() {
        assert_eq!(
            meetings(&[("start", &["a", "b"]), ("a", &["end"]), ("b", &["end"]), ("end", &[])]),
            ["end"]
        );
    }

    #[test]
    fn a_back_arc_makes_no_meeting() {
        assert!(meetings(&[("start", &["page"]), ("page", &["page", "done"]), ("done", &[])]).is_empty());
        assert!(
            meetings(&[("s", &["check"]), ("check", &["work", "end"]), ("work", &["check"]), ("end", &[])])
                .is_empty()
        );
    }

    #[test]
    fn branches_inside_a_cycle_still_meet() {
        let arcs: &[(&str, &[&str])] =
            &[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &["a", "end"]), ("end", &[])];
        assert_eq!(meetings(arcs), ["d"]);
    }
}
