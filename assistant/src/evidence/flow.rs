//! The data flow of a playbook: what a step reads, which step made it, and what it was in this run and in the last
//! good one.
//!
//! Paths are evaluated by the domain's own templates over the folded state, so they mean what they meant in the run.

use std::collections::HashSet;
use std::sync::Arc;

use noetl_domain::command::ScopeData;
use noetl_domain::event::LoopItems;
use noetl_domain::playbook::{self, Action, Expr, LoopSource, Playbook, Save, Step, Task};
use noetl_domain::template::{self, Ambient, Scope};
use noetl_domain::{Map, Value};

use super::{Evidence, Failed, Run};

/// Reads of one step that are looked at.
const MOST: usize = 64;

/// One thing that a step reads.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    /// As the playbook writes it.
    pub(crate) path: String,
    /// The names under which code knows it, and the fields of the tool that it is written in.
    pub(crate) uses: Vec<Use>,
    pub(crate) origin: Origin,
    /// None: it lies outside the log and was not loaded.
    pub(crate) now: Option<Value>,
    /// In the last good run.
    pub(crate) before: Option<Value>,
    /// The last good run's version did not read it, so its value there says nothing.
    pub(crate) is_new: bool,
    /// What it was made of, where an arc or an assignment gave it another name.
    pub(crate) made_of: Vec<String>,
}

/// How a step uses what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A variable of its code.
    Name(String),
    /// A field of its tool, such as `url`.
    Field(String),
    /// Its guard, its loop, its saves.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Step(String),
    /// The workload, or what the caller sent.
    Input(String),
    Unknown,
}

/// What a step reads from others, in the order it is written.
pub(crate) fn reads_of(evidence: &Evidence, step: &str) -> Vec<Read> {
    let Some(playbook) = evidence.playbook() else { return Vec::new() };
    let Some(shape) = playbook.step(step) else { return Vec::new() };
    let here = Place { evidence, playbook, shape };
    let now = Eye::new(&evidence.run, step);
    let before = evidence.baseline.as_ref().map(|baseline| Eye::new(&baseline.run, step));
    let earlier = here.earlier_paths();
    let mut reads: Vec<Read> = Vec::new();
    for path in here.paths() {
        let is_new = earlier.as_ref().is_some_and(|earlier| !earlier.contains(&path));
        for (origin, inner) in here.origins(&path) {
            if origin == Origin::Step(step.to_owned()) || reads.len() >= MOST {
                continue;
            }
            let look = |eye: &Eye<'_>| match &inner {
                Some(at) => here.given(eye.run, at),
                None => eye.look(&path),
            };
            let before = before.as_ref().and_then(look);
            reads.push(Read {
                path: path.clone(),
                uses: here.uses(&path),
                origin,
                now: look(&now),
                before,
                is_new,
                made_of: here.made_of(&path),
            });
        }
    }
    reads
}

/// Names that a step's templates and code read, whatever happened in any run: roots of paths, and what stands behind
/// `steps.`, `ctx.` and their likes.
pub(crate) fn static_reads(playbook: &Playbook, step: &Step) -> HashSet<String> {
    let mut found = Paths::default();
    found.expr(step.guard.as_ref());
    if let Some(looped) = &step.looped {
        match &looped.source {
            LoopSource::In(source) => found.value(source),
            LoopSource::Cursor(cursor) => found.text(&cursor.claim),
        }
        found.expr(looped.filter.as_ref());
    }
    found.map(&step.inputs);
    found.map(&step.extracts);
    step.body.iter().for_each(|task| found.task(task));
    step.saves.iter().for_each(|save| found.save(save));
    step.sets.iter().for_each(|set| found.value(&set.value));
    let rules = step.body.iter().flat_map(|task| &task.rules);
    rules.for_each(|rule| found.expr(rule.when.as_ref()));
    for (_, arc) in routes_into(playbook, &step.name) {
        found.map(&arc.inputs);
    }
    let mut names: HashSet<String> = HashSet::new();
    for path in &found.0 {
        names.extend(path.split('.').take(2).map(str::to_owned));
    }
    names.extend(step.body.iter().flat_map(|task| words_of_code(playbook, task)));
    names
}

