//! `proposals`: changes that were proposed, and what became of them.

use noetl_api::chat::ColumnKind as K;
use noetl_api::proposal::{ProposalFilter, ProposalState};
use noetl_domain::code::Code;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use super::{Answer, Answers, Trouble};

pub(super) const DESCRIPTION: &str = "Changes of playbooks that were proposed from history, with what they promise and what \
    became of them. Nothing is decided here.";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Path of a playbook; all of them unless given.
    playbook: Option<String>,
    /// Where they stand: proposed, canary, promoted, rolled_back, verified, missed, rejected, expired, superseded.
    state: Option<String>,
    /// How many at most.
    limit: Option<u64>,
}

pub(super) async fn answer<A: Answers>(answers: &A, input: Input) -> Result<Answer, Trouble> {
    let state: Option<ProposalState> = match input.state {
        None => None,
        Some(state) => Some(serde_json::from_value(json!(state)).map_err(|_| {
            Trouble::new(Code::InvalidRequest, format!("{state:?} is no state of a proposal"))
        })?),
    };
    let filter = ProposalFilter {
        playbook: input.playbook.clone(),
        state,
        limit: Some(input.limit.unwrap_or(20).clamp(1, 100)),
        ..ProposalFilter::default()
    };
    let found = answers.proposals(&filter).await?;
    let mut answer = Answer::of(&found);
    answer.about.playbook = input.playbook;
    let mut table = Table::new(
        "proposals",
        &[
            ("proposal", K::Id),
            ("playbook", K::Name),
            ("kind", K::Name),
            ("step", K::Name),
            ("state", K::Name),
            ("title", K::Text),
            ("metric", K::Name),
            ("before", K::Number),
            ("expected", K::Number),
            ("made", K::Moment),
        ],
    );
    for one in &found {
        let proposed = &one.proposed;
        table.row_as(
            format!("proposal:{}", one.id),
            vec![
                json!(one.id),
                json!(proposed.playbook),
                json!(proposed.kind.as_str()),
                json!(proposed.step),
                json!(one.state.as_str()),
                json!(proposed.title),
                json!(proposed.effect.metric),
                json!(proposed.effect.before),
                json!(proposed.effect.expected),
                json!(one.made_at),
            ],
        );
    }
    table.give(&mut answer);
    let waiting = found.iter().filter(|one| one.state == ProposalState::Proposed).count();
    let count = format!("{} proposals, {waiting} of them wait for a decision", found.len());
    let reference = answer.fact("proposals", &count, "proposals");
    answer.say(format!("{count} [e:{reference}]."));
    Ok(answer)
}
