//! `noetl proposals list|show|approve|reject|ledger|look|simulate|what-if|draft`: what could be better, and what became of it.

mod draft;
mod look;
mod show;
mod simulate;
mod what_if;

use clap::{Args, Subcommand};
use noetl_api::proposal::{
    Decide, Estimate, LedgerLine, Proposal, ProposalFilter, ProposalKind, ProposalState,
};
use serde_json::Value;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Proposals {
    /// List proposals, newest first
    List(List),
    /// Show one: what changes, on what grounds, what it promises, what happened to it
    Show { id: String },
    /// Try one: its text becomes a new version for a share of the executions
    Approve(Approve),
    /// Turn one down; the same evidence does not bring it back
    Reject(Reject),
    /// Show what promoted proposals promised and what they delivered
    Ledger,
    /// Look at what executions did, and propose what that gives reason for
    Look(look::Look),
    /// Replay one over what its executions recorded
    Simulate(simulate::Simulate),
    /// Say what the history of a step lets expect of another value of one of its parameters
    WhatIf(what_if::WhatIf),
    /// Draft a step from a description
    Draft(draft::Draft),
}

#[derive(Debug, Default, Args)]
pub(crate) struct List {
    /// Catalog path of a playbook
    #[arg(long, value_name = "PATH")]
    playbook: Option<String>,
    /// retry, timeout, batch_size, concurrency, pool, parallelise, credential, schema_guard, step
    #[arg(long, value_name = "KIND", value_parser = word::<ProposalKind>)]
    kind: Option<ProposalKind>,
    /// proposed, canary, promoted, rolled_back, verified, missed, rejected, expired, superseded
    #[arg(long, value_name = "STATE", value_parser = word::<ProposalState>)]
    state: Option<ProposalState>,
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    id: String,
    /// Percent of the executions that get the new version [default: as the policy says]
    #[arg(long, value_name = "PERCENT")]
    share: Option<u32>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Reject {
    id: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Proposals {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Look(look) => return look.run(context),
            Self::Simulate(simulate) => return simulate.run(context),
            Self::WhatIf(what_if) => return what_if.run(context),
            Self::Draft(draft) => return draft.run(context),
            Self::List(_) | Self::Show { .. } | Self::Approve(_) | Self::Reject(_) | Self::Ledger => {}
        }
        context.block_on(async {
            let writes = matches!(self, Self::Approve(_) | Self::Reject(_));
            let connection = connect(context, if writes { Need::Write } else { Need::Read }).await?;
            let client = &connection.client;
            match self {
                Self::List(list) => {
                    let filter = ProposalFilter {
                        playbook: list.playbook,
                        kind: list.kind,
                        state: list.state,
                        limit: list.limit,
                    };
                    let found = client.proposals(&filter).await?;
                    if context.json { output::json(&found)? } else { print(&found.items)? }
                }
                Self::Show { id } => show::run(context, client, &id).await?,
                Self::Approve(approve) => {
                    let decide = Decide {
                        actor: Some(who(context)),
                        note: approve.note,
                        share_percent: approve.share,
                    };
                    let proposal = client.decide_proposal(&approve.id, "approve", &decide).await?;
                    if context.json { output::json(&proposal)? } else { approved(&proposal)? }
                }
                Self::Reject(reject) => {
                    let decide = Decide { actor: Some(who(context)), note: reject.note, share_percent: None };
                    let proposal = client.decide_proposal(&reject.id, "reject", &decide).await?;
                    if context.json {
                        output::json(&proposal)?;
                    } else {
                        output::text(&format!(
                            "rejected proposal {}: {}",
                            proposal.id, proposal.proposed.title
                        ))?;
                    }
                }
                Self::Ledger => {
                    let ledger = client.ledger().await?;
                    if context.json { output::json(&ledger)? } else { print_ledger(&ledger.items)? }
                }
                Self::Look(_) | Self::Simulate(_) | Self::WhatIf(_) | Self::Draft(_) => {}
            }
            connection.close().await?;
            Ok(Exit::Success)
        })
    }
}

/// Whoever types: what a person is called in the events.
pub(super) fn who(context: &Context) -> String {
    context.environment.user.clone().unwrap_or_else(|| "cli".to_owned())
}