/// Names under which later steps see what a step made.
pub(crate) fn writes_of(step: &Step) -> HashSet<String> {
    let sets = step.sets.iter().chain(step.body.iter().flat_map(|task| &task.sets));
    let by_rules = step.body.iter().flat_map(|task| &task.rules).flat_map(|rule| &rule.sets);
    let by_arcs = arcs_of(step).into_iter().flat_map(|arc| &arc.sets);
    let mut names: HashSet<String> = sets.chain(by_rules).chain(by_arcs).map(|set| set.key.clone()).collect();
    names.extend(step.extracts.keys().cloned());
    names.extend(step.alias.clone());
    names.extend([step.name.clone(), step.name.replace('-', "_")]);
    names.extend(step.body.iter().map(|task| task.name.clone()));
    names
}

/// Steps with an arc to this one.
pub(crate) fn routes_into<'p>(playbook: &'p Playbook, step: &str) -> Vec<(&'p Step, &'p playbook::Arc)> {
    let arcs = playbook.steps.iter().flat_map(|from| arcs_of(from).into_iter().map(move |arc| (from, arc)));
    arcs.filter(|(_, arc)| arc.to == step).collect()
}

fn arcs_of(step: &Step) -> Vec<&playbook::Arc> {
    let mut arcs: Vec<&playbook::Arc> = step.routes.arcs.iter().chain(&step.routes.otherwise).collect();
    for action in step.cases.iter().flat_map(|case| &case.then) {
        if let Action::Next(next) = action {
            arcs.extend(next);
        }
    }
    arcs
}

/// A step in its playbook.
struct Place<'a> {
    evidence: &'a Evidence,
    playbook: &'a Playbook,
    shape: &'a Step,
}

