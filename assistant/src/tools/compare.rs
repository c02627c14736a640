//! `compare`: two executions side by side.

use noetl_api::chat::{ColumnKind as K, shown};
use noetl_api::execution::ExecutionFilter;
use noetl_api::insight::{Shape, Side, StepSide};
use noetl_api::show::milliseconds;
use noetl_domain::code::Code;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Two executions side by side: version, input, and what differs in each step. Names two \
    executions, or one playbook whose last two executions are meant.";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Id of the first, usually the older one.
    a: Option<String>,
    /// Id of the second.
    b: Option<String>,
    /// Path of a playbook: its last two executions, where no ids are given.
    playbook: Option<String>,
    /// With a playbook: its last failed execution against the last completed one before it.
    failed_with_good: bool,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let (a, b) = match (input.a, input.b) {
        (Some(a), Some(b)) => (a, b),
        _ => last_two(answers, input.playbook, input.failed_with_good).await?,
    };
    let found = answers.compare(&a, &b).await?;
    let mut answer = Answer::of(&found);
    answer.about.playbook = Some(found.b.playbook.clone());
    answer.about.execution_id = Some(found.b.execution_id.clone());
    let mut sides = Table::new(
        "two executions",
        &[
            ("", K::Name),
            ("execution", K::Id),
            ("playbook", K::Name),
            ("version", K::Number),
            ("status", K::Name),
            ("started", K::Moment),
            ("time", K::Milliseconds),
            ("failed step", K::Name),
            ("cause", K::Name),
        ],
    );
    let mut side = |name: &str, side: &Side| {
        sides.row_as(
            format!("execution:{}", side.execution_id),
            vec![
                json!(name),
                json!(side.execution_id),
                json!(side.playbook),
                json!(side.version),
                json!(side.status),
                json!(side.started_at),
                json!(side.duration_ms),
                json!(side.failed_step),
                json!(side.cause),
            ],
        )
    };
    let (first, second) = (side("A", &found.a), side("B", &found.b));
    let (slower, faster) = (milliseconds(found.a.duration_ms), milliseconds(found.b.duration_ms));
    answer.say(format!(
        "A {} after {slower}, B {} after {faster} [e:{first}] [e:{second}].",
        found.a.status, found.b.status
    ));
    sides.give(&mut answer);
    let differing: Vec<_> = found.steps.iter().filter(|step| !step.differs.is_empty()).collect();
    let mut steps = Table::new(
        "steps that differ",
        &[("step", K::Name), ("differs", K::Names), ("in A", K::Name), ("in B", K::Name)],
    );
    for step in &differing {
        steps.row(vec![
            json!(step.step),
            json!(step.differs),
            json!(step.a.as_ref().map(step_side)),
            json!(step.b.as_ref().map(step_side)),
        ]);
    }
    steps.give(&mut answer);
    for (title, shapes) in [
        ("failures in B and not in A", &found.new_failures),
        ("failures in A and not in B", &found.vanished_failures),
        ("log lines in B and not in A", &found.new_lines),
        ("log lines in A and not in B", &found.vanished_lines),
    ] {
        shapes_of(title, shapes).give(&mut answer);
    }
    let version = if found.definition_diff.is_some() { "another version" } else { "the same definition" };
    let input = if found.same_input { "the same input" } else { "another input" };
    let same = format!("{version}, {input}, {} of {} steps differ", differing.len(), found.steps.len());
    let reference = answer.fact("comparison", &same, "compare");
    answer.say(format!("B had {same} [e:{reference}]."));
    Ok(answer)
}

fn shapes_of(title: &str, shapes: &[Shape]) -> Table {
    let mut table = Table::new(title, &[("count", K::Number), ("template", K::Template)]);
    for shape in shapes {
        table.row_as(
            format!("fingerprint:{}", shape.fingerprint),
            vec![json!(shape.count), json!(shape.template)],
        );
    }
    table
}

fn step_side(side: &StepSide) -> String {
    let bytes = shown(K::Bytes, &json!(side.bytes_out));
    format!("{} in {}, {} tries, {bytes}", side.status, milliseconds(side.total_ms), side.attempts)
}

async fn last_two<A: Answers>(
    answers: &A,
    playbook: Option<String>,
    failed_with_good: bool,
) -> Result<(String, String), Trouble> {
    let of = async |status: Option<&str>, before: Option<String>, limit: u32| {
        let filter = ExecutionFilter {
            path: playbook.clone(),
            status: status.map(str::to_owned),
            before,
            limit: Some(limit),
            ..ExecutionFilter::default()
        };
        answers.executions(&filter).await
    };
    let few = |what: &str| {
        let of = playbook.as_deref().map(|path| format!(" of {path}")).unwrap_or_default();
        Trouble::new(Code::UnknownExecution, format!("there are no two executions{of} to compare: {what}"))
            .hint("`noetl executions` lists them")
    };
    if failed_with_good {
        let failed = of(Some("FAILED"), None, 1).await?;
        let failed = failed.first().ok_or_else(|| few("none failed"))?;
        let good = ExecutionFilter {
            path: Some(failed.path.clone()),
            status: Some("COMPLETED".to_owned()),
            before: Some(failed.execution_id.to_string()),
            limit: Some(1),
            ..ExecutionFilter::default()
        };
        let good = answers.executions(&good).await?;
        let good = good.first().ok_or_else(|| few("none completed before the failed one"))?;
        return Ok((good.execution_id.to_string(), failed.execution_id.to_string()));
    }
    match of(None, None, 2).await?.as_slice() {
        [newer, older] => Ok((older.execution_id.to_string(), newer.execution_id.to_string())),
        _ => Err(few("fewer than two are known")),
    }
}
