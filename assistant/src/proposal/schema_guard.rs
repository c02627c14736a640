//! A check of what a step returned, where later steps failed because it was empty or of another form.
//!
//! The playbook then fails where the fault is, at once and with the right name, instead of somewhere behind it.

use std::collections::BTreeMap;

use noetl_api::proposal::{Effect, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::Value;
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;

use super::subject::{Draft, Findings, Refusal, Subject, estimate};
use crate::statistics::{Interval, median, share};

/// Failures of one root before a check is proposed.
const FEWEST: usize = 3;

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    let mut groups: BTreeMap<(&str, &str, Option<&str>), Vec<u64>> = BTreeMap::new();
    for one in &subject.defects {
        let key = (one.step.as_str(), one.cause.as_str(), one.field.as_deref());
        groups.entry(key).or_default().push(one.execution);
    }
    groups
        .into_iter()
        .filter(|(_, executions)| executions.len() >= FEWEST)
        .filter_map(|((step, cause, field), executions)| of(subject, step, cause, field, &executions, tools))
        .collect()
}

fn of(
    subject: &Subject,
    name: &str,
    cause: &str,
    field: Option<&str>,
    executions: &[u64],
    tools: &ToolSchemas,
) -> Option<Result<NewProposal, Refusal>> {
    let step = subject.playbook.step(name)?;
    if step.looped.is_some() || step.body.is_empty() {
        return Some(Err(Refusal::of(
            ProposalKind::SchemaGuard,
            name,
            "a loop's result is checked item by item",
        )));
    }
    let path = field.map_or("output.data".to_owned(), |field| format!("output.data.{field}"));
    let bad = if cause == "response.schema_changed" {
        format!("{path} is not defined")
    } else {
        format!("not {path}")
    };
    let when = format!("{{{{ output.status == 'ok' and ({bad}) }}}}");
    let has_it = step
        .body
        .iter()
        .flat_map(|task| &task.rules)
        .any(|rule| rule.when.as_ref().is_some_and(|expr| expr.0 == when));
    if has_it {
        return None;
    }
    // What runs behind the fault before it is noticed.
    let wasted: Vec<f64> = subject
        .history
        .iter()
        .filter(|one| executions.contains(&one.execution.0))
        .filter_map(|one| {
            Some((one.ended_ms - one.steps.iter().find(|run| run.step == name)?.exited_ms?) as f64)
        })
        .collect();
    let failed: Vec<_> = subject.history.iter().filter(|one| one.is_failed()).collect();
    let (n, hits) = (subject.defects.len().max(executions.len()) as u64, executions.len() as u64);
    let part = share(hits, n);
    let (late, durations): (f64, Vec<f64>) =
        (median(&wasted), failed.iter().map(|one| one.duration_ms()).collect());
    let before = median(&durations);
    let draft = Draft {
        kind: ProposalKind::SchemaGuard,
        step: Some(name.to_owned()),
        cause: Some(cause.to_owned()),
        title: format!("check what step {name} returns before others read it"),
        reason: format!(
            "In {hits} of {n} failures that were looked at, step `{name}` returned data that a later step could not use \
             ({cause}) [e:history]. A rule that fails the step when `{bad}` names the fault where it is [e:playbook]."
        ),
        settings: vec![Setting {
            step: name.to_owned(),
            parameter: Parameter::Guard,
            value: Value::from(when),
        }],
        n,
        censored: 0,
        estimate: estimate(format!("share of failures that begin with what {name} returned"), "share", part),
        counterfactual: estimate(
            "share of them that the playbook notices at once now",
            "share",
            Interval::new(0.0, 0.0, 0.0),
        ),
        bound: "only the field that failures point at is checked".to_owned(),
        query: format!(
            "SELECT count() AS n FROM noetl_executions FINAL WHERE execution_id IN ({})",
            subject.defects.iter().map(|one| one.execution.to_string()).collect::<Vec<_>>().join(", ")
        ),
        effect: Effect {
            metric: "duration_ms".to_owned(),
            before,
            expected: (before - late * part.value).max(0.0),
            low: (before - late).max(0.0),
            high: before,
        },
        risk: RiskLevel::Medium,
        risk_note: "Data that is empty on good days as well would fail the step; the canary compares both."
            .to_owned(),
    };
    Some(subject.propose(draft, tools))
}