impl Place<'_> {
    /// Dotted paths that the step's templates and code read.
    fn paths(&self) -> Vec<String> {
        let mut found = Paths::default();
        let step = self.shape;
        found.expr(step.guard.as_ref());
        if let Some(looped) = &step.looped {
            match &looped.source {
                LoopSource::In(source) => found.value(source),
                LoopSource::Cursor(cursor) => found.text(&cursor.claim),
            }
            found.expr(looped.filter.as_ref());
        }
        found.map(&step.inputs);
        step.body.iter().for_each(|task| found.task(task));
        step.saves.iter().for_each(|save| found.save(save));
        // What arcs hand over is read as well, though the step does not say so.
        if let Some(state) = self.evidence.run.state.steps.get(&step.name) {
            state.inputs.keys().for_each(|key| found.add(key.clone()));
        }
        for word in step.body.iter().flat_map(|task| words_of_code(self.playbook, task)) {
            if self.step_named(&word).is_some() || self.evidence.run.writers.contains_key(&word) {
                found.add(word);
            }
        }
        let own: HashSet<&str> = step.body.iter().map(|task| task.name.as_str()).collect();
        let inputs = step.inputs.keys().chain(step.body.iter().flat_map(|task| task.inputs.keys()));
        let inputs: HashSet<&str> = inputs.map(String::as_str).collect();
        let given = |root: &str| {
            self.evidence.run.state.steps.get(&step.name).is_some_and(|state| state.inputs.contains_key(root))
        };
        found.0.retain(|path| {
            let root = root_of(path);
            given(root) || !(own.contains(root) || inputs.contains(root)) || self.step_named(root).is_some()
        });
        found.0
    }

    /// What the step read in the version of the last good run; None where that is the same version, or not known.
    fn earlier_paths(&self) -> Option<Vec<String>> {
        let before = self.evidence.baseline.as_ref()?.definition.as_ref()?;
        if self.evidence.definition.as_ref().is_some_and(|now| now.version == before.version) {
            return None;
        }
        let shape = before.playbook.step(&self.shape.name)?;
        Some(Place { playbook: &before.playbook, shape, ..*self }.paths())
    }

    /// The paths that were assigned to it, by a step or by an arc.
    fn made_of(&self, path: &str) -> Vec<String> {
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        let key = match root {
            "ctx" | "vars" | "step" | "variables" | "input" | "args" => parts.next().unwrap_or_default(),
            root => root,
        };
        let steps = &self.playbook.steps;
        let assigned = steps.iter().flat_map(|step| {
            let by_tasks = step.body.iter().flat_map(|task| &task.sets);
            let by_rules = step.body.iter().flat_map(|task| &task.rules).flat_map(|rule| &rule.sets);
            let by_arcs = arcs_of(step).into_iter().flat_map(|arc| &arc.sets);
            step.sets.iter().chain(by_tasks).chain(by_rules).chain(by_arcs)
        });
        let mut values: Vec<&Value> = assigned.filter(|set| set.key == key).map(|set| &set.value).collect();
        values.extend(steps.iter().filter_map(|step| step.extracts.get(key)));
        values.extend(
            routes_into(self.playbook, &self.shape.name).iter().filter_map(|(_, arc)| arc.inputs.get(key)),
        );
        values.into_iter().flat_map(template::reads_paths).collect()
    }

    /// What the step does with what it reads there.
    fn uses(&self, path: &str) -> Vec<Use> {
        let reads = |value: &Value| template::reads_paths(value).iter().any(|read| read == path);
        let step = self.shape;
        let mut uses = Vec::new();
        let inputs = step.inputs.iter().chain(step.body.iter().flat_map(|task| &task.inputs));
        uses.extend(inputs.filter(|(_, value)| reads(value)).map(|(key, _)| Use::Name(key.clone())));
        let fields = step.body.iter().flat_map(|task| &task.config);
        uses.extend(fields.filter(|(_, value)| reads(value)).map(|(key, _)| Use::Field(key.clone())));
        let words = step.body.iter().flat_map(|task| words_of_code(self.playbook, task));
        if words.into_iter().any(|word| word == root_of(path)) {
            uses.push(Use::Name(root_of(path).to_owned()));
        }
        if uses.is_empty() {
            uses.push(Use::Other);
        }
        uses
    }

    /// Where a path leads; beside it the place inside the step's given inputs or its element, where it is read there.
    fn origins(&self, path: &str) -> Vec<(Origin, Option<Given>)> {
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        let second = parts.next();
        let run = &self.evidence.run;
        let state = run.state.steps.get(&self.shape.name);
        if let Some(iterated) = self.element(path) {
            return self.loop_origins().into_iter().map(|origin| (origin, Some(iterated.clone()))).collect();
        }
        let is_given = |key: &str| state.is_some_and(|state| state.inputs.contains_key(key));
        let given = match (root, second) {
            ("input" | "args" | "data", Some(key)) if is_given(key) => Some((key, 2)),
            (key, _) if is_given(key) => Some((key, 1)),
            _ => None,
        };
        if let Some((key, skip)) = given {
            let rest = path.split('.').skip(skip).map(str::to_owned).collect();
            let at = Given::Input { key: key.to_owned(), rest };
            return self.arc_origins(key).into_iter().map(|origin| (origin, Some(at.clone()))).collect();
        }
        vec![(self.plain(root, second), None)]
    }

    fn plain(&self, root: &str, second: Option<&str>) -> Origin {
        let run = &self.evidence.run;
        let written = |key: &str| {
            let (step, _) = run.writers.get(key)?;
            Some(Origin::Step(step.clone()))
        };
        let step = |name: &str| self.step_named(name).map(|step| Origin::Step(step.name.clone()));
        let input = |key: &str| Origin::Input(key.to_owned());
        match (root, second) {
            ("steps" | "tasks", Some(name)) => step(name).unwrap_or(Origin::Unknown),
            ("ctx" | "vars" | "step" | "variables", Some(key)) => {
                written(key).or_else(|| self.setter(key)).unwrap_or(Origin::Unknown)
            }
            ("workload" | "input" | "payload" | "args" | "spec", Some(key)) => input(key),
            (root, _) => written(root)
                .or_else(|| step(root))
                .or_else(|| run.state.workload.contains_key(root).then(|| input(root)))
                .or_else(|| self.setter(root))
                .or_else(|| self.playbook.workload.contains_key(root).then(|| input(root)))
                .unwrap_or(Origin::Unknown),
        }
    }

    /// A step that would have written the variable.
    fn setter(&self, key: &str) -> Option<Origin> {
        let sets = |step: &Step| {
            let sets = step.sets.iter().chain(step.body.iter().flat_map(|task| &task.sets));
            let by_rules = step.body.iter().flat_map(|task| &task.rules).flat_map(|rule| &rule.sets);
            let by_arcs = arcs_of(step).into_iter().flat_map(|arc| &arc.sets);
            step.extracts.contains_key(key) || sets.chain(by_rules).chain(by_arcs).any(|set| set.key == key)
        };
        let step = self.playbook.steps.iter().find(|step| sets(step))?;
        Some(Origin::Step(step.name.clone()))
    }

    /// By name, by alias, or as a template spells it.
    fn step_named(&self, name: &str) -> Option<&Step> {
        let steps = || self.playbook.steps.iter();
        steps().find(|step| step.name == name).or_else(|| {
            steps().find(|step| {
                step.alias.as_deref() == Some(name)
                    || step.name.contains('-') && step.name.replace('-', "_") == name
            })
        })
    }

    /// Where the inputs come from that arcs give to the step.
    fn arc_origins(&self, key: &str) -> Vec<Origin> {
        let mut origins = Vec::new();
        for (from, arc) in routes_into(self.playbook, &self.shape.name) {
            let was_taken = self
                .evidence
                .run
                .exits
                .get(&from.name)
                .is_none_or(|left| left.routes.contains(&self.shape.name));
            let Some(written) = arc.inputs.get(key).filter(|_| was_taken) else { continue };
            let there = Place { shape: from, ..*self };
            for path in template::reads_paths(written) {
                let mut parts = path.split('.');
                let (root, second) = (parts.next().unwrap_or_default(), parts.next());
                let origin = match root {
                    "result" | "output" | "outcome" | "response" | "this" | "data" => {
                        Origin::Step(from.name.clone())
                    }
                    root => there.plain(root, second),
                };
                if !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
        }
        if origins.is_empty() {
            origins.push(Origin::Unknown);
        }
        origins
    }

    /// The place inside the loop's element, where a path reads one.
    fn element(&self, path: &str) -> Option<Given> {
        let looped = self.shape.looped.as_ref()?;
        let parts: Vec<&str> = path.split('.').collect();
        let skip = match parts.as_slice() {
            ["iter", name, ..] if *name == looped.iterator || *name == "item" => 2,
            ["ctx", name, ..] if *name == looped.iterator => 2,
            [name, ..] if *name == looped.iterator || matches!(*name, "item" | "value") => 1,
            _ => return None,
        };
        Some(Given::Element { rest: parts[skip..].iter().map(|part| (*part).to_owned()).collect() })
    }

    fn loop_origins(&self) -> Vec<Origin> {
        let Some(LoopSource::In(source)) = self.shape.looped.as_ref().map(|looped| &looped.source) else {
            return vec![Origin::Unknown];
        };
        let mut paths = template::reads_paths(source);
        if let (true, Value::String(text)) = (paths.is_empty(), source) {
            paths = template::reads_expr_paths(&Expr(text.clone()));
        }
        let origins: Vec<Origin> = paths
            .iter()
            .map(|path| {
                let mut parts = path.split('.');
                self.plain(parts.next().unwrap_or_default(), parts.next())
            })
            .collect();
        if origins.is_empty() { vec![Origin::Unknown] } else { origins }
    }

    fn given(&self, run: &Run, at: &Given) -> Option<Value> {
        let (start, rest) = match at {
            Given::Input { key, rest } => {
                (run.state.steps.get(&self.shape.name)?.inputs.get(key)?.clone(), rest)
            }
            Given::Element { rest } => {
                let index = run
                    .failures
                    .iter()
                    .filter(|failure| failure.step == self.shape.name)
                    .find_map(|failure| match failure.what {
                        Failed::Work { index, .. } => Some(index),
                        _ => None,
                    })
                    .unwrap_or(0);
                match run.loops.get(&self.shape.name)? {
                    LoopItems::List(items) => (items.get(index as usize)?.clone(), rest),
                    LoopItems::Range(_) => (Value::from(index), rest),
                    LoopItems::Cursor { .. } => return None,
                }
            }
        };
        Some(rest.iter().fold(start, |value, key| match value {
            Value::Object(mut map) => map.remove(key).unwrap_or_default(),
            _ => Value::Null,
        }))
    }
}

