//! `simulate_proposal`: what a Proposal would have done to the executions of its window.

use noetl_api::chat::ColumnKind as K;
use noetl_api::show::milliseconds;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Replays a proposal over the executions that its data came from: how many would have \
    failed, how long they would have taken. Nothing is changed.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Id of the proposal.
    id: String,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let found = answers.simulate(&input.id).await?;
    let mut answer = Answer::of(&found);
    let mut table = Table::new(
        "simulation",
        &[("what", K::Name), ("before", K::Name), ("after", K::Name), ("between", K::Name)],
    );
    let failed = &found.failed_after;
    let first = table.row(vec![
        json!("failed executions"),
        json!(found.failed_before.to_string()),
        json!(format!("{:.0}", failed.value)),
        json!(format!("{:.0} and {:.0}", failed.low, failed.high)),
    ]);
    let time = &found.duration_ms_after;
    let second = table.row(vec![
        json!("median time"),
        json!(milliseconds(found.duration_ms_before)),
        json!(milliseconds(time.value)),
        json!(format!("{} and {}", milliseconds(time.low), milliseconds(time.high))),
    ]);
    table.give(&mut answer);
    answer.say(format!(
        "{} of the executions failed; it would have been {:.0} [e:{first}].",
        found.failed_before, failed.value
    ));
    answer.say(format!(
        "The median time was {}; it would have been {} [e:{second}].",
        milliseconds(found.duration_ms_before),
        milliseconds(time.value)
    ));
    let replayed = format!("{} executions replayed, {} undecided", found.executions, found.undecided);
    let reference = answer.fact("simulation", &replayed, "simulate_proposal");
    answer.say(format!("{replayed} [e:{reference}]."));
    answer.notes.push(found.reading);
    Ok(answer)
}
