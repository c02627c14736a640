//! `search`: failures, executions, playbooks and knowledge by meaning and by words.

use noetl_api::chat::ColumnKind as K;
use noetl_api::search::{Hit, SearchQuestion};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Finds failures, executions, playbooks and documents by meaning and by words. For questions \
    such as have we seen this error, which playbook loads the orders, what do our documents say about it.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// What is looked for, in anybody's words.
    q: String,
    /// failure, execution, playbook or knowledge; all of them unless given.
    #[serde(default)]
    kind: Option<String>,
    /// Path of a playbook.
    #[serde(default)]
    playbook: Option<String>,
    /// How far back: 30m, 24h, 7d, 4w, or a moment in RFC 3339.
    #[serde(default)]
    since: Option<String>,
    /// How many at most.
    #[serde(default)]
    limit: Option<u64>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let question = SearchQuestion {
        q: input.q,
        kind: input.kind,
        playbook: input.playbook,
        since: input.since,
        limit: input.limit.or(Some(8)),
        filter: None,
    };
    let found = answers.search(&question).await?;
    let mut answer = Answer::of(&found);
    answer.notes.extend(found.note.clone());
    let mut table = hits_table("found");
    for hit in &found.hits {
        let reference = table.row_as(name_of(hit), row(hit));
        if answer.reading.is_empty() {
            answer.say(best(hit, &reference));
            answer.about.playbook = Some(hit.facts.playbook.clone()).filter(|path| !path.is_empty());
            answer.about.execution_id = Some(hit.facts.execution_id.clone()).filter(|id| !id.is_empty());
            answer.about.step = Some(hit.facts.step.clone()).filter(|step| !step.is_empty());
        }
    }
    table.give(&mut answer);
    if found.hits.is_empty() {
        let reference = answer.fact("found", "0 results", "search");
        answer.say(format!("Nothing like it is known: 0 results [e:{reference}]."));
    }
    Ok(answer)
}

pub(super) fn hits_table(title: &str) -> Table {
    Table::new(
        title,
        &[
            ("kind", K::Name),
            ("like", K::Number),
            ("what", K::Text),
            ("playbook", K::Name),
            ("step", K::Name),
            ("cause", K::Name),
            ("count", K::Number),
            ("last", K::Moment),
            ("execution", K::Id),
        ],
    )
}

/// What citations call a result.
pub(super) fn name_of(hit: &Hit) -> String {
    let facts = &hit.facts;
    match hit.kind.as_str() {
        "failure" => format!("fingerprint:{}", facts.fingerprint),
        "execution" => format!("execution:{}", facts.execution_id),
        "playbook" => format!("playbook:{}@{}", facts.playbook, facts.version),
        _ => format!("document:{}", facts.source),
    }
}

pub(super) fn row(hit: &Hit) -> Vec<serde_json::Value> {
    let facts = &hit.facts;
    let some = |text: &String| if text.is_empty() { json!(null) } else { json!(text) };
    let what = match hit.kind.as_str() {
        "knowledge" if !facts.title.is_empty() => format!("{}: {}", facts.title, facts.text),
        _ => facts.text.clone(),
    };
    vec![
        json!(hit.kind),
        json!(hit.score),
        json!(what.chars().take(300).collect::<String>()),
        some(&facts.playbook),
        some(&facts.step),
        some(&facts.cause),
        if facts.count > 0 { json!(facts.count) } else { json!(null) },
        some(&facts.at),
        some(&facts.execution_id),
    ]
}

fn best(hit: &Hit, reference: &str) -> String {
    let facts = &hit.facts;
    let quoted: String = facts
        .text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('"', "'")
        .chars()
        .take(160)
        .collect();
    match hit.kind.as_str() {
        "failure" => format!(
            "The likest is a failure of step `{}` of `{}`: \"{quoted}\" [e:{reference}].",
            facts.step, facts.playbook
        ),
        "execution" => {
            format!("The likest is an execution of `{}`: \"{quoted}\" [e:{reference}].", facts.playbook)
        }
        "playbook" => {
            format!("The likest is the playbook `{}`: \"{quoted}\" [e:{reference}].", facts.playbook)
        }
        _ => format!("The likest is in `{}`: \"{quoted}\" [e:{reference}].", facts.source),
    }
}
