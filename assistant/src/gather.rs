//! Gathers evidence: page by page, and no more than rules read.
//!
//! What is optional (analytics, the vector store) may be slow or absent; the answer then says what it lacks.

mod log;
mod sources;

use std::sync::Arc;
use std::time::Duration;

use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::{KeychainEntry, Playbook, Task};
use noetl_domain::result::Stored;

pub use sources::{Brief, Slice, SourceError, Sources};

use crate::evidence::{Baseline, Child, CredentialFacts, Definition, Evidence, Recent, Run};

/// Sub-playbooks inside one another that are followed.
const DEEPEST: usize = 8;
/// Sub-playbooks of one execution that are looked into.
const MOST_FAILED: usize = 3;
const MOST_OTHERS: usize = 3;
const RECENT: usize = 20;
const LINES: usize = 500;
/// Good runs that are considered for the comparison.
const GOOD: usize = 5;
/// A result outside the log is read up to this size, and so much of all together.
const LARGEST: u64 = 4 * 1024 * 1024;
const LARGEST_TOGETHER: u64 = 16 * 1024 * 1024;
/// How long what is optional may take.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error("there is no execution {0}")]
    Unknown(ExecutionId),
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// What may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// No comparison with other executions.
    pub without_history: bool,
    /// No model writes.
    pub without_model: bool,
}

/// Collects everything that a diagnosis may look at.
pub async fn gather<S: Sources>(
    sources: &S,
    id: ExecutionId,
    options: Options,
) -> Result<Evidence, GatherError> {
    let brief = sources.brief(id).await?.ok_or(GatherError::Unknown(id))?;
    let mut evidence = one(sources, &brief, options, DEEPEST).await?;
    optional(sources, &brief, &mut evidence).await;
    Ok(evidence)
}

async fn one<S: Sources>(
    sources: &S,
    brief: &Brief,
    options: Options,
    depth: usize,
) -> Result<Evidence, SourceError> {
    let mut gaps = Vec::new();
    let mut run = log::read(sources, brief, &mut gaps).await?;
    if run.opened.is_none() && run.failures.is_empty() && run.ended.is_none() {
        // What is known is that it ended, and how.
        run.state.status = brief.status;
        let requested = Arc::make_mut(&mut run.state.requested);
        requested.path.clone_from(&brief.path);
        requested.version = brief.version;
        gaps.push("the log of this execution is gone".to_owned());
    }
    if run.status() == Status::Running && brief.status.is_final() && !run.complete {
        run.state.status = brief.status;
        gaps.push("the end of the log of this execution is gone".to_owned());
    }
    let definition = definition(sources, &brief.path, brief.version).await?;
    if definition.is_none() {
        gaps.push(format!(
            "version {} of the playbook {} is not registered any more",
            brief.version, brief.path
        ));
    }
    let failed = brief.status == Status::Failed;
    let mut baseline = None;
    let mut recent = Vec::new();
    // A child that completed may have given back something else than the one before it.
    let is_child = depth < DEEPEST;
    if !options.without_history && (is_child || brief.status != Status::Completed) {
        baseline = last_good(sources, brief, &mut gaps).await?;
        recent = others(sources, brief).await?;
        if failed && baseline.is_none() {
            gaps.push(
                "no earlier execution of this playbook completed, so there is nothing to compare with"
                    .to_owned(),
            );
        }
    }
    if failed {
        load(sources, &mut run).await;
        if let Some(baseline) = &mut baseline {
            load(sources, &mut baseline.run).await;
        }
    }
    let playbook = definition.as_ref().map(|definition| Arc::clone(&definition.playbook));
    let credentials = credentials(sources, playbook.as_deref(), brief).await?;
    let children = children(sources, &run, playbook.as_deref(), options, depth, &mut gaps).await?;
    let mut lines = sources.lines(brief.execution, LINES).await?;
    lines.reverse();
    let mut unserved = Vec::new();
    for work in &run.under_way {
        let pool = playbook.as_ref().and_then(|playbook| playbook.step(&work.step)?.pool.clone());
        if let Some(pool) = pool.filter(|pool| !sources.serves(pool)) {
            unserved.push(pool);
        }
    }
    Ok(Evidence {
        run,
        definition,
        baseline,
        children,
        credentials,
        recent,
        lines,
        unserved,
        similar: Vec::new(),
        proposals: Vec::new(),
        gaps,
    })
}

async fn definition<S: Sources>(
    sources: &S,
    path: &str,
    version: u32,
) -> Result<Option<Definition>, SourceError> {
    if path.is_empty() { Ok(None) } else { sources.definition(path, version).await }
}

/// The last execution of the same playbook that completed without an error on the way, else the last that completed.
async fn last_good<S: Sources>(
    sources: &S,
    brief: &Brief,
    gaps: &mut Vec<String>,
) -> Result<Option<Baseline>, SourceError> {
    let good = sources.others(&brief.path, Some(brief.execution), Some(Status::Completed), GOOD).await?;
    let Some(chosen) = good.iter().find(|good| good.failed_steps == 0).or_else(|| good.first()) else {
        return Ok(None);
    };
    let run = log::read(sources, chosen, gaps).await?;
    let definition = definition(sources, &chosen.path, chosen.version).await?;
    Ok(Some(Baseline { run, definition }))
}

