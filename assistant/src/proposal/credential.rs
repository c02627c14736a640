//! A credential that is named and does not exist: which one, and where it is used. Nothing in the playbook changes.

use noetl_api::proposal::{Effect, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::{Step, Task};

use super::subject::{Draft, Findings, Refusal, Subject, estimate};
use crate::statistics::{Interval, share};

const CAUSE: &str = "auth.credential_missing";

pub(crate) fn look(subject: &Subject, tools: &ToolSchemas) -> Findings {
    subject.missing_credentials.iter().filter_map(|name| of(subject, name, tools)).collect()
}

fn of(subject: &Subject, credential: &str, tools: &ToolSchemas) -> Option<Result<NewProposal, Refusal>> {
    let uses: Vec<&Step> = subject
        .playbook
        .steps
        .iter()
        .filter(|step| step.body.iter().any(|task| names(task, credential)))
        .collect();
    let first = uses.first()?;
    let present = subject.present();
    let failed = present
        .iter()
        .filter(|one| one.is_failed() && one.cause.as_deref() == Some(CAUSE))
        .filter(|one| {
            one.steps.iter().any(|run| run.is_failed && uses.iter().any(|step| step.name == run.step))
        })
        .count() as u64;
    if failed == 0 {
        return None;
    }
    let steps: Vec<String> = uses.iter().map(|step| format!("`{}`", step.name)).collect();
    let lost = share(failed, present.len() as u64);
    let before = subject.failure_rate();
    let draft = Draft {
        kind: ProposalKind::Credential,
        step: Some(first.name.clone()),
        cause: Some(CAUSE.to_owned()),
        title: format!("register the credential {credential}"),
        reason: format!(
            "The playbook names the credential `{credential}` in {} [e:playbook], and there is none of this name. \
             {failed} of {} executions ended because of it [e:history]. Type: noetl register FILE, with `name: \
             {credential}` in the file.",
            steps.join(", "),
            present.len()
        ),
        settings: Vec::new(),
        n: present.len() as u64,
        censored: 0,
        estimate: estimate(format!("share of executions that end without {credential}"), "share", lost),
        counterfactual: estimate(
            format!("share of executions that end without {credential} once it is there"),
            "share",
            Interval::new(0.0, 0.0, 0.0),
        ),
        bound: "only its owner can register it".to_owned(),
        query: format!(
            "SELECT count() AS n FROM noetl_executions FINAL WHERE {} AND version = {} AND status != 'RUNNING'",
            subject.scope_of(present.iter().copied()),
            subject.version
        ),
        effect: Effect {
            metric: "failure_rate".to_owned(),
            before,
            expected: before - lost.value,
            low: before - lost.high.min(before),
            high: before - lost.low,
        },
        risk: RiskLevel::Low,
        risk_note: "Nothing in the playbook changes.".to_owned(),
    };
    Some(subject.propose(draft, tools))
}

/// Whether a task names the credential in any of the forms of `auth`.
pub(crate) fn names(task: &Task, credential: &str) -> bool {
    fn holds(value: &noetl_domain::Value, name: &str) -> bool {
        match value {
            noetl_domain::Value::String(text) => text == name,
            noetl_domain::Value::Array(items) => items.iter().any(|item| holds(item, name)),
            noetl_domain::Value::Object(map) => map.values().any(|item| holds(item, name)),
            _ => false,
        }
    }
    task.auth.as_ref().is_some_and(|auth| holds(auth, credential))
}
