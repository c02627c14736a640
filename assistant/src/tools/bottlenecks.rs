//! `bottlenecks`: where the time of a playbook goes.

use noetl_api::chat::ColumnKind as K;
use noetl_api::show::{milliseconds, percent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::window::filter;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Where the time of one playbook goes: the steps on the critical path, their share, their \
    trend, and when the whole meets its deadline. For questions such as which step is slowest or what holds it up.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Path of the playbook.
    playbook: String,
    /// Beginning: 30m, 24h, 7d, 4w back, or a moment in RFC 3339; 30d unless given.
    #[serde(default)]
    since: Option<String>,
    /// End, in the same forms; now unless given.
    #[serde(default)]
    until: Option<String>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let mut asked = filter(input.since, input.until, None);
    asked.playbook = Some(input.playbook.clone());
    let found = answers.bottlenecks(&asked).await?;
    let mut answer = Answer::of(&found);
    answer.about.playbook = Some(input.playbook);
    let mut table = Table::new(
        format!("where the time of {} goes", found.playbook),
        &[
            ("step", K::Name),
            ("tool", K::Name),
            ("share", K::Share),
            ("median", K::Milliseconds),
            ("p95", K::Milliseconds),
            ("queue", K::Milliseconds),
            ("on path", K::Share),
            ("per day", K::Milliseconds),
        ],
    );
    for step in &found.steps {
        let trend = step.trend.is_clear.then_some(step.trend.ms_per_day);
        let reference = table.row(vec![
            json!(step.step),
            json!(step.tool),
            json!(step.share),
            json!(step.path_ms.p50),
            json!(step.path_ms.p95),
            json!(step.queue_ms),
            json!(step.on_path),
            json!(trend),
        ]);
        if answer.reading.is_empty() {
            answer.say(format!(
                "Step `{}` takes most of the time of `{}`: {} of it, {} at the median [e:{reference}].",
                step.step,
                found.playbook,
                percent(step.share),
                milliseconds(step.path_ms.p50),
            ));
            answer.about.step = Some(step.step.clone());
        }
    }
    let is_empty = table.is_empty();
    table.give(&mut answer);
    let whole = format!(
        "{} completed executions, median {}, p95 {}",
        found.executions,
        milliseconds(found.duration_ms.p50),
        milliseconds(found.duration_ms.p95)
    );
    let reference = answer.fact("executions", &whole, "bottlenecks");
    if is_empty {
        answer
            .say(format!("`{}` has 0 completed executions in this stretch [e:{reference}].", found.playbook));
    } else {
        answer.say(format!("Over {whole} [e:{reference}]."));
    }
    answer.notes = found.notes;
    Ok(answer)
}
