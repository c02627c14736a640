//! `executions`: a list of them, newest first.

use chrono::Duration;
use noetl_api::chat::ColumnKind as K;
use noetl_api::execution::{ExecutionFilter, ExecutionSummary};
use noetl_api::show::moment;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::counts::pages;
use super::table::Table;
use super::{Answer, Answers, Trouble, stretch};

pub(super) const DESCRIPTION: &str = "A list of executions, newest first, by playbook, state and time. For questions such as \
    which runs failed yesterday, what is running now, the last runs of a playbook.";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Path of a playbook; all of them unless given.
    playbook: Option<String>,
    /// RUNNING, COMPLETED, FAILED or CANCELLED; any unless given.
    status: Option<String>,
    /// Beginning: 30m, 24h, 7d, 4w back, or a moment in RFC 3339; any time unless given.
    since: Option<String>,
    /// End, in the same forms; now unless given.
    until: Option<String>,
    /// How many at most.
    limit: Option<u32>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let limit = input.limit.unwrap_or(20).clamp(1, 200);
    let filter = ExecutionFilter {
        path: input.playbook.clone(),
        status: input.status.clone(),
        ..ExecutionFilter::default()
    };
    let (mut found, mut is_cut) = if input.since.is_none() && input.until.is_none() {
        let filter = ExecutionFilter { limit: Some(limit + 1), ..filter };
        (answers.executions(&filter).await?, false)
    } else {
        let within = stretch(input.since.as_deref(), input.until.as_deref(), Duration::days(3_650))?;
        pages(answers, &filter, within, limit as usize + 1).await?
    };
    is_cut |= found.len() > limit as usize;
    found.truncate(limit as usize);
    let mut answer = Answer::of(&found);
    answer.about.playbook = input.playbook;
    let mut table = Table::new(
        "executions",
        &[
            ("execution", K::Id),
            ("playbook", K::Name),
            ("version", K::Number),
            ("status", K::Name),
            ("started", K::Moment),
            ("time", K::Milliseconds),
            ("error", K::Text),
        ],
    );
    for one in &found {
        let reference = table.row_as(format!("execution:{}", one.execution_id), row(one));
        if answer.reading.is_empty() {
            answer.say(format!(
                "The newest is {} of `{}`, {}, started {} [e:{reference}].",
                one.execution_id,
                one.path,
                one.status,
                moment(&one.started_at)
            ));
            answer.about.execution_id = Some(one.execution_id.to_string());
        }
    }
    table.give(&mut answer);
    let more = if is_cut { " shown, and there are more" } else { "" };
    let count = format!("{} executions{more}", found.len());
    let reference = answer.fact("executions", &count, "executions");
    if found.is_empty() {
        answer.say(format!("There is none: 0 executions [e:{reference}]."));
    } else {
        answer.say(format!("{count} [e:{reference}]."));
    }
    Ok(answer)
}

fn row(one: &ExecutionSummary) -> Vec<serde_json::Value> {
    vec![
        json!(one.execution_id.to_string()),
        json!(one.path),
        json!(one.version),
        json!(one.status),
        json!(one.started_at),
        json!(one.duration * 1_000.0),
        json!(one.error),
    ]
}

/// How tools name one execution: by its id, or as the newest one that fits.
#[derive(Clone, Debug, Default)]
pub(super) struct Which {
    pub(super) execution_id: Option<String>,
    pub(super) playbook: Option<String>,
    pub(super) status: Option<String>,
}

pub(super) fn execution_id(text: &str) -> Result<ExecutionId, Trouble> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(60).collect();
        Trouble::new(
            Code::InvalidRequest,
            format!("{text:?} is no id of an execution: decimal digits expected"),
        )
        .hint("`noetl executions` lists them")
    })
}

/// The newest execution that fits, within a stretch of time where one is given; children only when nothing else fits.
pub(super) async fn newest<A: Answers>(
    answers: &A,
    which: &Which,
    within: Option<super::Stretch>,
) -> Result<ExecutionId, Trouble> {
    if let Some(id) = &which.execution_id {
        return execution_id(id);
    }
    let filter = ExecutionFilter {
        path: which.playbook.clone(),
        status: which.status.clone(),
        ..ExecutionFilter::default()
    };
    let found = match within {
        Some(within) => pages(answers, &filter, within, 100).await?.0,
        None => answers.executions(&ExecutionFilter { limit: Some(100), ..filter }).await?,
    };
    let newest = found.iter().find(|one| one.parent_execution_id.is_none()).or(found.first());
    newest.map(|one| one.execution_id).ok_or_else(|| {
        let of = which.playbook.as_deref().map(|path| format!(" of {path}")).unwrap_or_default();
        let state = which.status.as_deref().map(|status| format!(" {status}")).unwrap_or_default();
        let time = if within.is_some() { " in this stretch of time" } else { "" };
        Trouble::new(Code::UnknownExecution, format!("there is no{state} execution{of}{time}"))
            .hint("`noetl executions` lists them")
    })
}
