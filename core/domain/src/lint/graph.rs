//! The graph of steps: those that no way leads to, and circles that no way leads out of.

use std::collections::{HashMap, HashSet};

use crate::code::Code;
use crate::dialect::SourceMap;
use crate::finding::Finding;
use crate::playbook::{Action, Arc, Playbook, RouteMode, Step};

pub(super) fn check(playbook: &Playbook, source: &SourceMap, findings: &mut Vec<Finding>) {
    let places: HashMap<&str, usize> =
        playbook.steps.iter().enumerate().map(|(place, step)| (step.name.as_str(), place)).collect();
    let ways: Vec<Vec<usize>> = playbook
        .steps
        .iter()
        .map(|step| targets(step).filter_map(|name| places.get(name).copied()).collect())
        .collect();
    unreachable(playbook, source, &places, &ways, findings);
    endless(playbook, source, &ways, findings);
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

fn unreachable(
    playbook: &Playbook,
    source: &SourceMap,
    places: &HashMap<&str, usize>,
    ways: &[Vec<usize>],
    findings: &mut Vec<Finding>,
) {
    let starts = playbook.entry.iter().map(|start| start.step.as_str()).chain(playbook.final_step.as_deref());
    let mut open: Vec<usize> = starts.filter_map(|name| places.get(name).copied()).collect();
    let mut reached: HashSet<usize> = open.iter().copied().collect();
    while let Some(place) = open.pop() {
        open.extend(ways[place].iter().copied().filter(|next| reached.insert(*next)));
    }
    for (place, step) in playbook.steps.iter().enumerate() {
        if !reached.contains(&place) {
            let span = source.span(&format!("steps/{}", step.name));
            let message = format!("no way leads to step `{}`: it can never run", step.name);
            findings.push(
                Finding::warning(Code::UnreachableStep, span, message)
                    .hint("add an arc to it, or delete the step"),
            );
        }
    }
}

fn endless(playbook: &Playbook, source: &SourceMap, ways: &[Vec<usize>], findings: &mut Vec<Finding>) {
    for circle in circles(ways) {
        let inside: HashSet<usize> = circle.iter().copied().collect();
        let shut = circle.iter().all(|place| {
            always_goes_on(&playbook.steps[*place]) && ways[*place].iter().all(|next| inside.contains(next))
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
