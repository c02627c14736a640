//! What a setting means for the normalised Playbook.

use serde_json::json;

use super::{Parameter, PatchError, Setting};
use crate::Value;
use crate::playbook::{Arc, Backoff, Directive, Expr, Playbook, Retry, RouteMode, Rule, Step};

/// The playbooks that the settings may lead to: a timeout is the step's or its one task's, whichever the text says.
pub(super) fn wanted(before: &Playbook, settings: &[Setting]) -> Result<Vec<Playbook>, PatchError> {
    let mut found = vec![before.clone()];
    for setting in settings {
        if setting.parameter == Parameter::Steps {
            found = found.iter().map(|playbook| with_step(playbook, setting)).collect::<Result<_, _>>()?;
            continue;
        }
        let mut next = Vec::new();
        for playbook in &found {
            let index = playbook.steps.iter().position(|step| step.name == setting.step);
            let index = index.ok_or_else(|| PatchError::UnknownStep(setting.step.clone()))?;
            for step in set(&playbook.steps[index], setting)? {
                let mut changed = playbook.clone();
                changed.steps[index] = step;
                next.push(changed);
            }
        }
        found = next;
    }
    Ok(found)
}

/// Where a step says how often it tries.
pub(super) enum Tries<'s> {
    Nowhere,
    Block { task: Option<usize>, retry: &'s Retry },
    Rule { task: usize, rule: usize },
    Several,
}

pub(super) fn tries(step: &Step) -> Tries<'_> {
    let mut found = Vec::new();
    found.extend(step.retry.iter().map(|retry| Tries::Block { task: None, retry }));
    for (at, task) in step.body.iter().enumerate() {
        found.extend(task.retry.iter().map(|retry| Tries::Block { task: Some(at), retry }));
        let rules = task.rules.iter().enumerate();
        found.extend(
            rules
                .filter(|(_, rule)| matches!(rule.directive, Directive::Retry { .. }))
                .map(|(rule, _)| Tries::Rule { task: at, rule }),
        );
    }
    match found.len() {
        0 => Tries::Nowhere,
        1 => found.remove(0),
        _ => Tries::Several,
    }
}

pub(super) fn get(step: &Step, parameter: Parameter) -> Value {
    let looped = step.looped.as_ref();
    match parameter {
        Parameter::MaxAttempts | Parameter::InitialDelay | Parameter::Multiplier | Parameter::MaxDelay => {
            get_tries(step, parameter)
        }
        Parameter::Timeout => {
            let own = step.timeout_seconds.clone();
            let task = || step.body.first().and_then(|task| task.timeout_seconds.clone());
            own.or_else(task).unwrap_or_default()
        }
        Parameter::BatchSize => looped.and_then(|looped| looped.chunk.clone()).unwrap_or_default(),
        Parameter::MaxInFlight => looped.and_then(|looped| looped.max_in_flight.clone()).unwrap_or_default(),
        Parameter::Pool => step.pool.clone().map(Value::from).unwrap_or_default(),
        Parameter::Arcs => step.routes.arcs.iter().map(|arc| Value::from(arc.to.clone())).collect(),
        Parameter::Guard | Parameter::Steps => Value::Null,
    }
}

fn get_tries(step: &Step, parameter: Parameter) -> Value {
    match tries(step) {
        Tries::Nowhere | Tries::Several => Value::Null,
        Tries::Block { retry, .. } => match parameter {
            Parameter::MaxAttempts => retry.max_attempts.clone(),
            Parameter::InitialDelay => retry.initial_delay_seconds.clone(),
            Parameter::Multiplier => retry.multiplier.clone(),
            _ => retry.max_delay_seconds.clone(),
        },
        Tries::Rule { task, rule } => match (&step.body[task].rules[rule].directive, parameter) {
            (Directive::Retry { attempts, .. }, Parameter::MaxAttempts) => attempts.clone(),
            (Directive::Retry { delay_seconds, .. }, Parameter::InitialDelay) => delay_seconds.clone(),
            (Directive::Retry { backoff, .. }, Parameter::Multiplier) => {
                json!(if *backoff == Backoff::Exponential { 2 } else { 1 })
            }
            _ => Value::Null,
        },
    }
}

