//! Whether a Proposal may be shown to anybody: it is complete, its text is a valid playbook, it changes what it says
//! and nothing else, and it stays inside the hard bounds.
//!
//! What a Proposal claims is compared with the two versions of the playbook, so that no claim can hide a change.

use noetl_api::proposal::{Change, Estimate, NewProposal, ProposalKind};
use noetl_domain::Value;
use noetl_domain::playbook::{Playbook, Step};
use noetl_domain::tuning;
use serde_json::json;

/// Everything that is wrong; empty when nothing is.
pub(super) fn grounds(new: &NewProposal) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |is_there: bool, what: &str| {
        if !is_there {
            wrong.push(format!("{what} is missing"));
        }
    };
    let said = |text: &str| !text.trim().is_empty();
    need(said(&new.playbook), "`playbook`");
    need(new.base_version > 0, "`base_version`");
    need(said(&new.title), "`title`");
    need(said(&new.reason), "`reason`");
    need(said(&new.evidence_hash), "`evidence_hash`");
    need(said(&new.written_by), "`written_by`");
    let is_drafted = new.kind == ProposalKind::Step;
    let changes_text = new.kind != ProposalKind::Credential;
    need(!changes_text || new.content.is_some(), "`content`");
    need(is_drafted || !changes_text || !new.changes.is_empty(), "`changes`");
    if is_drafted {
        // A draft rests on a description, not on data.
        return wrong;
    }
    let grounds = &new.grounds;
    need(said(&grounds.from) && said(&grounds.to), "the data window (`grounds.from`, `grounds.to`)");
    need(grounds.n > 0, "`grounds.n`");
    need(said(&grounds.query), "the query that reproduces the data (`grounds.query`)");
    if !changes_text {
        return wrong;
    }
    need(said(&grounds.bound), "the bound that limited the choice (`grounds.bound`)");
    need(said(&new.effect.metric), "the promised effect (`effect`)");
    if grounds.censored > grounds.n {
        wrong.push("`grounds.censored` is more than `grounds.n`".to_owned());
    }
    interval(&mut wrong, "grounds.estimate", &grounds.estimate);
    interval(&mut wrong, "grounds.counterfactual", &grounds.counterfactual);
    let effect = &new.effect;
    if !ordered(effect.low, effect.expected, effect.high) || !effect.before.is_finite() {
        wrong.push("`effect` is no number with an interval around it".to_owned());
    }
    if said(&effect.metric)
        && !matches!(effect.metric.as_str(), "failure_rate" | "duration_ms" | "cost_ms_per_item")
    {
        wrong.push("`effect.metric` is failure_rate, duration_ms or cost_ms_per_item".to_owned());
    }
    wrong
}

fn interval(wrong: &mut Vec<String>, name: &str, estimate: &Estimate) {
    if estimate.what.trim().is_empty() {
        wrong.push(format!("`{name}` is missing"));
    } else if !ordered(estimate.low, estimate.value, estimate.high) {
        wrong.push(format!("`{name}` is no number with an interval around it"));
    }
}

fn ordered(low: f64, value: f64, high: f64) -> bool {
    low.is_finite() && high.is_finite() && low <= value && value <= high
}

/// What the new text does that the Proposal does not say, or that nothing may do.
pub(super) fn text(new: &NewProposal, base: &Playbook, changed: &Playbook) -> Vec<String> {
    let mut wrong = Vec::new();
    if changed.path != base.path {
        wrong.push(format!("`content` is of the path {:?}, not {:?}", changed.path, base.path));
    }
    let restructures =
        matches!(new.kind, ProposalKind::Parallelise | ProposalKind::SchemaGuard | ProposalKind::Step);
    if !restructures {
        rest(&mut wrong, new, base, changed);
    }
    for step in &changed.steps {
        let before = base.step(&step.name);
        if before == Some(step) {
            continue;
        }
        let named = new.step.as_deref() == Some(&step.name)
            || new.changes.iter().any(|change| change.step.as_deref() == Some(&step.name));
        if !named && !restructures {
            wrong.push(format!("step {:?} changes, and the proposal does not name it", step.name));
        }
        settings(&mut wrong, new, before, step);
    }
    if changed == base && new.kind != ProposalKind::Credential {
        wrong.push("`content` is the playbook as it is".to_owned());
    }
    wrong
}

/// What is not a step stays as it is, but for what a change of the whole playbook names.
fn rest(wrong: &mut Vec<String>, new: &NewProposal, base: &Playbook, changed: &Playbook) {
    let names = |playbook: &Playbook| -> Vec<String> {
        playbook.steps.iter().map(|step| step.name.clone()).collect()
    };
    if names(base) != names(changed) {
        wrong.push("steps are added, removed or moved".to_owned());
    }
    let without_steps = |playbook: &Playbook| Playbook { steps: Vec::new(), ..playbook.clone() };
    let speaks_of_all = new.changes.iter().any(|change| change.step.is_none());
    if !speaks_of_all && without_steps(base) != without_steps(changed) {
        wrong.push("something besides the steps changes, and the proposal does not say what".to_owned());
    }
}

fn settings(wrong: &mut Vec<String>, new: &NewProposal, before: Option<&Step>, step: &Step) {
    let old = before.map(tuning::settings).unwrap_or_default();
    let settings = tuning::settings(step);
    for (parameter, value) in &settings {
        if old.get(parameter) == Some(value) {
            continue;
        }
        let place = format!("{parameter} of step {:?}", step.name);
        let Some(limit) = tuning::hard_limit(parameter) else { continue };
        let Some(number) = tuning::number(value) else {
            wrong.push(format!("{place} becomes a template, which nobody can bound"));
            continue;
        };
        let lowest =
            if parameter.starts_with("retry.") && *parameter != "retry.max_attempts" { 0.0 } else { 1e-3 };
        if !(lowest..=limit).contains(&number) {
            wrong.push(format!("{place} would be {number}; the hard bound is {limit}"));
        }
        // An author who says nothing about attempts has one.
        let attempts_before = old.get(parameter).map_or(Some(1.0), tuning::number);
        if *parameter == "retry.max_attempts"
            && attempts_before.is_none_or(|before| number > before)
            && let Some(why) = tuning::not_repeatable(step)
        {
            wrong.push(format!("{place} may not grow: {why}"));
        }
        let claimed = claim(new, step, parameter);
        if new.kind != ProposalKind::Step && claimed.is_some_and(|change| !same(&change.after, value)) {
            wrong.push(format!("{place} would be {value}, not what `changes` says"));
        }
        // A retry block brings its delays with it; what a policy bounds is what must be named.
        let matters = matches!(*parameter, "retry.max_attempts" | "timeout" | "max_in_flight" | "batch_size");
        if matters && claimed.is_none() && new.kind != ProposalKind::Step {
            wrong.push(format!("{place} changes, and `changes` does not name it"));
        }
    }
}

fn claim<'a>(new: &'a NewProposal, step: &Step, parameter: &str) -> Option<&'a Change> {
    new.changes.iter().find(|change| {
        change.parameter == parameter && change.step.as_deref().is_none_or(|named| named == step.name)
    })
}

fn same(claimed: &Value, found: &Value) -> bool {
    match (tuning::number(claimed), tuning::number(found)) {
        (Some(claimed), Some(found)) => (claimed - found).abs() < 1e-9,
        _ => json!(claimed) == json!(found),
    }
}
