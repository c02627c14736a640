//! `why`: the diagnosis of an execution.

use noetl_api::chat::ColumnKind as K;
use noetl_api::diagnosis::{Diagnosis, EvidenceStatus, Verdict};
use noetl_api::search::SearchQuestion;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::executions::{Which, newest};
use super::table::Table;
use super::window::maybe_stretch;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Why an execution failed: the step where it began, the cause, whether it lasts, what changed \
    since the last good run, and what to do. The newest failed one that fits where no id is given.";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Id of the execution; the newest failed one that fits the other fields unless given.
    execution_id: Option<String>,
    /// Path of the playbook.
    playbook: Option<String>,
    /// Only failures since: 30m, 24h, 7d, 4w back, or a moment in RFC 3339.
    since: Option<String>,
    /// Only failures until, in the same forms.
    until: Option<String>,
    /// Words that describe the failure, where neither id nor playbook is known.
    words: Option<String>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let id = find(answers, &input).await?;
    let found = answers.why(id).await?;
    let mut answer = Answer::of(&found);
    answer.about.playbook = Some(found.playbook.clone());
    answer.about.execution_id = Some(found.execution_id.clone());
    answer.about.step.clone_from(&found.root_step);
    for item in &found.evidence {
        answer.cite(item.clone());
    }
    let reference = verdict(&mut answer, &found);
    answer.say(format!(
        "Execution {} of `{}` v{} {} [e:{reference}].",
        found.execution_id,
        found.playbook,
        found.version,
        match found.verdict {
            Verdict::Failed => "failed",
            Verdict::Completed => "did not fail: it completed",
            Verdict::Running => "has not ended",
            Verdict::Cancelled => "was cancelled",
        }
    ));
    answer.say(&found.explanation);
    let mut next = Table::new("what to do", &[("what", K::Text), ("command", K::Text), ("page", K::Name)]);
    for advice in &found.recommendations {
        next.row(vec![json!(advice.text), json!(advice.command), json!(advice.code)]);
    }
    next.give(&mut answer);
    let mut changes = Table::new(
        "what changed since the last good run",
        &[("kind", K::Name), ("what", K::Text), ("before", K::Text), ("after", K::Text)],
    );
    for change in &found.contributing {
        changes.row(vec![json!(change.kind), json!(change.what), json!(change.before), json!(change.after)]);
    }
    changes.give(&mut answer);
    answer.notes.extend(found.evidence_gaps.iter().cloned());
    Ok(answer)
}

/// The verdict as a table, and its name.
fn verdict(answer: &mut Answer, found: &Diagnosis) -> String {
    let mut table = Table::new(
        "diagnosis",
        &[
            ("execution", K::Id),
            ("playbook", K::Name),
            ("version", K::Number),
            ("root step", K::Name),
            ("cause", K::Name),
            ("meaning", K::Name),
            ("lasts", K::Name),
            ("evidence", K::Name),
            ("sure", K::Share),
        ],
    );
    let has_cause = found.cause.is_some();
    let status = match found.evidence_status {
        EvidenceStatus::Confirmed => "confirmed",
        EvidenceStatus::Hypothesis => "hypothesis",
        EvidenceStatus::Insufficient => "not sufficient",
    };
    let reference = table.row_as(
        format!("execution:{}", found.execution_id),
        vec![
            json!(found.execution_id),
            json!(found.playbook),
            json!(found.version),
            json!(found.root_step),
            json!(found.cause),
            json!(found.meaning),
            json!(found.transience.map(noetl_api::diagnosis::Transience::as_str)),
            json!(has_cause.then_some(status)),
            json!(has_cause.then_some(found.confidence)),
        ],
    );
    table.give(answer);
    reference
}

async fn find<A: Answers>(answers: &A, input: &Input) -> Result<ExecutionId, Trouble> {
    let within = maybe_stretch(input.since.as_deref(), input.until.as_deref())?;
    if input.execution_id.is_none()
        && input.playbook.is_none()
        && let Some(words) = &input.words
        && let Some(id) = searched(answers, words, input.since.clone()).await
    {
        return Ok(id);
    }
    let failed = Some("FAILED".to_owned());
    let which =
        Which { execution_id: input.execution_id.clone(), playbook: input.playbook.clone(), status: failed };
    newest(answers, &which, within).await.map_err(|trouble| {
        if trouble.is(&[Code::UnknownExecution]) {
            trouble.hint("nothing failed; `noetl executions` lists what ran")
        } else {
            trouble
        }
    })
}

/// The failure that words describe best; none where nothing is like them, or where the vectors are off.
async fn searched<A: Answers>(answers: &A, words: &str, since: Option<String>) -> Option<ExecutionId> {
    let question = SearchQuestion {
        q: words.to_owned(),
        kind: Some("failure".to_owned()),
        since,
        limit: Some(3),
        ..SearchQuestion::default()
    };
    let found = answers.search(&question).await.ok()?;
    found.hits.iter().find_map(|hit| hit.facts.execution_id.parse().ok())
}