fn set(step: &Step, setting: &Setting) -> Result<Vec<Step>, PatchError> {
    let mut changed = step.clone();
    let value = setting.value.clone();
    let no_loop = || PatchError::not(setting, "the step has no loop");
    match setting.parameter {
        Parameter::MaxAttempts | Parameter::InitialDelay | Parameter::Multiplier | Parameter::MaxDelay => {
            set_tries(step, &mut changed, setting)?;
        }
        Parameter::Timeout => {
            let mut of_task = step.clone();
            changed.timeout_seconds = Some(value.clone());
            let [only] = of_task.body.as_mut_slice() else { return Ok(vec![changed]) };
            only.timeout_seconds = Some(value);
            return Ok(vec![changed, of_task]);
        }
        Parameter::BatchSize => changed.looped.as_mut().ok_or_else(no_loop)?.chunk = Some(value),
        Parameter::MaxInFlight => changed.looped.as_mut().ok_or_else(no_loop)?.max_in_flight = Some(value),
        Parameter::Pool => {
            let name = value.as_str().ok_or_else(|| PatchError::not(setting, "a pool has a name"))?;
            changed.pool = Some(name.to_owned());
        }
        Parameter::Arcs => {
            if !is_plain(step) {
                return Err(PatchError::not(setting, "the ways onward have conditions or arguments"));
            }
            let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            changed.routes.arcs = names.map(|to| Arc { to: to.to_owned(), ..Arc::default() }).collect();
            if changed.routes.arcs.len() > 1 {
                changed.routes.mode = RouteMode::All;
            }
        }
        Parameter::Guard => {
            let when = value.as_str().map(|text| Expr(text.to_owned()));
            let last = changed.body.last_mut();
            let task = last.ok_or_else(|| PatchError::not(setting, "the step has no tool"))?;
            task.rules.insert(0, Rule { when, directive: Directive::Fail, sets: Vec::new() });
        }
        Parameter::Steps => {}
    }
    Ok(vec![changed])
}

/// Whether the step simply goes on to others.
pub(super) fn is_plain(step: &Step) -> bool {
    step.routes.otherwise.is_empty()
        && step.cases.is_empty()
        && step.routes.mode != RouteMode::Chain
        && step
            .routes
            .arcs
            .iter()
            .all(|arc| arc.when.is_none() && arc.inputs.is_empty() && arc.sets.is_empty())
}

fn set_tries(step: &Step, changed: &mut Step, setting: &Setting) -> Result<(), PatchError> {
    let value = setting.value.clone();
    match tries(step) {
        Tries::Several => Err(PatchError::not(setting, "its tries are written in several places")),
        Tries::Nowhere => {
            let mut retry = super::super::retry::plain();
            put(&mut retry, setting.parameter, value);
            match changed.body.as_mut_slice() {
                [] => return Err(PatchError::not(setting, "the step has no tool")),
                [only] if !changed.pipeline => only.retry.push(retry),
                _ => changed.retry.push(retry),
            }
            Ok(())
        }
        Tries::Block { task, .. } => {
            let blocks = match task {
                Some(at) => &mut changed.body[at].retry,
                None => &mut changed.retry,
            };
            put(&mut blocks[0], setting.parameter, value);
            Ok(())
        }
        Tries::Rule { task, rule } => {
            let Directive::Retry { attempts, backoff, delay_seconds } =
                &mut changed.body[task].rules[rule].directive
            else {
                return Ok(());
            };
            match setting.parameter {
                Parameter::MaxAttempts => *attempts = value,
                Parameter::InitialDelay => {
                    *delay_seconds = value;
                    if *backoff == Backoff::None {
                        *backoff = Backoff::Fixed;
                    }
                }
                _ => return Err(PatchError::not(setting, "a rule has no such field")),
            }
            Ok(())
        }
    }
}

fn put(retry: &mut Retry, parameter: Parameter, value: Value) {
    match parameter {
        Parameter::MaxAttempts => retry.max_attempts = value,
        Parameter::InitialDelay => retry.initial_delay_seconds = value,
        Parameter::Multiplier => retry.multiplier = value,
        _ => retry.max_delay_seconds = value,
    }
}

/// The new step stands behind the one named, and takes over its ways onward.
fn with_step(before: &Playbook, setting: &Setting) -> Result<Playbook, PatchError> {
    let index = before.steps.iter().position(|step| step.name == setting.step);
    let index = index.ok_or_else(|| PatchError::UnknownStep(setting.step.clone()))?;
    if !is_plain(&before.steps[index]) {
        return Err(PatchError::not(setting, "the ways onward have conditions or arguments"));
    }
    let name = setting.value.get("step").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() || before.step(name).is_some() {
        return Err(PatchError::not(setting, "the new step needs a name that is free"));
    }
    // The step is read as it would be in a playbook of its own.
    let mut alone = setting.value.clone();
    if let Value::Object(map) = &mut alone {
        map.shift_remove("next");
    }
    let text = crate::yaml::print(&json!({
        "apiVersion": "noetl.io/v2", "kind": "Playbook", "metadata": { "name": "draft" }, "workflow": [alone],
    }));
    let read = crate::dialect::read(&text).playbook;
    let step = read.and_then(|playbook| playbook.step(name).cloned());
    let mut step = step.ok_or_else(|| PatchError::not(setting, "the new step cannot be read"))?;
    let mut changed = before.clone();
    step.routes = changed.steps[index].routes.clone();
    step.dialect = changed.steps[index].dialect;
    changed.steps[index].routes.arcs = vec![Arc { to: name.to_owned(), ..Arc::default() }];
    changed.steps.insert(index + 1, step);
    Ok(changed)
}
