//! `events`: the log of an execution, a bounded part of it.

use noetl_api::chat::ColumnKind as K;
use noetl_api::event::EventFilter;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::executions::{Which, newest};
use super::table::Table;
use super::window::maybe_stretch;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Events of one execution in their order: what happened when, in which step, and how it \
    ended. At most 200 of them.";

const USUAL: u32 = 50;
const MOST: u32 = 200;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Id of the execution; the newest one that fits the other fields unless given.
    execution_id: Option<String>,
    /// Path of the playbook, to name its newest execution.
    playbook: Option<String>,
    /// With no id: the newest one in this state, such as FAILED.
    status: Option<String>,
    /// With no id: one that started since: 30m, 24h, 7d, 4w back, or a moment in RFC 3339.
    since: Option<String>,
    /// With no id: one that started before, in the same forms.
    until: Option<String>,
    /// Only events of this step.
    step: Option<String>,
    /// Only events of this name, such as call.error.
    event_type: Option<String>,
    /// Only events after this seq.
    after: Option<u64>,
    /// How many at most.
    limit: Option<u32>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let which = Which { execution_id: input.execution_id, playbook: input.playbook, status: input.status };
    let within = maybe_stretch(input.since.as_deref(), input.until.as_deref())?;
    let id = newest(answers, &which, within).await?;
    let filter = EventFilter {
        step: input.step,
        event_type: input.event_type,
        after: input.after,
        limit: Some(input.limit.unwrap_or(USUAL).clamp(1, MOST)),
        ..EventFilter::default()
    };
    let found = answers.events(id, &filter).await?;
    let mut answer = Answer::of(&found);
    answer.about.execution_id = Some(id.to_string());
    let mut table = Table::new(
        format!("events of {id}"),
        &[
            ("seq", K::Number),
            ("at", K::Moment),
            ("event", K::Name),
            ("step", K::Name),
            ("status", K::Name),
            ("time", K::Milliseconds),
            ("error", K::Text),
        ],
    );
    for event in &found.events {
        table.row_as(
            event.event_id.to_string(),
            vec![
                json!(event.seq),
                json!(event.created_at),
                json!(event.event_type),
                json!(event.node_name),
                json!(event.status),
                json!(event.duration.map(|seconds| seconds * 1_000.0)),
                json!(event.error),
            ],
        );
    }
    table.give(&mut answer);
    let errors: Vec<_> = found.events.iter().filter(|event| event.error.is_some()).collect();
    let count = format!("{} events, {} of them with an error", found.events.len(), errors.len());
    let reference = answer.fact("events", format!("{count}, execution {id}"), "events");
    answer.say(format!("Execution {id} is {}: {count} [e:{reference}].", found.status));
    if let Some(first) = errors.first() {
        let step = first.node_name.as_deref().unwrap_or("the execution");
        answer.say(format!("The first error is in `{step}` [e:{}].", first.event_id));
    }
    if let Some(after) = found.next_after {
        answer.notes.push(format!("there are more: ask for those after seq {after}"));
    }
    Ok(answer)
}