/// Values that the step is handed rather than looks up.
#[derive(Clone, Debug)]
enum Given {
    Input { key: String, rest: Vec<String> },
    Element { rest: Vec<String> },
}

fn root_of(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// Code may name results and variables without a template.
fn words_of_code(playbook: &Playbook, task: &Task) -> Vec<String> {
    let Some(Value::String(code)) = task.config.get("code") else { return Vec::new() };
    // Words of a template inside the code are read by the template.
    let mut words: Vec<String> = Vec::new();
    for word in code.split(|character: char| !(character.is_alphanumeric() || character == '_')) {
        let is_known = playbook.step(word).is_some() || word.len() > 2;
        if is_known && !word.is_empty() && !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

#[derive(Default)]
struct Paths(Vec<String>);

impl Paths {
    fn add(&mut self, path: String) {
        if !self.0.contains(&path) {
            self.0.push(path);
        }
    }

    fn value(&mut self, value: &Value) {
        for path in template::reads_paths(value) {
            self.add(path);
        }
    }

    fn text(&mut self, text: &str) {
        self.value(&Value::String(text.to_owned()));
    }

    fn map(&mut self, map: &Map) {
        map.values().for_each(|value| self.value(value));
    }

    fn expr(&mut self, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            for path in template::reads_expr_paths(expr) {
                self.add(path);
            }
        }
    }

    fn task(&mut self, task: &Task) {
        self.map(&task.config);
        self.map(&task.inputs);
        task.auth.iter().for_each(|auth| self.value(auth));
        task.saves.iter().for_each(|save| self.save(save));
        if let Some(inner) = &task.nested {
            if let Some(LoopSource::In(source)) = inner.looped.as_ref().map(|looped| &looped.source) {
                self.value(source);
            }
            inner.body.iter().for_each(|task| self.task(task));
        }
    }

    fn save(&mut self, save: &Save) {
        self.map(&save.config);
        save.auth.iter().for_each(|auth| self.value(auth));
    }
}

/// Looks at a run as a step of it did.
struct Eye<'a> {
    run: &'a Run,
    scope: Scope,
}

impl<'a> Eye<'a> {
    fn new(run: &'a Run, step: &str) -> Self {
        let state = &run.state;
        let mut data = ScopeData {
            workload: Arc::clone(&state.workload),
            ctx: state.ctx.clone(),
            system: Arc::clone(&state.system),
            ..ScopeData::default()
        };
        for (name, step) in &state.steps {
            if let Some(result) = &step.result {
                data.steps.insert(name.clone(), Arc::clone(result));
            }
        }
        let inputs = state.steps.get(step).map(|state| state.inputs.clone()).unwrap_or_default();
        let mut scope = Scope::new(Ambient { now_ms: state.started_ms, seed: state.id.0 });
        template::bind_scope(&mut scope, &data, &inputs);
        for (reference, value) in &run.loaded {
            scope.provide(reference, Arc::clone(value));
        }
        Self { run, scope }
    }

    fn look(&self, path: &str) -> Option<Value> {
        let scope = self.scope.child();
        let value = template::evaluate_expr(path, &scope).unwrap_or_default();
        // What lies outside the log and was not loaded is not known, which is something else than nothing.
        if scope.missing().is_empty() { Some(value) } else { None }
    }
}
