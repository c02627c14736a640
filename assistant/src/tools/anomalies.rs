//! `anomalies`: steps that are not as they used to be.

use noetl_api::chat::{ColumnKind as K, shown};
use noetl_api::insight::Anomaly;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::window::filter;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Steps whose duration, failure rate, result size or attempts differ from their own \
    history by more than chance would. For questions such as whether anything is unusual, slower, or different today.";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Path of a playbook; all of them unless given.
    playbook: Option<String>,
    /// Name of a step; all of them unless given.
    step: Option<String>,
    /// Beginning: 30m, 24h, 7d, 4w back, or a moment in RFC 3339; 24h unless given.
    since: Option<String>,
    /// End, in the same forms; now unless given.
    until: Option<String>,
    /// How many at most.
    limit: Option<u64>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let mut asked = filter(input.since, input.until, input.limit.or(Some(15)));
    (asked.playbook, asked.step) = (input.playbook, input.step);
    let found = answers.anomalies(&asked).await?;
    let mut answer = Answer::of(&found);
    let mut table = Table::new(
        "steps that are not as they used to be",
        &[
            ("playbook", K::Name),
            ("step", K::Name),
            ("what", K::Name),
            ("now", K::Name),
            ("before", K::Name),
            ("runs", K::Number),
            ("runs before", K::Number),
            ("chance", K::Name),
            ("such as", K::Id),
        ],
    );
    for anomaly in &found.anomalies {
        let (now, before) = (number(anomaly, anomaly.value), number(anomaly, anomaly.baseline));
        let what = anomaly.measure.replace('_', " ");
        let reference = table.row(vec![
            json!(anomaly.playbook),
            json!(anomaly.step),
            json!(format!("{what} {}", anomaly.direction)),
            json!(now),
            json!(before),
            json!(anomaly.runs),
            json!(anomaly.baseline_runs),
            json!(if anomaly.q_value < 0.0001 {
                "< 0.0001".to_owned()
            } else {
                format!("{:.4}", anomaly.q_value)
            }),
            json!(anomaly.executions.first()),
        ]);
        if answer.reading.is_empty() {
            answer.say(format!(
                "Most unusual: the {what} of step `{}` of `{}` is {now}, before it was {before} [e:{reference}].",
                anomaly.step, anomaly.playbook
            ));
            answer.about.playbook = Some(anomaly.playbook.clone());
            answer.about.step = Some(anomaly.step.clone());
            answer.about.execution_id = anomaly.executions.first().cloned();
        }
    }
    table.give(&mut answer);
    let judged = answer.fact(
        "judged",
        format!("{} pairs of step and measure had runs enough to be judged", found.judged),
        "anomalies",
    );
    match (found.anomalies.len(), found.judged) {
        (0, 0) => answer
            .say(format!("Nothing can be said yet: 0 measures had runs enough to be judged [e:{judged}].")),
        (0, measures) => answer.say(format!("Nothing unusual among {measures} measures [e:{judged}].")),
        (_, measures) => answer.say(format!("Looked at {measures} measures [e:{judged}].")),
    }
    Ok(answer)
}

fn number(anomaly: &Anomaly, value: f64) -> String {
    let kind = match anomaly.measure.as_str() {
        "duration" => K::Milliseconds,
        "payload_size" => K::Bytes,
        _ => K::Share,
    };
    shown(kind, &json!(value))
}
