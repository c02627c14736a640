//! `clusters`: failures that say the same thing.

use noetl_api::chat::ColumnKind as K;
use noetl_api::show::moment;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::window::filter;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Failures grouped by what they say, most frequent first: how often, since when, where, \
    whether they become more or fewer than in the stretch before. For questions such as what fails most, what is new, \
    which errors there are.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct Input {
    /// Path of a playbook; all of them unless given.
    playbook: Option<String>,
    /// Beginning: 30m, 24h, 7d, 4w back, or a moment in RFC 3339; 7d unless given.
    since: Option<String>,
    /// End, in the same forms; now unless given.
    until: Option<String>,
    /// How many at most.
    limit: Option<u64>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let mut asked = filter(input.since, input.until, input.limit.or(Some(15)));
    asked.playbook = input.playbook;
    let found = answers.clusters(&asked).await?;
    let mut answer = Answer::of(&found);
    let mut table = Table::new(
        "failures that say the same thing",
        &[
            ("count", K::Number),
            ("trend", K::Name),
            ("cause", K::Name),
            ("template", K::Template),
            ("playbooks", K::Names),
            ("steps", K::Names),
            ("first seen", K::Moment),
            ("last seen", K::Moment),
            ("handled", K::Number),
            ("before", K::Number),
            ("such as", K::Id),
        ],
    );
    for cluster in &found {
        let reference = table.row_as(
            format!("fingerprint:{}", cluster.fingerprint),
            vec![
                json!(cluster.count),
                json!(cluster.trend),
                json!(cluster.cause),
                json!(cluster.template),
                json!(cluster.playbooks),
                json!(cluster.steps),
                json!(cluster.first_seen),
                json!(cluster.last_seen),
                json!(cluster.handled),
                json!(cluster.before),
                json!(cluster.example.execution_id),
            ],
        );
        if answer.reading.is_empty() {
            answer.say(format!(
                "Most often: \"{}\", {} times ({}), seen first {} [e:{reference}].",
                cluster.template.replace('"', "'"),
                cluster.count,
                trend(&cluster.trend, cluster.before),
                moment(&cluster.first_seen),
            ));
            answer.about.execution_id = Some(cluster.example.execution_id.clone());
            if let ([playbook], step) = (cluster.playbooks.as_slice(), cluster.steps.first()) {
                answer.about.playbook = Some(playbook.clone());
                answer.about.step = step.cloned();
            }
        }
    }
    table.give(&mut answer);
    let all: u64 = found.iter().map(|cluster| cluster.count).sum();
    let total = answer.fact("failures", format!("{all} failures of {} kinds", found.len()), "clusters");
    match found.as_slice() {
        [] => answer.say(format!("No step failed in this stretch: 0 failures [e:{total}].")),
        [_] => {}
        more => answer.say(format!("In all {all} failures of {} kinds [e:{total}].", more.len())),
    }
    Ok(answer)
}

fn trend(trend: &str, before: u64) -> String {
    match trend {
        "new" => "new: never before".to_owned(),
        trend => format!("{trend}: {before} in the stretch before"),
    }
}
