//! `what_if`: what is known of another value of a parameter: what versions that ran with other values measured, and what
//! the laws expect that Proposals are made with.

use chrono::Duration;
use noetl_api::chat::ColumnKind as K;
use noetl_api::insight::SqlQuestion;
use noetl_api::show::{milliseconds, percent};
use noetl_api::what_if::{Foreseen, WhatIf, WhatIfParameter};
use noetl_domain::dialect::{self, patch};
use noetl_domain::playbook::{Playbook, Step};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::counts::{number, quoted};
use super::table::Table;
use super::{Answer, Answers, Trouble, stretch};
use crate::proposal::written;

pub(super) const DESCRIPTION: &str = "What history says about another value of a parameter of a step (batch size, elements side by \
    side, attempts, timeout): how the versions that ran with different values fared, and what the laws fitted to its history expect. For questions such as what would \
    happen with batch size 500.";

/// Versions that are looked back over.
const VERSIONS: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Parameter {
    BatchSize,
    MaxInFlight,
    MaxAttempts,
    /// In seconds.
    Timeout,
}

impl Parameter {
    fn name(self) -> &'static str {
        match self {
            Self::BatchSize => "batch size",
            Self::MaxInFlight => "elements side by side",
            Self::MaxAttempts => "attempts",
            Self::Timeout => "timeout in seconds",
        }
    }

    fn asked(self) -> WhatIfParameter {
        match self {
            Self::BatchSize => WhatIfParameter::BatchSize,
            Self::MaxInFlight => WhatIfParameter::MaxInFlight,
            Self::MaxAttempts => WhatIfParameter::MaxAttempts,
            Self::Timeout => WhatIfParameter::Timeout,
        }
    }

    /// What a step says about it; none where it says nothing.
    fn of(self, playbook: &Playbook, step: &Step) -> Option<f64> {
        // Where a change would be written, and where older generations of the language say it.
        patch::current(playbook, &step.name, written(self.asked()))
            .ok()
            .as_ref()
            .and_then(number)
            .or_else(|| self.in_step(step))
    }

    fn in_step(self, step: &Step) -> Option<f64> {
        let looped = step.looped.as_ref();
        let task = step.body.first();
        let value = match self {
            Self::BatchSize => looped?.chunk.as_ref(),
            Self::MaxInFlight => looped?.max_in_flight.as_ref(),
            Self::MaxAttempts => {
                let retry = step.retry.first().or_else(|| task?.retry.first());
                Some(&retry?.max_attempts)
            }
            Self::Timeout => step.timeout_seconds.as_ref().or_else(|| task?.timeout_seconds.as_ref()),
        };
        number(value?)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Path of the playbook.
    playbook: String,
    /// Name of the step; the one that has the parameter unless given.
    #[serde(default)]
    step: Option<String>,
    /// What would be changed.
    parameter: Parameter,
    /// The value it would have.
    value: f64,
    /// Beginning: 30m, 24h, 7d, 4w back, or a moment in RFC 3339; 90d unless given.
    #[serde(default)]
    since: Option<String>,
}

/// How one version of a step fared.
struct Fared {
    version: u64,
    runs: u64,
    failed: u64,
    median_ms: f64,
    ms_per_item: f64,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let newest = answers.playbook(&input.playbook, None).await?;
    let definition = read(newest.content.as_deref());
    let mut answer = Answer::default();
    answer.about.playbook = Some(input.playbook.clone());
    let Some(step) = step_of(definition.as_ref(), &input) else {
        let reference = answer.fact("playbook", format!("{} v{}", newest.path, newest.version), "what_if");
        answer.say(format!(
            "No step of `{}` v{} says anything about {} [e:{reference}].",
            newest.path,
            newest.version,
            input.parameter.name()
        ));
        answer
            .notes
            .push("name the step, as in: what would happen with batch size 500 in step load".to_owned());
        return Ok(answer);
    };
    answer.about.step = Some(step.clone());
    let fared = fared(answers, &input, &step).await?;
    let mut known: Vec<(f64, Fared)> = Vec::new();
    for one in fared {
        let version = u32::try_from(one.version).unwrap_or(u32::MAX);
        let entry = answers.playbook(&input.playbook, Some(version)).await.ok();
        let read = entry.and_then(|entry| read(entry.content.as_deref()));
        let value = read.as_ref().and_then(|playbook| input.parameter.of(playbook, playbook.step(&step)?));
        known.extend(value.map(|value| (value, one)));
    }
    known.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.version.cmp(&a.1.version)));
    told(&mut answer, &input, &step, &known);
    let question = WhatIf {
        playbook: input.playbook.clone(),
        step,
        parameter: input.parameter.asked(),
        value: input.value,
    };
    match answers.foresee(&question).await {
        Ok(foreseen) => expected(&mut answer, input.parameter, &foreseen),
        // What was measured stands without it.
        Err(trouble) => answer.notes.push(format!("nothing was expected: {trouble}")),
    }
    Ok(answer)
}

