//! The graph of steps: those that no way leads to, and circles that no way leads out of.

use std::collections::{HashMap, HashSet};

use super::doubt::Doubt;
use super::{COMPARISONS, MOST};
use crate::code::Code;
use crate::dialect::{self, SourceMap};
use crate::finding::Finding;
use crate::playbook::{Action, Arc, Playbook, RouteMode, Step};

pub(super) fn check(playbook: &Playbook, source: &SourceMap, doubt: &Doubt, findings: &mut Vec<Finding>) {
    let graph = Graph::new(playbook, doubt);
    unreachable(&graph, source, doubt, findings);
    endless(&graph, source, findings);
}

/// Steps by number; those of one name share the number of the first.
struct Graph<'p> {
    playbook: &'p Playbook,
    places: HashMap<&'p str, usize>,
    ways: Vec<Vec<usize>>,
    /// Steps that may lead to where nobody can tell.
    open: Vec<bool>,
}

impl<'p> Graph<'p> {
    fn new(playbook: &'p Playbook, doubt: &Doubt) -> Self {
        let steps = &playbook.steps;
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (place, step) in steps.iter().enumerate() {
            places.entry(&step.name).or_insert(place);
        }
        let (mut ways, mut open) = (vec![Vec::new(); steps.len()], vec![false; steps.len()]);
        for step in steps {
            let place = places[step.name.as_str()];
            for target in targets(step) {
                let meant = places.get(target).copied();
                open[place] |= meant.is_none();
                ways[place].extend(meant);
            }
        }
        for (name, mentions) in &doubt.steps {
            let Some(&place) = places.get(name.as_str()) else { continue };
            open[place] = true;
            ways[place].extend(mentions.iter().filter_map(|mention| places.get(mention.as_str()).copied()));
        }
        Self { playbook, places, ways, open }
    }
}

fn arcs(step: &Step) -> impl Iterator<Item = &Arc> {
    let cases = step.cases.iter().flat_map(|case| &case.then).filter_map(|action| match action {
        Action::Next(arcs) => Some(arcs.as_slice()),
        _ => None,
    });
    step.routes.arcs.iter().chain(&step.routes.otherwise).chain(cases.flatten())
}

fn targets(step: &Step) -> impl Iterator<Item = &str> {
    let calls = step.cases.iter().flat_map(|case| &case.then).filter_map(|action| match action {
        Action::Call { step, .. } => Some(step.as_str()),
        _ => None,
    });
    arcs(step).map(|arc| arc.to.as_str()).chain(calls)
}

fn unreachable(graph: &Graph<'_>, source: &SourceMap, doubt: &Doubt, findings: &mut Vec<Finding>) {
    let Graph { playbook, places, ways, open } = graph;
    if doubt.no_start {
        return;
    }
    let starts = playbook.entry.iter().map(|start| start.step.as_str()).chain(playbook.final_step.as_deref());
    let starts = starts.chain(doubt.elsewhere.iter().map(String::as_str));
    let mut due: Vec<usize> = starts.filter_map(|name| places.get(name).copied()).collect();
    let mut reached: HashSet<usize> = due.iter().copied().collect();
    while let Some(place) = due.pop() {
        due.extend(ways[place].iter().copied().filter(|next| reached.insert(*next)));
    }
    // A misspelt target means the step that it is nearest to.
    let slips: HashSet<&str> = reached
        .iter()
        .filter(|place| open[**place])
        .flat_map(|place| targets(&playbook.steps[*place]))
        .filter(|target| !places.contains_key(target))
        .collect();
    let mut comparisons = COMPARISONS;
    let mut told = 0;
    for (place, step) in playbook.steps.iter().enumerate() {
        let first = places[step.name.as_str()] == place;
        if !first || reached.contains(&place) || told >= MOST {
            continue;
        }
        comparisons = comparisons.saturating_sub(slips.len());
        let meant = slips.iter().any(|slip| dialect::is_slip(slip, &step.name));
        if comparisons > 0 && meant {
            continue;
        }
        told += 1;
        let span = source.span(&format!("steps/{}", step.name));
        let message = format!("no way leads to step `{}`: it can never run", step.name);
        findings.push(
            Finding::warning(Code::UnreachableStep, span, message)
                .hint("add an arc to it, or delete the step"),
        );
    }
}

fn endless(graph: &Graph<'_>, source: &SourceMap, findings: &mut Vec<Finding>) {
    let Graph { playbook, ways, open, .. } = graph;
    for circle in circles(ways) {
        let inside: HashSet<usize> = circle.iter().copied().collect();
        let shut = circle.iter().all(|place| {
            !open[*place]
                && always_goes_on(&playbook.steps[*place])
                && ways[*place].iter().all(|next| inside.contains(next))
        });
        if !shut {
            continue;
        }
        // In the order of the file, and named where it begins.
        let mut names: Vec<&str> = circle.iter().map(|place| playbook.steps[*place].name.as_str()).collect();
        names.sort_by_key(|name| source.span(&format!("steps/{name}")).start);
        let span = source.span(&format!("steps/{}", names[0]));
        let message = if names.len() == 1 {
            format!("step `{}` always leads back to itself: the execution could never end", names[0])
        } else {
            let shown: Vec<&str> = names.iter().copied().take(6).collect();
            let more = if names.len() > shown.len() { ", …" } else { "" };
            format!(
                "the steps {}{more} lead to each other and never out: the execution could never end",
                shown.join(", ")
            )
        };
        findings.push(
            Finding::error(Code::EndlessLoop, span, message)
                .hint("put a `when` on the arc that goes back, and add an arc that leaves the circle"),
        );
    }
}

/// Whatever happens, one of its arcs is taken (unless the step fails, which ends the execution).
fn always_goes_on(step: &Step) -> bool {
    let free = |arc: &Arc| arc.when.as_ref().is_none_or(|when| when.0.trim().eq_ignore_ascii_case("true"));
    let routes = &step.routes;
    // Cases may fail, skip or route away; a guard only skips the work.
    let otherwise = !routes.otherwise.is_empty() && routes.otherwise.iter().any(free);
    let settled = match routes.mode {
        RouteMode::All | RouteMode::First | RouteMode::Chain => routes.arcs.iter().any(free),
    };
    step.cases.is_empty() && (settled || otherwise)
}

/// Strongly connected parts with a way inside (Tarjan's algorithm, without recursion: a file may chain many steps).
fn circles(ways: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let count = ways.len();
    let (mut order, mut low) = (vec![NEW; count], vec![0; count]);
    let (mut stacked, mut stack, mut found) = (vec![false; count], Vec::new(), Vec::new());
    let mut next_order = 0;
    for root in 0..count {
        if order[root] != NEW {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some((place, way)) = work.pop() {
            if way == 0 {
                order[place] = next_order;
                low[place] = next_order;
                next_order += 1;
                stack.push(place);
                stacked[place] = true;
            } else {
                low[place] = low[place].min(low[ways[place][way - 1]]);
            }
            let unseen = (way..ways[place].len()).find(|way| {
                let next = ways[place][*way];
                if order[next] == NEW {
                    return true;
                }
                if stacked[next] {
                    low[place] = low[place].min(order[next]);
                }
                false
            });
            if let Some(way) = unseen {
                work.push((place, way + 1));
                work.push((ways[place][way], 0));
            } else if low[place] == order[place] {
                let mut part = Vec::new();
                while let Some(member) = stack.pop() {
                    stacked[member] = false;
                    part.push(member);
                    if member == place {
                        break;
                    }
                }
                if part.len() > 1 || ways[place].contains(&place) {
                    found.push(part);
                }
            }
        }
    }
    found
}
