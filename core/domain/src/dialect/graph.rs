//! What only the whole workflow can tell: names, the entry, the implicit `end`, targets that do not exist.

use std::collections::{HashMap, HashSet};

use super::nested;
use super::reader::{Reader, shortened};
use super::step::{self, Read};
use crate::code::Code;
use crate::finding::{Finding, Span};
use crate::playbook::{Action, Arc, Playbook, Step};

/// Settles the graph of a playbook whose steps were read one by one.
pub(super) fn settle(reader: &mut Reader<'_>, playbook: &mut Playbook, mut reads: Vec<Read>) {
    duplicates(reader, reads.iter().map(|read| (read.step.name.as_str(), read.span)));
    tools(reader, &reads);
    implicit_end(&mut reads);
    for read in reads {
        let dialect = read.fixed.unwrap_or_else(|| read.met.dialect(playbook.dialect));
        playbook.steps.push(Step { dialect, ..read.step });
    }
    playbook.steps.iter_mut().for_each(nested::settle_dialect);
    allow_end(playbook);
    targets(reader, playbook);
    ends(reader, playbook);
}

/// As [`settle`], for steps that nothing is left to learn about.
pub(super) fn settle_plain(reader: &mut Reader<'_>, playbook: &mut Playbook, steps: Vec<(Step, Span)>) {
    duplicates(reader, steps.iter().map(|(step, span)| (step.name.as_str(), *span)));
    playbook.steps = steps.into_iter().map(|(step, _)| step).collect();
    targets(reader, playbook);
    ends(reader, playbook);
}

fn duplicates<'n>(reader: &mut Reader<'_>, steps: impl Iterator<Item = (&'n str, Span)>) {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for (name, span) in steps {
        if let Some(first) = seen.get(name) {
            let message = format!("two steps are called `{name}`; the first is in line {first}");
            reader.error_hint(Code::DuplicateStep, span, message, "rename one of them");
        } else {
            seen.insert(name, span.line);
        }
    }
}

fn tools(reader: &mut Reader<'_>, reads: &[Read]) {
    let toolless = reader.findings.iter().filter(|finding| finding.code == Code::MissingTool);
    let told: HashSet<usize> = toolless.map(|finding| finding.span.start).collect();
    for read in reads {
        if !step::is_pointless(read) {
            continue;
        }
        let name = &read.step.name;
        if !told.contains(&read.span.start) {
            let finding = Finding::error(Code::MissingTool, read.span, format!("step `{name}` has no tool"))
                .hint("add for example `tool: { kind: python }`, or `tool: { kind: router }` when it only routes");
            reader.findings.push(finding);
        }
    }
}

/// Steps that say nothing about where to go lead to an `end` that nothing else reaches.
fn implicit_end(reads: &mut [Read]) {
    if !reads.iter().any(|read| read.step.name == "end") {
        return;
    }
    let reached = reads.iter().any(|read| arcs(&read.step).any(|arc| arc.to == "end"));
    let called: HashSet<String> =
        reads.iter().flat_map(|read| calls(&read.step)).map(str::to_owned).collect();
    if reached {
        return;
    }
    for read in reads.iter_mut() {
        if !read.routed && read.step.name != "end" && !called.contains(&read.step.name) {
            read.step.routes.arcs.push(Arc { to: "end".to_owned(), ..Arc::default() });
        }
    }
}

/// An arc to `end` needs no step of that name.
fn allow_end(playbook: &mut Playbook) {
    let wanted = playbook.steps.iter().any(|step| arcs(step).any(|arc| arc.to == "end"));
    if wanted && playbook.step("end").is_none() {
        playbook.steps.push(Step { dialect: playbook.dialect, ..step::empty("end") });
    }
}

fn arcs(step: &Step) -> impl Iterator<Item = &Arc> {
    let cases = step.cases.iter().flat_map(|case| &case.then).filter_map(|action| match action {
        Action::Next(arcs) => Some(arcs.as_slice()),
        _ => None,
    });
    step.routes.arcs.iter().chain(&step.routes.otherwise).chain(cases.flatten())
}

fn calls(step: &Step) -> impl Iterator<Item = &str> {
    step.cases.iter().flat_map(|case| &case.then).filter_map(|action| match action {
        Action::Call { step, .. } => Some(step.as_str()),
        _ => None,
    })
}

fn targets(reader: &mut Reader<'_>, playbook: &Playbook) {
    let names: Vec<&str> = playbook.steps.iter().map(|step| step.name.as_str()).collect();
    let known: HashSet<&str> = names.iter().copied().collect();
    for step in &playbook.steps {
        let path = format!("steps/{}", step.name);
        let mut named: Vec<(String, &str)> = Vec::new();
        for (index, arc) in step.routes.arcs.iter().enumerate() {
            named.push((format!("{path}/arcs/{index}"), &arc.to));
        }
        for (index, arc) in step.routes.otherwise.iter().enumerate() {
            named.push((format!("{path}/otherwise/{index}"), &arc.to));
        }
        for (index, case) in step.cases.iter().enumerate() {
            for action in &case.then {
                let place = format!("{path}/case/{index}");
                match action {
                    Action::Next(arcs) => {
                        named.extend(arcs.iter().map(|arc| (place.clone(), arc.to.as_str())));
                    }
                    Action::Call { step, .. } => named.push((place, step)),
                    _ => {}
                }
            }
        }
        let mut reported = HashSet::new();
        for (place, target) in named {
            let span = reader.source.span(&place);
            if target.contains("{{") {
                let message = format!("step `{}` routes to a template; a target must be a name", step.name);
                reader.error(Code::UnknownStep, span, message);
            } else if !known.contains(target)
                && !reader.unread.contains(target)
                && reported.insert((span.start, target))
            {
                let message = format!("step `{}` leads to `{target}`, which is not a step", step.name);
                unknown_step(reader, span, message, target, &names);
            }
        }
    }
}

fn ends(reader: &mut Reader<'_>, playbook: &Playbook) {
    let names: Vec<&str> = playbook.steps.iter().map(|step| step.name.as_str()).collect();
    if let Some(final_step) = &playbook.final_step
        && !names.contains(&final_step.as_str())
        && !reader.unread.contains(final_step)
    {
        let span = reader.source.span("executor/final_step");
        unknown_step(
            reader,
            span,
            format!("`final_step` names `{final_step}`, which is not a step"),
            final_step,
            &names,
        );
    }
    let known: HashSet<&str> = names.iter().copied().collect();
    for start in &playbook.entry {
        if !known.contains(start.step.as_str()) && !reader.unread.contains(&start.step) {
            let span = reader.source.span("executor/entry_step");
            let hint = reader.did_you_mean(&start.step, &names).unwrap_or_else(|| the_steps_are(&names));
            let message = format!("the playbook starts at `{}`, which is not a step", start.step);
            reader.error_hint(Code::MissingStart, span, message, hint);
        }
    }
}

fn unknown_step(reader: &mut Reader<'_>, span: Span, message: String, target: &str, names: &[&str]) {
    let hint = reader.did_you_mean(target, names).unwrap_or_else(|| the_steps_are(names));
    reader.error_hint(Code::UnknownStep, span, message, hint);
}

fn the_steps_are(names: &[&str]) -> String {
    format!("the steps are: {}", shortened(names))
}