async fn others<S: Sources>(sources: &S, brief: &Brief) -> Result<Vec<Recent>, SourceError> {
    let mut found = Vec::new();
    for other in sources.others(&brief.path, None, None, RECENT).await? {
        if other.execution == brief.execution {
            continue;
        }
        found.push(Recent {
            execution: other.execution,
            version: other.version,
            status: other.status,
            started_ms: other.started_ms,
            finished_ms: other.finished_ms,
            cause: other.error.as_ref().map(|error| Cause::of(error, None)),
        });
    }
    Ok(found)
}

/// Brings in results that lie outside the log.
async fn load<S: Sources>(sources: &S, run: &mut Run) {
    let mut left = LARGEST_TOGETHER;
    let results = run.state.steps.values().filter_map(|state| state.result.as_ref());
    let references: Vec<_> = results
        .filter_map(|result| match &result.value {
            Stored::Ref(reference) if reference.bytes <= LARGEST => Some(reference.clone()),
            Stored::Ref(_) | Stored::Inline(_) => None,
        })
        .collect();
    for reference in references {
        let Some(rest) = left.checked_sub(reference.bytes) else { break };
        // One that cannot be read is not known, which the rules can bear.
        if let Ok(Some(value)) = sources.result(&reference).await {
            left = rest;
            run.loaded.push((reference, value));
        }
    }
}

async fn children<S: Sources>(
    sources: &S,
    run: &Run,
    playbook: Option<&Playbook>,
    options: Options,
    depth: usize,
    gaps: &mut Vec<String>,
) -> Result<Vec<Child>, SourceError> {
    let mut found = Vec::new();
    // Of the one asked about that completed nothing has to be explained; what a child gave back may have to be.
    if depth == 0 || run.status() == Status::Completed && depth == DEEPEST {
        return Ok(found);
    }
    let ended_badly = |status: Status| matches!(status, Status::Failed | Status::Cancelled);
    let failed =
        run.children.iter().filter(|child| child.ended.is_some_and(|(status, _)| ended_badly(status)));
    // What a child that completed gave back may be what a later step stumbled over.
    let others =
        run.children.iter().filter(|child| !child.ended.is_some_and(|(status, _)| ended_badly(status)));
    let chosen: Vec<_> = failed.take(MOST_FAILED).chain(others.rev().take(MOST_OTHERS)).collect();
    for child in chosen {
        match sources.brief(child.execution).await? {
            Some(brief) => {
                let evidence = Box::pin(one(sources, &brief, options, depth - 1)).await?;
                found.push(Child { step: child.step.clone(), evidence: Box::new(evidence) });
            }
            None => gaps.push(format!(
                "the log of the sub-playbook {} (execution {}) is gone",
                child.path, child.execution
            )),
        }
    }
    let is_said = |step: &str| playbook.is_none_or(|playbook| playbook.step(step).is_some());
    found.retain(|child| is_said(&child.step));
    Ok(found)
}

async fn credentials<S: Sources>(
    sources: &S,
    playbook: Option<&Playbook>,
    brief: &Brief,
) -> Result<Vec<CredentialFacts>, SourceError> {
    let mut names = Vec::new();
    if let (Some(playbook), true) = (playbook, brief.status != Status::Completed) {
        playbook.steps.iter().flat_map(|step| &step.body).for_each(|task| named(task, &mut names));
        playbook.keychain.iter().for_each(|entry| named_by(entry, &mut names));
    }
    names.sort();
    names.dedup();
    let mut found = Vec::new();
    for name in names {
        let known = sources.credential(&name).await?;
        found.push(CredentialFacts { found: known, name });
    }
    Ok(found)
}

fn named(task: &Task, names: &mut Vec<String>) {
    task.auth.iter().for_each(|auth| texts(auth, names));
    task.saves.iter().filter_map(|save| save.auth.as_ref()).for_each(|auth| texts(auth, names));
    task.nested.iter().flat_map(|inner| &inner.body).for_each(|inner| named(inner, names));
}

fn named_by(entry: &KeychainEntry, names: &mut Vec<String>) {
    entry.config.get("auth").iter().for_each(|auth| texts(auth, names));
}

/// Every plain text of an `auth`; what is no name of a credential is simply not found.
fn texts(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.contains("{{") && !text.is_empty() && text.len() <= 255 => {
            names.push(text.clone());
        }
        Value::Object(map) => {
            let keys = ["credential", "key", "name", "auth", "source", "secret"];
            map.iter().for_each(|(key, value)| {
                if keys.contains(&key.as_str()) || value.is_object() {
                    texts(value, names);
                }
            });
        }
        _ => {}
    }
}

/// What only the semantic layer knows.
async fn optional<S: Sources>(sources: &S, brief: &Brief, evidence: &mut Evidence) {
    if brief.status != Status::Failed {
        return;
    }
    match tokio::time::timeout(PATIENCE, sources.proposals(&brief.path)).await {
        Ok(proposals) => evidence.proposals = proposals,
        Err(_) => evidence.gaps.push("the proposals could not be read in time".to_owned()),
    }
    match tokio::time::timeout(PATIENCE, sources.similar(brief)).await {
        Ok(similar) => evidence.similar = similar,
        Err(_) => evidence.gaps.push("the semantic layer did not answer in time".to_owned()),
    }
}
