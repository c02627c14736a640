//! `similar`: what is like an execution, or like a playbook.

use noetl_api::chat::ColumnKind as K;
use noetl_api::search::{Ended, SearchQuestion};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::executions::{Which, newest};
use super::search::{hits_table, name_of, row};
use super::table::Table;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "What is like an execution (other failures and executions, and what ended them), or which \
    playbooks are like a playbook. The newest failed execution where nothing is named.";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Id of an execution, or of an event that tells of a failure.
    id: Option<String>,
    /// Path of a playbook: other playbooks like it.
    playbook: Option<String>,
    /// Path of a playbook whose newest failed execution is meant.
    last_failure_of: Option<String>,
    /// How many of each at most.
    limit: Option<u64>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    match (input.id, input.playbook) {
        (Some(id), _) => like_execution(answers, &id, input.limit).await,
        (None, Some(playbook)) => like_playbook(answers, &playbook, input.limit).await,
        (None, None) => {
            let which = Which {
                playbook: input.last_failure_of,
                status: Some("FAILED".to_owned()),
                ..Which::default()
            };
            let id = newest(answers, &which, None).await?;
            like_execution(answers, &id.to_string(), input.limit).await
        }
    }
}

async fn like_execution<A: Answers>(answers: &A, id: &str, limit: Option<u64>) -> Result<Answer, Trouble> {
    let found = answers.similar(id, limit.or(Some(8))).await?;
    let mut answer = Answer::of(&found);
    answer.notes.extend(found.note.clone());
    answer.about.execution_id = Some(found.of.execution.execution_id.clone()).filter(|id| !id.is_empty());
    answer.about.playbook = Some(found.of.execution.playbook.clone()).filter(|path| !path.is_empty());
    let mut failures = Table::new(
        "failures like it",
        &[
            ("like", K::Number),
            ("same", K::Name),
            ("message", K::Text),
            ("playbook", K::Name),
            ("step", K::Name),
            ("cause", K::Name),
            ("count", K::Number),
            ("last", K::Moment),
            ("now", K::Name),
            ("execution", K::Id),
        ],
    );
    for one in &found.failures {
        let facts = &one.facts;
        let reference = failures.row(vec![
            json!(one.score),
            json!(if one.is_same { "the same" } else { "" }),
            json!(facts.text.chars().take(200).collect::<String>()),
            json!(facts.playbook),
            json!(facts.step),
            json!(facts.cause),
            json!(facts.count),
            json!(facts.at),
            json!(ended(&one.ended)),
            json!(facts.execution_id),
        ]);
        if answer.reading.is_empty() {
            answer.say(format!(
                "The likest failure is in step `{}` of `{}`, seen {} times; it is {} [e:{reference}].",
                facts.step,
                facts.playbook,
                facts.count,
                ended(&one.ended)
            ));
        }
    }
    failures.give(&mut answer);
    let mut executions = Table::new(
        "executions like it",
        &[
            ("like", K::Number),
            ("execution", K::Id),
            ("status", K::Name),
            ("time", K::Milliseconds),
            ("ended", K::Moment),
        ],
    );
    for one in &found.executions {
        let facts = &one.facts;
        executions.row_as(
            format!("execution:{}", facts.execution_id),
            vec![
                json!(one.score),
                json!(facts.execution_id),
                json!(facts.status),
                json!(facts.duration_ms),
                json!(facts.at),
            ],
        );
    }
    executions.give(&mut answer);
    let count =
        format!("{} failures and {} executions like it", found.failures.len(), found.executions.len());
    let reference = answer.fact("similar", &count, "similar");
    answer.say(format!("{count} [e:{reference}]."));
    Ok(answer)
}

/// What became of a failure, in words of ours.
fn ended(ended: &Ended) -> String {
    let by = match ended.by.as_deref() {
        Some("version") => " since a new version",
        Some("retry") => " since a retry",
        _ => "",
    };
    match ended.state.as_str() {
        "happening" => "still happening".to_owned(),
        "gone" => format!("gone{by}"),
        "quiet" => format!("quiet{by}"),
        _ => "not known to have ended".to_owned(),
    }
}

async fn like_playbook<A: Answers>(answers: &A, path: &str, limit: Option<u64>) -> Result<Answer, Trouble> {
    let known = answers.playbook(path, None).await?;
    let about = [
        known.name.as_str(),
        known.description.as_deref().unwrap_or_default(),
        &path.replace(['/', '_', '-'], " "),
    ];
    let limit = limit.unwrap_or(8);
    let question = SearchQuestion {
        q: about.join(" ").chars().take(2_000).collect(),
        kind: Some("playbook".to_owned()),
        limit: Some(limit + 1),
        ..SearchQuestion::default()
    };
    let mut found = answers.search(&question).await?;
    found.hits.retain(|hit| hit.facts.playbook != path);
    found.hits.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut answer = Answer::of(&found);
    answer.notes.extend(found.note.clone());
    answer.about.playbook = Some(path.to_owned());
    let mut table = hits_table(&format!("playbooks like {path}"));
    for hit in &found.hits {
        let reference = table.row_as(name_of(hit), row(hit));
        if answer.reading.is_empty() {
            answer.say(format!("The likest to `{path}` is `{}` [e:{reference}].", hit.facts.playbook));
        }
    }
    table.give(&mut answer);
    if found.hits.is_empty() {
        let reference = answer.fact("found", "0 other playbooks", "similar");
        answer.say(format!("No other playbook is like `{path}`: 0 found [e:{reference}]."));
    }
    Ok(answer)
}