/// Adds what the laws expect.
fn expected(answer: &mut Answer, parameter: Parameter, foreseen: &Foreseen) {
    let name = parameter.name();
    if let Some(why) = &foreseen.why_not {
        let reference =
            answer.fact("expectation", format!("none for {name} {}: {why}", foreseen.value), "what_if");
        answer.say(format!(
            "The history carries no estimate for {name} {}: {why} [e:{reference}].",
            foreseen.value
        ));
        return;
    }
    let present = foreseen.present.map_or_else(|| "now".to_owned(), |value| format!("with {value}"));
    let then = format!("with {}", foreseen.value);
    let mut table = Table::new(
        format!("what is expected of {name} {}", foreseen.value),
        &[("what", K::Name), (present.as_str(), K::Name), (then.as_str(), K::Name), ("between", K::Name)],
    );
    let mut sentences = Vec::new();
    for one in &foreseen.expected {
        let show = |value: f64| shown(value, &one.then.unit);
        let between = format!("{} and {}", show(one.then.low), show(one.then.high));
        let reference = table.row(vec![
            json!(one.then.what),
            json!(show(one.now.value)),
            json!(show(one.then.value)),
            json!(between),
        ]);
        sentences.push(format!(
            "Expected {then}: {} {} (between {between}); {present}: {} [e:{reference}].",
            one.then.what,
            show(one.then.value),
            show(one.now.value)
        ));
    }
    table.give(answer);
    for sentence in sentences {
        answer.say(sentence);
    }
    answer.notes.push(format!("fitted to {} observations: {}", foreseen.n, foreseen.law));
    if foreseen.is_beyond {
        answer
            .notes
            .push(format!("{name} {} lies beyond what was seen, so take it with care", foreseen.value));
    }
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "ms per item" => format!("{} per item", milliseconds(value)),
        "share" => percent(value),
        unit => format!("{value:.1} {unit}"),
    }
}

fn read(content: Option<&str>) -> Option<Playbook> {
    dialect::read(content?).playbook
}

/// The step that was named, or the only one that has the parameter.
fn step_of(definition: Option<&Playbook>, input: &Input) -> Option<String> {
    let playbook = definition?;
    let steps = &playbook.steps;
    match &input.step {
        Some(name) => steps.iter().find(|step| step.name == *name).map(|step| step.name.clone()),
        None => steps
            .iter()
            .find(|step| input.parameter.of(playbook, step).is_some())
            .map(|step| step.name.clone()),
    }
}

async fn fared<A: Answers>(answers: &A, input: &Input, step: &str) -> Result<Vec<Fared>, Trouble> {
    let within = stretch(input.since.as_deref(), None, Duration::days(90))?;
    let query = format!(
        "SELECT version, count() AS runs, countIf(status = 'FAILED') AS failed, quantileIf(0.5)(total_ms, status = 'COMPLETED') \
         AS median_ms, sum(run_ms) / greatest(sum(iterations), 1) AS ms_per_item FROM noetl_steps FINAL WHERE playbook = {} \
         AND step = {} AND status IN ('COMPLETED', 'FAILED') AND {} GROUP BY version ORDER BY version DESC LIMIT {VERSIONS}",
        quoted(&input.playbook),
        quoted(step),
        within.sql("exited_at")
    );
    let found = answers
        .sql(&SqlQuestion { query, max_rows: Some(u64::from(VERSIONS)), max_seconds: Some(20) })
        .await?;
    let cell =
        |row: &[Value], at: usize| row.get(at).and_then(number).filter(|n| n.is_finite()).unwrap_or_default();
    let line = |row: &Vec<Value>| Fared {
        version: cell(row, 0) as u64,
        runs: cell(row, 1) as u64,
        failed: cell(row, 2) as u64,
        median_ms: cell(row, 3),
        ms_per_item: cell(row, 4),
    };
    Ok(found.rows.iter().map(line).collect())
}

fn told(answer: &mut Answer, input: &Input, step: &str, known: &[(f64, Fared)]) {
    let name = input.parameter.name();
    let mut table = Table::new(
        format!("step {step} by {name}"),
        &[
            (name, K::Number),
            ("version", K::Number),
            ("runs", K::Number),
            ("failure rate", K::Share),
            ("median", K::Milliseconds),
            ("per item", K::Milliseconds),
        ],
    );
    let mut refs = Vec::new();
    for (value, one) in known {
        refs.push(table.row(vec![
            json!(value),
            json!(one.version),
            json!(one.runs),
            json!(one.failed as f64 / one.runs.max(1) as f64),
            json!(one.median_ms),
            json!(one.ms_per_item),
        ]));
    }
    table.give(answer);
    let line = |at: usize| {
        let (value, one) = &known[at];
        format!(
            "with {name} {value} (v{}) step `{step}` took {} at the median, {} per item, and {} of {} runs failed [e:{}]",
            one.version,
            milliseconds(one.median_ms),
            milliseconds(one.ms_per_item),
            percent(one.failed as f64 / one.runs.max(1) as f64),
            one.runs,
            refs[at]
        )
    };
    let at = |wanted: &dyn Fn(f64) -> bool| known.iter().position(|(value, _)| wanted(*value));
    if let Some(exactly) = at(&|value| (value - input.value).abs() < 1e-9) {
        answer.say(format!("It was so before: {}.", line(exactly)));
        return;
    }
    let below = known.iter().rposition(|(value, _)| *value < input.value);
    let above = at(&|value| value > input.value);
    if known.is_empty() {
        let reference = answer.fact("runs", format!("0 runs of step {step} with a known {name}"), "what_if");
        answer.say(format!(
            "No run of step `{step}` tells anything: 0 runs with a known {name} [e:{reference}]."
        ));
        return;
    }
    let mut sides: Vec<String> = below.into_iter().chain(above).map(line).collect();
    if let Some(first) = sides.first_mut() {
        first.insert_str(0, "The nearest that was measured: ");
    }
    answer.say(format!("{}.", sides.join("; ")));
    answer
        .notes
        .push(format!("{name} {} never ran; what is expected of it follows from other values", input.value));
}
