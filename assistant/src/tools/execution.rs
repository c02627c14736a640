//! `execution`: where one execution stands.

use noetl_api::chat::ColumnKind as K;
use noetl_api::show::{milliseconds, moment};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::executions::{Which, newest};
use super::table::Table;
use super::window::maybe_stretch;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Where one execution stands: its state, its steps with their states and times, what it \
    waits for. The newest one of a playbook, or of all, where no id is given.";

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
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let which = Which { execution_id: input.execution_id, playbook: input.playbook, status: input.status };
    let within = maybe_stretch(input.since.as_deref(), input.until.as_deref())?;
    let id = newest(answers, &which, within).await?;
    let found = answers.execution(id).await?;
    let mut answer = Answer::of(&found);
    (answer.about.playbook, answer.about.execution_id) = (Some(found.path.clone()), Some(id.to_string()));
    let mut whole = Table::new(
        "execution",
        &[
            ("execution", K::Id),
            ("playbook", K::Name),
            ("version", K::Number),
            ("status", K::Name),
            ("started", K::Moment),
            ("time", K::Milliseconds),
            ("failed steps", K::Names),
            ("waits for", K::Names),
            ("error", K::Text),
        ],
    );
    let reference = whole.row_as(
        format!("execution:{id}"),
        vec![
            json!(id.to_string()),
            json!(found.path),
            json!(found.version),
            json!(found.status),
            json!(found.started_at),
            json!(found.duration * 1_000.0),
            json!(found.failed_steps),
            json!(found.waiting),
            json!(found.error.as_ref().map(|error| &error.message)),
        ],
    );
    whole.give(&mut answer);
    answer.say(format!(
        "Execution {id} of `{}` v{} is {}, started {}, {} so far or in all [e:{reference}].",
        found.path,
        found.version,
        found.status,
        moment(&found.started_at),
        milliseconds(found.duration * 1_000.0),
    ));
    let mut steps = Table::new(
        "steps",
        &[
            ("step", K::Name),
            ("status", K::Name),
            ("run", K::Number),
            ("time", K::Milliseconds),
            ("retries", K::Number),
            ("error", K::Text),
        ],
    );
    for step in &found.steps {
        let reference = steps.row(vec![
            json!(step.name),
            json!(step.status),
            json!(step.run),
            json!(step.duration.map(|seconds| seconds * 1_000.0)),
            json!(step.retries),
            json!(step.error.as_ref().map(|error| &error.message)),
        ]);
        if step.status == "FAILED" && answer.about.step.is_none() {
            answer.say(format!("Step `{}` failed [e:{reference}].", step.name));
            answer.about.step = Some(step.name.clone());
        }
    }
    steps.give(&mut answer);
    for pool in &found.unserved {
        answer.notes.push(pool.message.clone());
    }
    Ok(answer)
}