/// A closed word of the API, as it is spelled there.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let word = text.trim().to_lowercase().replace('-', "_");
    serde_json::from_value(Value::String(word)).map_err(|_| format!("{text:?} is none of them"))
}

fn approved(proposal: &Proposal) -> anyhow::Result<()> {
    let version = proposal.version.map_or_else(String::new, |version| format!("version {version} of "));
    output::text(&format!(
        "approved proposal {}: {version}{} is being tried",
        proposal.id, proposal.proposed.playbook
    ))?;
    if let Some(rollout) = &proposal.rollout_id {
        terminal::tell(&format!("follow it: noetl rollout status {rollout}"));
    }
    Ok(())
}

fn print(proposals: &[Proposal]) -> anyhow::Result<()> {
    if proposals.is_empty() {
        terminal::tell("no proposals; look for some: noetl proposals look");
        return Ok(());
    }
    let mut table = output::Table::new(&["ID", "STATE", "KIND", "PLAYBOOK", "STEP", "PROMISE", "TITLE"]);
    let style = terminal::stdout_style();
    for proposal in proposals {
        let proposed = &proposal.proposed;
        table.row([
            proposal.id.clone(),
            state(proposal.state, style),
            proposed.kind.as_str().to_owned(),
            format!("{} v{}", proposed.playbook, proposed.base_version),
            proposed.step.clone().unwrap_or_default(),
            promise(proposed.effect.metric.as_str(), proposed.effect.before, proposed.effect.expected),
            output::one_line(&terminal::printable(&proposed.title), 60),
        ]);
    }
    table.print()?;
    if let Some(open) = proposals.iter().find(|proposal| proposal.state == ProposalState::Proposed) {
        terminal::tell(&format!("look at one: noetl proposals show {}", open.id));
    }
    Ok(())
}

pub(super) fn state(state: ProposalState, style: terminal::Style) -> String {
    let text = state.as_str().replace('_', " ");
    match state {
        ProposalState::Proposed | ProposalState::Canary => style.hint(&text),
        ProposalState::Promoted | ProposalState::Verified => style.success(&text),
        ProposalState::RolledBack | ProposalState::Missed => style.warning(&text),
        ProposalState::Rejected | ProposalState::Expired | ProposalState::Superseded => style.dim(&text),
    }
}

fn promise(metric: &str, before: f64, after: f64) -> String {
    if metric.is_empty() {
        return String::new();
    }
    format!("{} {} → {}", metric.replace('_', " "), number(metric, before), number(metric, after))
}

/// A value in the unit of its metric.
pub(super) fn number(metric: &str, value: f64) -> String {
    match metric {
        "failure_rate" => format!("{:.1} %", value * 100.0),
        "duration_ms" | "cost_ms_per_item" if value >= 10_000.0 => format!("{:.1} s", value / 1_000.0),
        "duration_ms" | "cost_ms_per_item" => format!("{value:.0} ms"),
        _ => format!("{value:.3}"),
    }
}

/// `12.0 % (8.1 % to 16.4 %)`.
pub(super) fn interval(metric: &str, estimate: &Estimate) -> String {
    let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(|value| number(metric, value));
    format!("{value} ({low} to {high})")
}

fn print_ledger(lines: &[LedgerLine]) -> anyhow::Result<()> {
    if lines.is_empty() {
        terminal::tell("nothing was promoted yet; see what could be: noetl proposals list");
        return Ok(());
    }
    let style = terminal::stdout_style();
    let mut table = output::Table::new(&[
        "PROPOSAL",
        "STATE",
        "PLAYBOOK",
        "METRIC",
        "BEFORE",
        "PROMISED",
        "DELIVERED",
        "N",
        "PROMOTED",
        "TITLE",
    ]);
    for line in lines {
        let metric = line.metric.as_str();
        table.row([
            line.proposal_id.clone(),
            state(line.state, style),
            line.playbook.clone(),
            metric.replace('_', " "),
            number(metric, line.before),
            number(metric, line.promised),
            match (&line.delivered, &line.not_measurable) {
                (Some(one), _) => interval(metric, one),
                (None, Some(_)) => "not measurable".to_owned(),
                (None, None) => "not known yet".to_owned(),
            },
            line.n.to_string(),
            line.promoted_at.as_deref().map(output::moment).unwrap_or_default(),
            output::one_line(&terminal::printable(&line.title), 50),
        ]);
    }
    table.print()
}
