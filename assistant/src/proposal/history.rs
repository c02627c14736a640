//! Where history comes from: one narrow trait, implemented over the store and by tests.

use std::collections::BTreeMap;
use std::future::Future;

use noetl_api::diagnosis::Diagnosis;
use noetl_domain::Value;
use noetl_domain::playbook::Playbook;

use super::observed::Observed;
use super::subject::{Defect, Subject, Terms};
use crate::evidence::Definition;
use crate::gather::SourceError;

/// The newest executions that a look reads.
pub const MOST_EXECUTIONS: usize = 1_000;

pub trait History: Send + Sync + 'static {
    /// Paths of the playbooks that are registered.
    fn paths(&self) -> impl Future<Output = Result<Vec<String>, SourceError>> + Send;

    /// A version, the newest when none is named.
    fn definition(
        &self,
        path: &str,
        version: Option<u32>,
    ) -> impl Future<Output = Result<Option<Definition>, SourceError>> + Send;

    /// The newest executions that ended, oldest first.
    fn observed(
        &self,
        path: &str,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Observed>, SourceError>> + Send;

    /// Whether somebody registered a credential of this name.
    fn has_credential(&self, name: &str) -> impl Future<Output = Result<bool, SourceError>> + Send;

    /// What diagnoses of these failed executions found in the data of a step.
    fn defects(&self, failed: &[Observed]) -> impl Future<Output = Result<Vec<Defect>, SourceError>> + Send;

    /// How many executions that were started at this moment (Unix milliseconds) or later have ended, `most` at most.
    fn ended_since(
        &self,
        path: &str,
        since_ms: i64,
        most: usize,
    ) -> impl Future<Output = Result<u64, SourceError>> + Send;
}

/// Failed executions that are diagnosed for their data at most.
const DIAGNOSED: usize = 20;

/// Everything about one playbook; None when it is not registered.
pub async fn gather<H: History>(
    history: &H,
    path: &str,
    terms: Terms,
) -> Result<Option<Subject>, SourceError> {
    let Some(newest) = history.definition(path, None).await? else { return Ok(None) };
    let observed = history.observed(path, MOST_EXECUTIONS).await?;
    let mut versions = BTreeMap::new();
    for one in &observed {
        if one.version != newest.version && !versions.contains_key(&one.version) {
            let then = history.definition(path, Some(one.version)).await?;
            versions.insert(one.version, then.map(|then| Playbook::clone(&then.playbook)));
        }
    }
    let mut versions: Vec<(u32, Playbook)> =
        versions.into_iter().filter_map(|(version, playbook)| Some((version, playbook?))).collect();
    versions.push((newest.version, Playbook::clone(&newest.playbook)));
    let mut missing = Vec::new();
    for name in credentials(&newest.playbook) {
        if !history.has_credential(&name).await? {
            missing.push(name);
        }
    }
    let failed: Vec<Observed> = observed
        .iter()
        .rev()
        .filter(|one| one.is_failed() && one.version == newest.version && may_be_of_data(one))
        .take(DIAGNOSED)
        .cloned()
        .collect();
    let defects = history.defects(&failed).await?;
    Ok(Some(Subject {
        path: path.to_owned(),
        version: newest.version,
        text: newest.text,
        playbook: Playbook::clone(&newest.playbook),
        history: observed,
        versions,
        missing_credentials: missing,
        defects,
        terms,
    }))
}

/// Whether what a step returned may be behind the failure; what the other side or the network did is not.
fn may_be_of_data(one: &Observed) -> bool {
    let family = one.cause.as_deref().and_then(|cause| cause.split('.').next()).unwrap_or_default();
    !matches!(family, "auth" | "limit" | "network" | "remote" | "timeout" | "worker" | "resource")
}

/// What a diagnosis says about the data of a step; None when it says something else.
pub fn defect_of(diagnosis: &Diagnosis) -> Option<Defect> {
    let step = diagnosis.root_step.clone()?;
    let cause = diagnosis.cause.clone()?;
    if !matches!(cause.as_str(), "data.empty" | "response.schema_changed") {
        return None;
    }
    // The sentences name the path of what is missing, such as `fetch.rows`.
    let opening = format!("`{step}.");
    let field = diagnosis.explanation.split(&opening).nth(1).and_then(|rest| rest.split('`').next());
    let is_path =
        |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_.".contains(c));
    Some(Defect {
        execution: diagnosis.execution_id.parse().ok()?,
        field: field.filter(is_path).map(|path| path.trim_start_matches("data.").to_owned()),
        event: diagnosis.root_event_id.clone().unwrap_or_default(),
        step,
        cause,
    })
}

/// Names of credentials that tasks give without a template.
fn credentials(playbook: &Playbook) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let own: Vec<&str> = playbook.keychain.iter().map(|entry| entry.name.as_str()).collect();
    for task in playbook.steps.iter().flat_map(|step| &step.body) {
        let name = match &task.auth {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Object(map)) => {
                ["credential", "name"].iter().find_map(|key| map.get(*key)).and_then(Value::as_str)
            }
            _ => None,
        };
        if let Some(name) = name
            && !name.contains("{{")
            && !own.contains(&name)
            && !found.iter().any(|known| known == name)
        {
            found.push(name.to_owned());
        }
    }
    found
}
