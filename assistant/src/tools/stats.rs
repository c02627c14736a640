//! `stats`: how long a playbook takes, how often it fails, what it costs.

use noetl_api::chat::ColumnKind as K;
use noetl_api::show::{milliseconds, percent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::window::filter;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "The history of one playbook and its steps: durations, failure rates with intervals, \
    retries that helped, cost, by step, by version and by pool. For questions such as how long it takes, how often it \
    fails, whether retries help, what it costs.";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Path of the playbook.
    playbook: String,
    /// Name of a step; all of them unless given.
    #[serde(default)]
    step: Option<String>,
    /// Beginning: 30m, 24h, 7d, 4w back, or a moment in RFC 3339; 30d unless given.
    #[serde(default)]
    since: Option<String>,
    /// End, in the same forms; now unless given.
    #[serde(default)]
    until: Option<String>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let mut asked = filter(input.since, input.until, None);
    (asked.playbook, asked.step) = (Some(input.playbook.clone()), input.step.clone());
    let found = answers.stats(&asked).await?;
    let mut answer = Answer::of(&found);
    (answer.about.playbook, answer.about.step) = (Some(input.playbook), input.step.clone());
    let executions = &found.executions;
    let whole = format!(
        "{} executions, {} failed ({}, between {} and {}), median {}, p95 {}",
        executions.total,
        executions.failed,
        percent(executions.failure_rate.value),
        percent(executions.failure_rate.low),
        percent(executions.failure_rate.high),
        milliseconds(executions.duration_ms.p50),
        milliseconds(executions.duration_ms.p95),
    );
    let reference = answer.fact("stats", &whole, "stats");
    answer.say(format!("`{}`: {whole} [e:{reference}].", found.playbook));
    let mut steps = Table::new(
        format!("steps of {}", found.playbook),
        &[
            ("step", K::Name),
            ("tool", K::Name),
            ("runs", K::Number),
            ("failed", K::Number),
            ("failure rate", K::Share),
            ("median", K::Milliseconds),
            ("p95", K::Milliseconds),
            ("retried", K::Number),
            ("rescued", K::Number),
            ("result", K::Bytes),
            ("queue", K::Milliseconds),
            ("work s", K::Number),
        ],
    );
    for step in &found.steps {
        let reference = steps.row(vec![
            json!(step.step),
            json!(step.tool),
            json!(step.runs),
            json!(step.failed),
            json!(step.failure_rate.value),
            json!(step.total_ms.p50),
            json!(step.total_ms.p95),
            json!(step.retried),
            json!(step.rescued),
            json!(step.bytes_out.p50),
            json!(step.queue_ms),
            json!(step.work_seconds),
        ]);
        if input.step.as_ref() == Some(&step.step) {
            answer.say(format!(
                "Step `{}` ran {} times, {} failed, median {}, p95 {}; {} needed a retry and {} of them completed [e:{reference}].",
                step.step,
                step.runs,
                step.failed,
                milliseconds(step.total_ms.p50),
                milliseconds(step.total_ms.p95),
                step.retried,
                step.rescued,
            ));
        }
    }
    steps.give(&mut answer);
    if found.versions.len() > 1 {
        let mut versions = Table::new(
            "runs of steps by version",
            &[
                ("version", K::Number),
                ("runs", K::Number),
                ("failure rate", K::Share),
                ("median", K::Milliseconds),
            ],
        );
        for version in &found.versions {
            versions.row(vec![
                json!(version.version),
                json!(version.runs),
                json!(version.failure_rate.value),
                json!(version.total_ms.p50),
            ]);
        }
        versions.give(&mut answer);
    }
    Ok(answer)
}
