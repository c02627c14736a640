//! `playbook`: what a playbook does, as the catalog has it; without a path, which there are.

use noetl_api::catalog::CatalogEntry;
use noetl_api::chat::ColumnKind as K;
use noetl_domain::dialect;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "The definition of a playbook: its steps, their tools and where they lead, and its text; or, \
    without a path, the list of all playbooks.";

const MOST: usize = 100;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Path of the playbook; the list of all of them unless given.
    path: Option<String>,
    /// Version; the newest unless given.
    version: Option<u32>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    match input.path {
        Some(path) => Ok(one(&answers.playbook(&path, input.version).await?)),
        None => Ok(list(&answers.playbooks().await?)),
    }
}

fn one(entry: &CatalogEntry) -> Answer {
    let mut answer = Answer::of(entry);
    answer.about.playbook = Some(entry.path.clone());
    let mut steps = Table::new(
        format!("steps of {}", entry.path),
        &[("step", K::Name), ("tools", K::Names), ("loop", K::Name), ("leads to", K::Names)],
    );
    let content = entry.content.as_deref().unwrap_or_default();
    let listed = dialect::read(content).playbook.map(|playbook| playbook.steps).unwrap_or_default();
    for step in &listed {
        let kinds: Vec<&str> = step.body.iter().map(|task| task.kind.as_str()).collect();
        let onward: Vec<&str> =
            step.routes.arcs.iter().chain(&step.routes.otherwise).map(|arc| arc.to.as_str()).collect();
        steps.row(vec![
            json!(step.name),
            json!(kinds),
            json!(if step.looped.is_some() { "yes" } else { "" }),
            json!(onward),
        ]);
    }
    steps.give(&mut answer);
    let whole = format!("{} v{}, {} steps", entry.path, entry.version, listed.len());
    let reference = answer.fact("playbook", &whole, "playbook");
    let described = entry.description.as_deref().map(|text| {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "'");
        format!(": \"{line}\"")
    });
    answer.say(format!(
        "`{}` v{} has {} steps{} [e:{reference}].",
        entry.path,
        entry.version,
        listed.len(),
        described.unwrap_or_default()
    ));
    answer
}

fn list(entries: &[CatalogEntry]) -> Answer {
    let mut answer = Answer::of(&entries);
    let mut table = Table::new(
        "playbooks",
        &[("playbook", K::Name), ("version", K::Number), ("description", K::Text), ("since", K::Moment)],
    );
    for entry in entries.iter().take(MOST) {
        table.row_as(
            format!("playbook:{}@{}", entry.path, entry.version),
            vec![json!(entry.path), json!(entry.version), json!(entry.description), json!(entry.created_at)],
        );
    }
    table.give(&mut answer);
    let count = format!("{} playbooks", entries.len());
    let reference = answer.fact("playbooks", &count, "playbook");
    answer.say(format!("{count} are registered [e:{reference}]."));
    if entries.len() > MOST {
        answer.notes.push(format!("the first {MOST} are shown"));
    }
    answer
}
