//! What only L0 has: loops over all steps up to `end_loop`, and `steps_override`.
//!
//! A loop over steps becomes a loop over one pipeline: routing between the steps becomes jumps between tasks.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::condition;
use super::reader::Reader;
use super::step::Read;
use super::task::merge_missing;
use crate::code::Code;
use crate::playbook::{
    Arc, Assignment, Directive, Expr, Playbook, Routes, Rule, SetScope, Start, Step, Task,
};
use crate::{Map, Value};

/// The steps of a workflow by name; folding takes some of them out without moving the others.
struct Steps {
    reads: Vec<Option<Read>>,
    places: HashMap<String, usize>,
}

impl Steps {
    fn new(reads: Vec<Read>) -> Self {
        let mut places = HashMap::new();
        for (place, read) in reads.iter().enumerate() {
            places.entry(read.step.name.clone()).or_insert(place);
        }
        Self { reads: reads.into_iter().map(Some).collect(), places }
    }

    fn get(&self, name: &str) -> Option<&Read> {
        self.reads.get(*self.places.get(name)?)?.as_ref()
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Read> {
        self.reads.get_mut(*self.places.get(name)?)?.as_mut()
    }

    fn take(&mut self, name: &str) -> Option<Read> {
        self.reads.get_mut(*self.places.get(name)?)?.take()
    }
}

/// Folds every loop whose body is written as steps between it and its `end_loop`.
pub(super) fn fold_loops(reader: &mut Reader<'_>, reads: &mut Vec<Read>) {
    let loops: Vec<String> =
        reads.iter().filter(|read| read.step.looped.is_some()).map(|read| read.step.name.clone()).collect();
    let mut ends: HashMap<String, String> = HashMap::new();
    for read in reads.iter() {
        if let Some(looped) = &read.end_loop {
            ends.entry(looped.clone()).or_insert_with(|| read.step.name.clone());
        }
    }
    let mut steps = Steps::new(std::mem::take(reads));
    for (looped, end) in &ends {
        if !steps.places.contains_key(looped) && !reader.unread.contains(looped) {
            let span = steps.get(end).map_or_else(Default::default, |read| read.span);
            let message = format!("`end_loop` names `{looped}`, which is not a step");
            reader.error(Code::UnknownStep, span, message);
        }
    }
    for name in &loops {
        let Some(head) = steps.get(name) else { continue };
        let (span, is_empty) = (head.span, head.step.body.is_empty());
        if let Some(end) = ends.get(name).filter(|end| steps.get(end).is_some()) {
            if let Some(ending) = steps.get_mut(end) {
                aggregate(&mut ending.step);
            }
            if is_empty {
                fold(reader, &mut steps, name, end);
            }
            if let Some(head) = steps.get_mut(name) {
                collect_results(&mut head.step, end);
            }
        } else if is_empty {
            let message = format!("the loop `{name}` has no tool to run for every element");
            reader.error_hint(Code::InvalidLoop, span, message, "add `tool:`");
        }
    }
    reads.extend(steps.reads.into_iter().flatten());
}

/// The aggregated values are the step's result, and variables.
fn aggregate(step: &mut Step) {
    if step.body.is_empty() && !step.extracts.is_empty() {
        let config = Map::from_iter([("result".to_owned(), Value::Object(step.extracts.clone()))]);
        step.body.push(Task { name: step.name.clone(), kind: "noop".to_owned(), config, ..Task::default() });
    }
}

/// `<loop>_results` is there when the end is reached.
fn collect_results(step: &mut Step, end: &str) {
    let key = format!("{}_results", step.name);
    let value = Value::String(format!("{{{{ {}.results }}}}", step.name));
    for arc in step.routes.arcs.iter_mut().chain(&mut step.routes.otherwise) {
        if arc.to == end {
            arc.sets.push(Assignment { scope: SetScope::Ctx, key: key.clone(), value: value.clone() });
        }
    }
}

fn fold(reader: &mut Reader<'_>, steps: &mut Steps, name: &str, end: &str) {
    let Some(span) = steps.get(name).map(|head| head.span) else { return };
    let Some(order) = inner_steps(steps, name, end) else {
        let message = format!("the steps of loop `{name}` run in a circle");
        reader.error(Code::Conflict, span, message);
        return;
    };
    let inner: Vec<Read> = order.iter().filter_map(|step| steps.take(step)).collect();
    let names: HashSet<&str> = inner.iter().map(|read| read.step.name.as_str()).collect();
    let inputs = inbound(steps.get(name), &inner);
    let mut tasks = Vec::new();
    for (position, read) in inner.iter().enumerate() {
        let following = inner.get(position + 1).map(|next| next.step.name.as_str());
        if let Some(made) = tasks_of(&read.step, &inputs, end, following, &names) {
            tasks.extend(made);
        } else {
            let message = format!("step `{}` cannot run inside the loop `{name}`", read.step.name);
            let hint = "inside a loop over steps, a step has no loop and leads to one step at a time";
            reader.error_hint(Code::Conflict, read.span, message, hint);
        }
    }
    if tasks.is_empty() {
        reader.error_hint(Code::InvalidLoop, span, format!("the loop `{name}` has no steps"), "add `tool:`");
    }
    if let Some(head) = steps.get_mut(name) {
        head.step.body = tasks;
        head.step.pipeline = true;
        head.step.routes =
            Routes { arcs: vec![Arc { to: end.to_owned(), ..Arc::default() }], ..Routes::default() };
    }
}

/// Names of the steps between a loop and its end, each after all that lead to it; None for a circle.
///
/// Without recursion: a file may chain many steps.
fn inner_steps(steps: &Steps, name: &str, end: &str) -> Option<Vec<String>> {
    enum Visit<'n> {
        Enter(&'n str),
        Leave(&'n str),
    }
    let mut is_done: HashMap<&str, bool> = HashMap::new();
    let mut order = Vec::new();
    let mut work = vec![Visit::Enter(name)];
    while let Some(visit) = work.pop() {
        match visit {
            Visit::Leave(name) => {
                is_done.insert(name, true);
                order.push(name.to_owned());
            }
            Visit::Enter(name) => match is_done.get(name) {
                Some(true) => {}
                Some(false) => return None,
                None => {
                    let Some(read) = steps.get(name) else { continue };
                    is_done.insert(name, false);
                    work.push(Visit::Leave(name));
                    // The stack turns the order round, and so does `order` at the end: the last arc is walked first.
                    let routes = &read.step.routes;
                    let arcs = routes.arcs.iter().chain(&routes.otherwise);
                    work.extend(arcs.filter(|arc| arc.to != end).map(|arc| Visit::Enter(&arc.to)));
                }
            },
        }
    }
    order.reverse();
    order.retain(|step| step != name && step != "end");
    Some(order)
}

/// What the arcs into each inner step hand over.
fn inbound(head: Option<&Read>, inner: &[Read]) -> HashMap<String, Map> {
    let mut inputs: HashMap<String, Map> = HashMap::new();
    for read in head.into_iter().chain(inner) {
        for arc in read.step.routes.arcs.iter().chain(&read.step.routes.otherwise) {
            merge_missing(inputs.entry(arc.to.clone()).or_default(), arc.inputs.clone());
        }
    }
    inputs
}

/// The tasks of one inner step; its routing becomes rules of the last of them.
fn tasks_of(
    step: &Step,
    inbound: &HashMap<String, Map>,
    end: &str,
    following: Option<&str>,
    inner: &HashSet<&str>,
) -> Option<Vec<Task>> {
    let routes = &step.routes;
    let unconditional = routes.arcs.iter().filter(|arc| arc.when.is_none()).count();
    if step.looped.is_some() || step.guard.is_some() || unconditional > 1 || routes.otherwise.len() > 1 {
        return None;
    }
    let mut tasks = step.body.clone();
    if tasks.is_empty() {
        tasks.push(Task { kind: "noop".to_owned(), ..Task::default() });
    }
    let mut inputs = inbound.get(&step.name).cloned().unwrap_or_default();
    merge_missing(&mut inputs, step.inputs.clone());
    // Jumps come to the first task, results are read by the step's name.
    if let [only] = tasks.as_mut_slice() {
        only.name.clone_from(&step.name);
    }
    if let Some(first) = tasks.first_mut() {
        first.name.clone_from(&step.name);
        merge_missing(&mut inputs, std::mem::take(&mut first.inputs));
        first.inputs = inputs;
    }
    let last = tasks.last_mut()?;
    last.saves.extend(step.saves.iter().cloned());
    last.sets.extend(step.sets.iter().cloned());
    last.sets.extend(step.extracts.iter().map(|(key, value)| Assignment {
        scope: SetScope::Ctx,
        key: key.clone(),
        value: value.clone(),
    }));
    let go = |arc: &Arc| {
        if following == Some(arc.to.as_str()) {
            Directive::Continue
        } else if arc.to == end || !inner.contains(arc.to.as_str()) {
            Directive::Break
        } else {
            Directive::Jump { to: arc.to.clone() }
        }
    };
    let well = Expr("{{ output.status != 'error' }}".to_owned());
    let rule =
        |when: &Expr, directive: Directive| Rule { when: Some(when.clone()), directive, sets: Vec::new() };
    for arc in &routes.arcs {
        let when = arc.when.as_ref().map_or_else(|| well.clone(), |when| condition::and(&well, when));
        last.rules.push(rule(&when, go(arc)));
    }
    match routes.otherwise.first() {
        Some(arc) => last.rules.push(rule(&well, go(arc))),
        // Leads nowhere: this element is done.
        None if following.is_some() && unconditional == 0 => last.rules.push(rule(&well, Directive::Break)),
        None => {}
    }
    if following.is_none() || last.rules.iter().all(|rule| rule.directive == Directive::Continue) {
        // The pipeline does that by itself.
        if last.rules.len() <= 1 {
            last.rules.clear();
        }
    }
    Some(tasks)
}

/// `workload.steps_override`: an ordered list of steps in place of all routing.
pub(super) fn steps_override(reader: &mut Reader<'_>, playbook: &mut Playbook, reads: &mut Vec<Read>) {
    let wanted: Vec<(String, Map)> = match playbook.workload.get("steps_override") {
        Some(Value::Array(items)) => items.iter().filter_map(named).collect(),
        Some(Value::Object(map)) => map
            .iter()
            .map(|(step, with)| (step.clone(), with.as_object().cloned().unwrap_or_default()))
            .collect(),
        _ => return,
    };
    if wanted.is_empty() {
        return;
    }
    let span = reader.source.span("workload/steps_override");
    let mut chosen: Vec<Read> = Vec::new();
    let mut steps = Steps::new(std::mem::take(reads));
    for (name, with) in wanted {
        let Some(mut read) = steps.take(&name) else {
            let message = format!("`steps_override` names `{name}`, which is not a step");
            reader.error(Code::UnknownStep, span, message);
            continue;
        };
        read.step.routes = Routes::default();
        read.step.cases.clear();
        read.routed = true;
        let own = std::mem::replace(&mut read.step.inputs, with);
        merge_missing(&mut read.step.inputs, own);
        if let Some(before) = chosen.last_mut() {
            before.step.routes.arcs.push(Arc { to: name.clone(), ..Arc::default() });
        }
        chosen.push(read);
    }
    if let Some(first) = chosen.first() {
        playbook.entry = vec![Start { step: first.step.name.clone(), inputs: Map::new() }];
    }
    *reads = chosen;
}

fn named(item: &Value) -> Option<(String, Map)> {
    match item {
        Value::String(name) => Some((name.clone(), Map::new())),
        Value::Object(map) => {
            let name = map.get("step").or(map.get("name"))?.as_str()?.to_owned();
            let with = ["with", "args", "data", "input"].iter().find_map(|key| map.get(*key)).cloned();
            Some((name, with.unwrap_or_else(|| json!({})).as_object().cloned().unwrap_or_default()))
        }
        _ => None,
    }
}
